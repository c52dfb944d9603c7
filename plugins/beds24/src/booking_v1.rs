//! A booking of API V1: all values are texts, the last night is inclusive, and `guestName` is the family name.

use gassync_plugin::{
    Address, Block, Change, ChangeKind, ChannelError, GuestDetails, Lenient, Money, Nights, Reservation, RoomStay,
    change, malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    booking::{self, MAX_ROOM_QTY, count, in_order, instant},
    vocabulary::{self, BookingKind, Seller, Word},
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    book_id: Lenient,
    prop_id: Lenient,
    room_id: Lenient,
    unit_id: Lenient,
    room_qty: Lenient,
    status: Lenient,
    substatus: Lenient,
    first_night: Lenient,
    last_night: Lenient,
    num_adult: Lenient,
    num_child: Lenient,
    guest_first_name: Lenient,
    guest_name: Lenient,
    guest_email: Lenient,
    guest_phone: Lenient,
    guest_mobile: Lenient,
    guest_address: Lenient,
    guest_city: Lenient,
    guest_state: Lenient,
    guest_postcode: Lenient,
    guest_country: Lenient,
    guest_country2: Lenient,
    guest_comments: Lenient,
    notes: Lenient,
    lang: Lenient,
    price: Lenient,
    commission: Lenient,
    currency: Lenient,
    api_source: Lenient,
    api_reference: Lenient,
    referer: Lenient,
    referer_editable: Lenient,
    reference: Lenient,
    booking_time: Lenient,
    modified: Lenient,
    master_id: Lenient,
}

pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Change, ChannelError> {
    let row: Row = read_json(raw.get(), path)?;
    let id = row.book_id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/bookId"), "is missing"))?;
    let date = |said: &Lenient| said.date("").ok().flatten();
    let nights = date(&row.first_night).zip(date(&row.last_night)).map(|(first, last)| Nights::through(first, last));
    let property_id = row.prop_id.unless_zero();
    let data = match vocabulary::booking_kind(row.status.as_str(), &row.substatus.lower()) {
        BookingKind::Block => {
            let stay = nights.ok_or_else(|| malformed(format_args!("{path}/firstNight"), "is missing on a block"))?;
            ChangeKind::Block(Block {
                id: Some(id),
                property_id: property_id.clone(),
                unit_id: row.unit_id.unless_zero(),
                units: Some(count(&row.room_qty).unwrap_or(1).max(1)),
                modified_at: instant(&row.modified),
                reason: row.notes.text().or_else(|| row.guest_comments.text()),
                extra: booking::ours(&row.reference),
                raw: Some(raw.get().to_owned()),
                ..Block::new(row.room_id.unless_zero().into_iter().collect(), stay)
            })
        }
        BookingKind::Reservation(word) => {
            let sides = [&row.api_source, &row.referer_editable, &row.referer];
            let Seller { source, beside } = vocabulary::seller("", row.api_source.count(), &sides);
            let amount = |said: &Lenient| -> Option<Money> {
                booking::amount(said).map(|amount| money(amount, row.currency.as_str()))
            };
            let total = amount(&row.price);
            // Dates of a cancellation do not matter.
            let nights = nights.filter(|nights| word != Word::Cancelled || in_order(*nights));
            let mut extra = booking::ours(&row.reference);
            extra.extend(beside.map(|text| ("referer".to_owned(), booking::quoted(text))));
            let quantity = count(&row.room_qty).unwrap_or(1).clamp(1, MAX_ROOM_QTY);
            let one = quantity == 1;
            let rooms = row.room_id.unless_zero().map(|room_type_id| RoomStay {
                unit_id: row.unit_id.unless_zero().filter(|_| one),
                stay: nights,
                adults: count(&row.num_adult).filter(|_| one),
                children: count(&row.num_child).filter(|_| one),
                total: total.clone().filter(|_| one),
                ..RoomStay::new(Some(room_type_id))
            });
            ChangeKind::Reservation(Reservation {
                ota_reference: row.api_reference.text(),
                group_id: row.master_id.unless_zero(),
                property_id: property_id.clone(),
                rooms: rooms.map(|room| vec![room; quantity as usize]).unwrap_or_default(),
                stay: nights,
                guest: guest(&row, source.as_deref()),
                source,
                adults: count(&row.num_adult),
                children: count(&row.num_child),
                total,
                commission: amount(&row.commission),
                booked_at: instant(&row.booking_time),
                modified_at: instant(&row.modified),
                notes: booking::notes(&row.guest_comments, &row.notes),
                completeness: booking::completeness(&[
                    &row.guest_first_name,
                    &row.guest_name,
                    &row.guest_email,
                    &row.guest_phone,
                    &row.guest_mobile,
                ]),
                extra,
                raw: Some(raw.get().to_owned()),
                ..Reservation::new(id, word.into())
            })
        }
    };
    Ok(change(property_id.as_deref(), data))
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
