//! Bookings: fields compared in tests, and further API fields.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{items::BookingItems, odd_kind::Odd, plain_keys};

/// A manual booking.
#[derive(Debug, Clone)]
pub struct NewBooking {
    /// Room type.
    pub room_id: u64,
    /// First night.
    pub arrival: Date,
    /// Day of departure.
    pub departure: Date,
    /// Rooms of the type.
    pub room_qty: u32,
    /// Adults.
    pub num_adult: u32,
    /// Price in whole cents.
    pub price_cents: u64,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
}

/// A manual change; `None` keeps the value.
#[derive(Debug, Clone, Default)]
pub struct BookingChange {
    /// Another room type.
    pub room_id: Option<u64>,
    /// First night and day of departure.
    pub dates: Option<(Date, Date)>,
    /// Adults.
    pub num_adult: Option<u32>,
    /// Price in whole cents.
    pub price_cents: Option<u64>,
}

/// A booking, for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BookEntry {
    /// The booking's id.
    pub id: u64,
    /// Id of the first booking of its group; `None` for that booking itself.
    pub master_id: Option<u64>,
    /// Property.
    pub property_id: u64,
    /// Room type.
    pub room_id: u64,
    /// Unit; 0 if none is assigned.
    pub unit_id: u32,
    /// Rooms of the type.
    pub room_qty: u32,
    /// Status in the API; `black` is a block.
    pub status: String,
    /// First night.
    pub arrival: Date,
    /// Day of departure.
    pub departure: Date,
    /// Adults.
    pub num_adult: u32,
    /// Children.
    pub num_child: u32,
    /// Price in whole cents.
    pub price_cents: u64,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Selling channel.
    pub channel: String,
    /// Reference of the selling channel; shared by a group.
    pub api_reference: String,
    /// Reference set by the API client.
    pub reference: String,
    /// Last modification.
    pub modified: Timestamp,
    /// Amount owed by the guest, in ten-thousandths: the charges or else the price; `None` if not a number.
    pub owed: Option<u64>,
    /// Kind of its odd form, if any.
    pub odd: Option<Odd>,
}

#[derive(Debug, Clone)]
pub(super) struct BookingRecord {
    pub entry: BookEntry,
    /// Number and name of the seller.
    pub source: (u32, &'static str),
    /// All other writable plain keys.
    pub keys: Map<String, Value>,
    pub booked: Timestamp,
    /// Time of cancellation; `None` if cancelled by API.
    pub cancelled: Option<Timestamp>,
    /// Last API write.
    pub written: Option<Timestamp>,
    pub invoice_items: BookingItems,
    pub info_items: BookingItems,
    /// Kind of its odd form, if any.
    pub odd: Option<Odd>,
    /// Price of the whole group in whole cents, if shown on this booking.
    pub group_cents: Option<u64>,
}

impl BookingRecord {
    /// Creates a direct booking for one adult, like one made by API.
    pub fn new(id: u64, property_id: u64, room_id: u64, (arrival, departure): (Date, Date), now: Timestamp) -> Self {
        let entry = BookEntry {
            id,
            master_id: None,
            property_id,
            room_id,
            unit_id: 0,
            room_qty: 1,
            status: "confirmed".to_owned(),
            arrival,
            departure,
            num_adult: 1,
            num_child: 0,
            price_cents: 0,
            first_name: String::new(),
            last_name: String::new(),
            channel: "direct".to_owned(),
            api_reference: String::new(),
            reference: String::new(),
            modified: whole_second(now),
            owed: None,
            odd: None,
        };
        Self {
            booked: entry.modified,
            entry,
            source: (0, "Direct"),
            keys: plain_keys::untouched(),
            cancelled: None,
            written: None,
            invoice_items: BookingItems::of_invoice(),
            info_items: BookingItems::of_info(),
            odd: None,
            group_cents: None,
        }
    }

    /// True if not cancelled.
    pub fn is_active(&self) -> bool {
        self.entry.status != "cancelled"
    }

    /// True if it occupies rooms; inquiries occupy none.
    pub fn takes_rooms(&self) -> bool {
        self.is_active() && self.entry.status != "inquiry"
    }

    /// True if it occupies rooms this night.
    pub fn holds(&self, night: Date) -> bool {
        self.takes_rooms() && self.entry.arrival <= night && night < self.entry.departure
    }

    /// True if another site sold it.
    pub fn is_of_ota(&self) -> bool {
        self.entry.status != "black" && self.source.0 > 1
    }

    /// Returns the value of a text key.
    pub fn text(&self, key: &str) -> &str {
        self.keys.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// True if the two differ in a way that triggers a webhook.
    pub fn differs_for_webhooks(&self, other: &Self) -> bool {
        let (a, b) = (&self.entry, &other.entry);
        (&a.status, a.arrival, a.departure, a.room_id, a.unit_id, a.room_qty)
            != (&b.status, b.arrival, b.departure, b.room_id, b.unit_id, b.room_qty)
    }
}

/// Truncates to whole seconds, the precision of the API.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
