//! Parses reservations, whose vocabulary depends on the system behind Calry.

use gassync_plugin::{
    Address, Block, Change, ChangeKind, ChannelError, GuestDetails, Lenient, Nights, Reservation, ReservationStatus,
    RoomStay, change, malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Booking {
    id: Lenient,
    created_at: Lenient,
    updated_at: Lenient,
    arrival_date: Lenient,
    departure_date: Lenient,
    property_id: Lenient,
    room_type_ids: Vec<Lenient>,
    unit_ids: Vec<Lenient>,
    number_of_guests: Lenient,
    number_of_adults: Lenient,
    number_of_children: Lenient,
    number_of_infants: Lenient,
    number_of_pets: Lenient,
    primary_guest: Person,
    source: Lenient,
    total_price: Lenient,
    currency: Lenient,
    status: Lenient,
    notes: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Person {
    name: Lenient,
    name_first: Lenient,
    name_last: Lenient,
    emails: Vec<Lenient>,
    mobile_numbers: Vec<Lenient>,
    addresses: Vec<Place>,
    preferred_language: Language,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    line1: Lenient,
    city: Lenient,
    state: Lenient,
    postal_code: Lenient,
    country: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Language {
    code: Lenient,
}

/// A reservation, or a block.
pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Change, ChannelError> {
    let booking: Booking = read_json(raw.get(), path)?;
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
            return Ok(change(property_id.as_deref(), ChangeKind::Block(block(&booking, id, stay, raw))));
        }
        // Unknown: parked until an operator decides.
        _ => ReservationStatus::Other(word),
    };
    let total = booking.total_price.amount(format_args!("{path}/totalPrice"))?;
    let reported = Reservation {
        total: total.map(|amount| money(amount, booking.currency.as_str())),
        booked_at: booking.created_at.instant(format_args!("{path}/createdAt"))?,
        modified_at: booking.updated_at.instant(format_args!("{path}/updatedAt"))?,
        ..reservation(&booking, id, status, stay, raw)
    };
    Ok(change(property_id.as_deref(), ChangeKind::Reservation(reported)))
}

/// All fields except money and timestamps, whose parsing can fail.
fn reservation(
    booking: &Booking,
    id: String,
    status: ReservationStatus,
    stay: Option<Nights>,
    raw: &RawValue,
) -> Reservation {
    let (rooms, unit) = rooms(booking);
    let adults = booking.number_of_adults.count();
    Reservation {
        property_id: booking.property_id.text(),
        rooms: rooms
            .into_iter()
            .map(|room| RoomStay { stay, unit_id: unit.clone(), ..RoomStay::new(Some(room)) })
            .collect(),
        stay,
        source: booking.source.text().map(|source| source.to_lowercase()),
        guest: Some(guest(&booking.primary_guest)).filter(|guest| !guest.is_unknown()),
        guests: booking.number_of_guests.count().filter(|_| adults.is_none()),
        adults,
        children: booking.number_of_children.count(),
        infants: booking.number_of_infants.count(),
        pets: booking.number_of_pets.count(),
        notes: booking.notes.text(),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, status)
    }
}

/// The room types; and the unit if there is one of each, since with several the assignment is unknown.
fn rooms(booking: &Booking) -> (Vec<String>, Option<String>) {
    let rooms: Vec<String> = booking.room_type_ids.iter().filter_map(Lenient::text).collect();
    let unit = match (rooms.as_slice(), booking.unit_ids.as_slice()) {
        ([_], [unit]) => unit.text(),
        _ => None,
    };
    (rooms, unit)
}

fn guest(person: &Person) -> GuestDetails {
    let split = person.name_first.as_str().or(person.name_last.as_str()).is_some();
    let address = person.addresses.first().map_or_else(Address::unknown, |place| Address {
        street: place.line1.text(),
        city: place.city.text(),
        state: place.state.text(),
        postcode: place.postal_code.text(),
        country: place.country.text(),
    });
    let guest = GuestDetails {
        name: person.name.text().filter(|_| !split),
        first_name: person.name_first.text(),
        last_name: person.name_last.text(),
        email: person.emails.first().and_then(Lenient::text),
        phone: person.mobile_numbers.first().and_then(Lenient::text),
        language: person.preferred_language.code.text(),
        ..GuestDetails::unknown()
    };
    guest.living_at(address)
}

/// A block closes all of its room types under one id; without room types it closes the property.
fn block(booking: &Booking, id: String, stay: Nights, raw: &RawValue) -> Block {
    let (rooms, unit) = rooms(booking);
    Block {
        id: Some(id),
        property_id: booking.property_id.text(),
        unit_id: unit,
        reason: booking.notes.text(),
        raw: Some(raw.get().to_owned()),
        ..Block::new(rooms, stay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Page {
        data: Vec<Box<RawValue>>,
    }

    fn reported(index: usize) -> ChangeKind {
        let page: Page = read_json(include_str!("../samples/answers/reservations/page.json"), "").expect("a page");
        read(&page.data[index], "/data").expect("a change").data
    }

    #[test]
    fn pets_are_counted_and_guests_live_somewhere() {
        let ChangeKind::Reservation(booking) = reported(0) else { panic!("a reservation") };
        assert_eq!((booking.pets, booking.extra.len()), (Some(1), 0));
        let guest = booking.guest.expect("a guest");
        let address = guest.address.expect("an address");
        assert_eq!((address.street.as_deref(), address.postcode.as_deref()), (Some("Testweg 3"), Some("8010")));
        assert_eq!((guest.country.as_deref(), address.state), (Some("AT"), None));
    }

    #[test]
    fn a_block_closes_all_its_room_types_under_one_id() {
        let ChangeKind::Block(block) = reported(2) else { panic!("a block") };
        assert_eq!((block.id.as_deref(), block.property_id.as_deref()), (Some("88403"), Some("mill-7")));
        assert_eq!(
            (block.room_type_ids, block.unit_id),
            (vec!["mill-7-loft".to_owned(), "mill-7-barn".to_owned()], None)
        );
        assert_eq!(block.reason.as_deref(), Some("roof"));
    }
}
