//! A row of the older interface: all texts, the last night inclusive, the family name called `guestName`.

use gassync_plugin::{
    Address, Block, Change, ChannelError, GuestDetails, Loose, Money, News, Nights, Reservation, RoomStay, change,
    malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    booking::{self, MAX_ROOM_QTY},
    vocabulary::{self, Standing},
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    book_id: Loose,
    prop_id: Loose,
    room_id: Loose,
    unit_id: Loose,
    room_qty: Loose,
    status: Loose,
    substatus: Loose,
    first_night: Loose,
    last_night: Loose,
    num_adult: Loose,
    num_child: Loose,
    guest_first_name: Loose,
    guest_name: Loose,
    guest_email: Loose,
    guest_phone: Loose,
    guest_mobile: Loose,
    guest_address: Loose,
    guest_city: Loose,
    guest_state: Loose,
    guest_postcode: Loose,
    guest_country: Loose,
    guest_country2: Loose,
    guest_comments: Loose,
    notes: Loose,
    lang: Loose,
    price: Loose,
    commission: Loose,
    currency: Loose,
    api_source: Loose,
    api_reference: Loose,
    reference: Loose,
    booking_time: Loose,
    modified: Loose,
    master_id: Loose,
}

pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Change, ChannelError> {
    let row: Row = read_json(raw.get(), path)?;
    let id = row.book_id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/bookId"), "is missing"))?;
    let status = row.status.as_str().ok_or_else(|| malformed(format_args!("{path}/status"), "is missing"))?;
    let first = row.first_night.date(format_args!("{path}/firstNight"))?;
    let last = row.last_night.date(format_args!("{path}/lastNight"))?;
    let nights = first.zip(last).map(|(first, last)| Nights::through(first, last));
    let property_id = row.prop_id.unless_zero();
    let news = match vocabulary::standing(status, &row.substatus.lower()) {
        Standing::Block => {
            let stay = nights.ok_or_else(|| malformed(format_args!("{path}/firstNight"), "is missing on a block"))?;
            News::Block(Block {
                id: Some(id),
                property_id: property_id.clone(),
                unit_id: row.unit_id.unless_zero(),
                units: Some(row.room_qty.count().unwrap_or(1).max(1)),
                modified_at: row.modified.instant(format_args!("{path}/modified"))?,
                reason: row.notes.text().or_else(|| row.guest_comments.text()),
                extra: booking::ours(&row.reference),
                raw: Some(raw.get().to_owned()),
                ..Block::new(row.room_id.unless_zero().into_iter().collect(), stay)
            })
        }
        Standing::Reservation(word) => {
            let source = vocabulary::source("", row.api_source.count(), row.api_source.as_str().unwrap_or_default());
            let amount = |said: &Loose, field: &str| -> Result<Option<Money>, ChannelError> {
                let amount = said.amount(format_args!("{path}/{field}"))?;
                Ok(amount.map(|amount| money(amount, row.currency.as_str())))
            };
            let total = amount(&row.price, "price")?;
            let quantity = row.room_qty.count().unwrap_or(1).clamp(1, MAX_ROOM_QTY);
            let one = quantity == 1;
            let rooms = row.room_id.unless_zero().map(|room_type_id| RoomStay {
                unit_id: row.unit_id.unless_zero().filter(|_| one),
                stay: nights,
                adults: row.num_adult.count().filter(|_| one),
                children: row.num_child.count().filter(|_| one),
                total: total.clone().filter(|_| one),
                ..RoomStay::new(Some(room_type_id))
            });
            News::Reservation(Reservation {
                ota_reference: row.api_reference.text(),
                group_id: row.master_id.unless_zero(),
                property_id: property_id.clone(),
                rooms: rooms.map(|room| vec![room; quantity as usize]).unwrap_or_default(),
                stay: nights,
                guest: guest(&row, source.as_deref()),
                source,
                adults: row.num_adult.count(),
                children: row.num_child.count(),
                total,
                commission: amount(&row.commission, "commission")?,
                booked_at: row.booking_time.instant(format_args!("{path}/bookingTime"))?,
                modified_at: row.modified.instant(format_args!("{path}/modified"))?,
                notes: booking::notes(&row.guest_comments, &row.notes),
                completeness: booking::completeness(&[
                    &row.guest_first_name,
                    &row.guest_name,
                    &row.guest_email,
                    &row.guest_phone,
                    &row.guest_mobile,
                ]),
                extra: booking::ours(&row.reference),
                raw: Some(raw.get().to_owned()),
                ..Reservation::new(id, word.into())
            })
        }
    };
    Ok(change(property_id.as_deref(), news))
}

fn guest(row: &Row, source: Option<&str>) -> Option<GuestDetails> {
    let address = Address {
        street: row.guest_address.text(),
        city: row.guest_city.text(),
        state: row.guest_state.text(),
        postcode: row.guest_postcode.text(),
        country: vocabulary::country(row.guest_country.as_str(), row.guest_country2.as_str(), source),
    };
    let guest = GuestDetails {
        first_name: row.guest_first_name.text(),
        last_name: row.guest_name.text(),
        email: row.guest_email.text(),
        phone: row.guest_phone.text().or_else(|| row.guest_mobile.text()),
        language: row.lang.text(),
        ..GuestDetails::unknown()
    }
    .living_at(address);
    (!guest.is_unknown()).then_some(guest)
}
