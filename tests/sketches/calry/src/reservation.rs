//! A reservation in Calry's words, which are those of whatever system stands behind it.

use gassync_plugin::{
    Block, Change, ChannelError, GuestDetails, Loose, News, Nights, Reservation, ReservationStatus, RoomStay, change,
    malformed, money,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Booking {
    id: Loose,
    created_at: Loose,
    updated_at: Loose,
    arrival_date: Loose,
    departure_date: Loose,
    property_id: Loose,
    room_type_ids: Vec<Loose>,
    unit_ids: Vec<Loose>,
    number_of_guests: Loose,
    number_of_adults: Loose,
    number_of_children: Loose,
    number_of_infants: Loose,
    number_of_pets: Option<Box<RawValue>>,
    primary_guest: Person,
    source: Loose,
    total_price: Loose,
    currency: Loose,
    status: Loose,
    notes: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Person {
    name: Loose,
    name_first: Loose,
    name_last: Loose,
    emails: Vec<Loose>,
    mobile_numbers: Vec<Loose>,
    addresses: Vec<Address>,
    preferred_language: Language,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Address {
    country: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Language {
    code: Loose,
}

/// A reservation; of a block, one for each room type that it closes.
pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Vec<Change>, ChannelError> {
    let booking: Booking = serde_json::from_str(raw.get()).map_err(|error| malformed(path, error))?;
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing");
    let id = booking.id.text().ok_or_else(|| missing("id"))?;
    let word = booking.status.text().ok_or_else(|| missing("status"))?;
    let arrival = booking.arrival_date.date(format_args!("{path}/arrivalDate"))?;
    let departure = booking.departure_date.date(format_args!("{path}/departureDate"))?;
    let stay = arrival.zip(departure).map(|(start, until)| Nights { start, until });
    let property_id = booking.property_id.text();
    let status = match word.to_uppercase().as_str() {
        "CONFIRMED" | "MODIFIED" | "MOVED" | "STAYING" | "POST_STAY" => ReservationStatus::Confirmed,
        "PENDING" => ReservationStatus::Pending(None),
        "INQUIRY" | "QUOTE" => ReservationStatus::Inquiry,
        "CANCELLED" | "EXPIRED" => ReservationStatus::Cancelled,
        "NO_SHOW" => ReservationStatus::NoShow,
        "BLOCKED" => {
            let stay = stay.ok_or_else(|| missing("arrivalDate"))?;
            return Ok(blocks(&booking, &id, stay, raw));
        }
        // Kept back until a person decides.
        _ => ReservationStatus::Other(word),
    };
    let total = booking.total_price.amount(format_args!("{path}/totalPrice"))?;
    let told = Reservation {
        total: total.map(|amount| money(amount, booking.currency.as_str())),
        booked_at: booking.created_at.instant(format_args!("{path}/createdAt"))?,
        modified_at: booking.updated_at.instant(format_args!("{path}/updatedAt"))?,
        ..reservation(&booking, id, status, stay, raw)
    };
    Ok(vec![change(property_id.as_deref(), News::Reservation(told))])
}

/// All of it but money and instants, which may be none.
fn reservation(
    booking: &Booking,
    id: String,
    status: ReservationStatus,
    stay: Option<Nights>,
    raw: &RawValue,
) -> Reservation {
    let rooms: Vec<&str> = booking.room_type_ids.iter().filter_map(Loose::as_str).collect();
    // Which of several units belongs to which room type is not told.
    let unit = match (rooms.as_slice(), booking.unit_ids.as_slice()) {
        ([_], [unit]) => unit.text(),
        _ => None,
    };
    let adults = booking.number_of_adults.count();
    let pets = booking.number_of_pets.as_ref().map(|pets| ("pets".to_owned(), pets.get().to_owned()));
    Reservation {
        property_id: booking.property_id.text(),
        rooms: rooms
            .into_iter()
            .map(|room| RoomStay { stay, unit_id: unit.clone(), ..RoomStay::new(Some(room.to_owned())) })
            .collect(),
        stay,
        source: booking.source.text().map(|source| source.to_lowercase()),
        guest: Some(guest(&booking.primary_guest)).filter(|guest| !guest.is_unknown()),
        guests: booking.number_of_guests.count().filter(|_| adults.is_none()),
        adults,
        children: booking.number_of_children.count(),
        infants: booking.number_of_infants.count(),
        notes: booking.notes.text(),
        extra: pets.into_iter().collect(),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, status)
    }
}

fn guest(person: &Person) -> GuestDetails {
    let split = person.name_first.as_str().or(person.name_last.as_str()).is_some();
    GuestDetails {
        name: person.name.text().filter(|_| !split),
        first_name: person.name_first.text(),
        last_name: person.name_last.text(),
        email: person.emails.first().and_then(Loose::text),
        phone: person.mobile_numbers.first().and_then(Loose::text),
        country: person.addresses.first().and_then(|address| address.country.text()),
        language: person.preferred_language.code.text(),
        ..GuestDetails::unknown()
    }
}

/// A block has one room type; where Calry closes several under one id, each has its own.
fn blocks(booking: &Booking, id: &str, stay: Nights, raw: &RawValue) -> Vec<Change> {
    let property_id = booking.property_id.text();
    let block = |id: String, room_type_id| Block {
        id: Some(id),
        property_id: property_id.clone(),
        room_type_id,
        unit_id: None,
        stay,
        reason: booking.notes.text(),
        raw: Some(raw.get().to_owned()),
    };
    let blocks = match booking.room_type_ids.as_slice() {
        [] => vec![block(id.to_owned(), None)],
        [room] => vec![block(id.to_owned(), room.text())],
        rooms => {
            let rooms = rooms.iter().filter_map(Loose::text);
            rooms.map(|room| block(format!("{id}/{room}"), Some(room))).collect()
        }
    };
    blocks.into_iter().map(|block| change(property_id.as_deref(), News::Block(block))).collect()
}
