//! The records as they come over the wire: only the keys that are read. Numbers come as numbers or texts, absent
//! values as null, as an empty text or not at all.

use gassync_plugin::{Digits, Text, serde_json::value::RawValue};
use serde::Deserialize;

/// A booking of V2; the aliases are the keys of a V1 row, which has the same sense under other names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Booking<'a> {
    #[serde(borrow, alias = "bookId")]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub master_id: Text<'a>,
    #[serde(borrow)]
    pub booking_group: Option<Group<'a>>,
    #[serde(borrow, alias = "propId")]
    pub property_id: Text<'a>,
    #[serde(borrow)]
    pub room_id: Text<'a>,
    #[serde(borrow)]
    pub unit_id: Text<'a>,
    pub room_qty: Digits,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow, alias = "substatus")]
    pub sub_status: Text<'a>,
    #[serde(borrow, alias = "firstNight")]
    pub arrival: Text<'a>,
    #[serde(borrow)]
    pub departure: Text<'a>,
    /// V1 only, and slept: check-out is the day after.
    #[serde(borrow)]
    pub last_night: Text<'a>,
    pub num_adult: Digits,
    pub num_child: Digits,
    #[serde(borrow, alias = "guestFirstName")]
    pub first_name: Text<'a>,
    #[serde(borrow, alias = "guestName")]
    pub last_name: Text<'a>,
    #[serde(borrow, alias = "guestEmail")]
    pub email: Text<'a>,
    #[serde(borrow, alias = "guestPhone")]
    pub phone: Text<'a>,
    #[serde(borrow, alias = "guestMobile")]
    pub mobile: Text<'a>,
    #[serde(borrow, alias = "guestCountry")]
    pub country: Text<'a>,
    #[serde(borrow, alias = "guestCountry2")]
    pub country2: Text<'a>,
    #[serde(borrow)]
    pub lang: Text<'a>,
    #[serde(borrow, alias = "guestComments")]
    pub comments: Text<'a>,
    #[serde(borrow)]
    pub notes: Text<'a>,
    #[serde(borrow)]
    pub channel: Text<'a>,
    #[serde(borrow)]
    pub api_source_id: Text<'a>,
    /// The number's display text; in V1 the number itself.
    #[serde(borrow)]
    pub api_source: Text<'a>,
    #[serde(borrow)]
    pub api_reference: Text<'a>,
    pub price: Digits,
    pub commission: Digits,
    /// V1 only: a booking of V2 leaves it to its property.
    #[serde(borrow)]
    pub currency: Text<'a>,
    #[serde(borrow)]
    pub booking_time: Text<'a>,
    #[serde(borrow, alias = "modified")]
    pub modified_time: Text<'a>,
}

/// Bookings made together; also written for a booking that is alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group<'a> {
    #[serde(borrow)]
    pub master: Text<'a>,
    #[serde(borrow)]
    pub ids: Vec<Text<'a>>,
}

/// What is posted to us: a booking webhook of V2, or the inventory webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Hook<'a> {
    #[serde(borrow)]
    pub booking: Option<&'a RawValue>,
    #[serde(borrow)]
    pub action: Text<'a>,
    #[serde(borrow)]
    pub room_id: Text<'a>,
    #[serde(borrow)]
    pub prop_id: Text<'a>,
}

/// A property, with its room types where they were asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Property<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub currency: Text<'a>,
    #[serde(borrow)]
    pub address: Text<'a>,
    #[serde(borrow)]
    pub city: Text<'a>,
    #[serde(borrow)]
    pub state: Text<'a>,
    #[serde(borrow)]
    pub postcode: Text<'a>,
    #[serde(borrow)]
    pub country: Text<'a>,
    pub latitude: Digits,
    pub longitude: Digits,
    #[serde(borrow)]
    pub room_types: Option<Vec<&'a RawValue>>,
}

/// What a property sells by.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RoomType<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
    #[serde(borrow)]
    pub property_id: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub qty: Digits,
    pub max_people: Digits,
}

/// A room type's calendar.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Calendar<'a> {
    #[serde(borrow)]
    pub room_id: Text<'a>,
    #[serde(borrow)]
    pub property_id: Text<'a>,
    #[serde(borrow)]
    pub calendar: Vec<Range<'a>>,
    /// The smaller answer that knows only whether a night can be sold.
    #[serde(borrow)]
    pub availability: std::collections::BTreeMap<&'a str, Option<bool>>,
}

/// Nights with the same values, from the first to the last, both slept.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Range<'a> {
    #[serde(borrow)]
    pub from: Text<'a>,
    #[serde(borrow)]
    pub to: Text<'a>,
    pub num_avail: Digits,
    pub price1: Digits,
    pub min_stay: Digits,
    pub max_stay: Digits,
    #[serde(borrow, rename = "override")]
    pub override_: Text<'a>,
}
