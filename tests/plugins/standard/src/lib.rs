//! A channel that uses the standard schema: a message is a list of records of the kind in its path. Validation is left
//! to the host.

use gassync_plugin::{
    Adapter, Address, Change, ChangeKind, ChannelError, Decoded, Entity, GuestDetails, HttpRequest, Inbound, Lenient,
    Money, Nights, PaymentCollectedBy, PriceKind, PriceLine, Property, RawValue, Reservation, ReservationStatus,
    RoomStay, RoomType, change, lenient, malformed, money, read_each, read_json, reply,
};
use serde::Deserialize;

/// The adapter.
pub struct Standard;

gassync_plugin::export!(crate::Standard: Inbound);

impl Adapter for Standard {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Booking {
    id: Lenient,
    status: Lenient,
    check_in: Lenient,
    check_out: Lenient,
    room_type_id: Lenient,
    #[serde(deserialize_with = "lenient")]
    rooms: Vec<Room>,
    ota_reference: Lenient,
    group_id: Lenient,
    property_id: Lenient,
    source: Lenient,
    guests: Lenient,
    adults: Lenient,
    children: Lenient,
    infants: Lenient,
    pets: Lenient,
    total_price: Lenient,
    currency: Lenient,
    commission: Lenient,
    payout: Lenient,
    payment_collected_by: Lenient,
    booked_at: Lenient,
    modified_at: Lenient,
    revision: Lenient,
    notes: Lenient,
    #[serde(deserialize_with = "lenient")]
    price_lines: Vec<Line>,
    #[serde(deserialize_with = "lenient")]
    guest: Guest,
    extra: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Room {
    id: Lenient,
    room_type_id: Lenient,
    unit_id: Lenient,
    rate_plan_id: Lenient,
    check_in: Lenient,
    check_out: Lenient,
    adults: Lenient,
    children: Lenient,
    total_price: Lenient,
    #[serde(deserialize_with = "lenient")]
    guest: Guest,
    extra: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Line {
    kind: Lenient,
    name: Lenient,
    amount: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Guest {
    id: Lenient,
    first_name: Lenient,
    last_name: Lenient,
    email: Lenient,
    phone: Lenient,
    country: Lenient,
    language: Lenient,
    #[serde(deserialize_with = "lenient")]
    address: Place,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place {
    street: Lenient,
    city: Lenient,
    country: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct House {
    id: Lenient,
    property_id: Lenient,
    name: Lenient,
    quantity: Lenient,
}

impl Inbound for Standard {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let records: Vec<Box<RawValue>> = read_json(request.bytes(), "")?;
        let changes = match request.path().trim_start_matches('/') {
            "properties" => read_each(Entity::Property, &records, "", &["id"], property),
            "room-types" => read_each(Entity::RoomType, &records, "", &["id"], room_type),
            "reservations" => read_each(Entity::Reservation, &records, "", &["id"], reservation),
            _ => Err(malformed("", "is of no kind")),
        }?;
        Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
    }
}

fn must_say(said: &Lenient, place: String) -> Result<String, ChannelError> {
    said.text().ok_or_else(|| malformed(place, "is missing"))
}

fn property(raw: &RawValue, place: &str) -> Result<Change, ChannelError> {
    let house: House = read_json(raw.get(), place)?;
    let id = must_say(&house.id, format!("{place}/id"))?;
    Ok(change(None, ChangeKind::Property(Property::new(id, house.name.text().unwrap_or_default()))))
}

fn room_type(raw: &RawValue, place: &str) -> Result<Change, ChannelError> {
    let room: House = read_json(raw.get(), place)?;
    let (id, house) = (must_say(&room.id, format!("{place}/id"))?, room.property_id.text().unwrap_or_default());
    let record =
        RoomType { quantity: room.quantity.count(), ..RoomType::new(id, house, room.name.text().unwrap_or_default()) };
    Ok(change(None, ChangeKind::RoomType(record)))
}

fn reservation(raw: &RawValue, place: &str) -> Result<Change, ChannelError> {
    let booking: Booking = read_json(raw.get(), place)?;
    let id = must_say(&booking.id, format!("{place}/id"))?;
    let status = match booking.status.as_str().unwrap_or_default() {
        "confirmed" => ReservationStatus::Confirmed,
        "cancelled" => ReservationStatus::Cancelled,
        other => ReservationStatus::Other(other.to_owned()),
    };
    let stay = nights(&booking.check_in, &booking.check_out, place)?;
    let currency = booking.currency.as_str();
    let mut rooms = Vec::with_capacity(booking.rooms.len());
    for (index, room) in booking.rooms.iter().enumerate() {
        rooms.push(room_stay(room, currency, &format!("{place}/rooms/{index}"))?);
    }
    if rooms.is_empty() && booking.room_type_id.as_str().is_some() {
        rooms.push(RoomStay { stay, ..RoomStay::new(booking.room_type_id.text()) });
    }
    let price_lines = booking.price_lines.iter().filter_map(|line| {
        let amount = sum(&line.amount, currency)?;
        Some(PriceLine { kind: kind(line.kind.as_str()), name: line.name.text().unwrap_or_default(), amount })
    });
    let record = Reservation {
        rooms,
        stay,
        price_lines: price_lines.collect(),
        ota_reference: booking.ota_reference.text(),
        group_id: booking.group_id.text(),
        property_id: booking.property_id.text(),
        source: booking.source.text(),
        guest: Some(guest(&booking.guest)).filter(|guest| !guest.is_unknown()),
        guests: booking.guests.count_or_note(format!("{place}/guests")),
        adults: booking.adults.count_or_note(format!("{place}/adults")),
        children: booking.children.count_or_note(format!("{place}/children")),
        infants: booking.infants.count_or_note(format!("{place}/infants")),
        pets: booking.pets.count_or_note(format!("{place}/pets")),
        total: sum(&booking.total_price, currency),
        commission: sum(&booking.commission, currency),
        payout: sum(&booking.payout, currency),
        payment_collected_by: booking.payment_collected_by.text().map(|word| match word.as_str() {
            "channel" => PaymentCollectedBy::Channel,
            "property" => PaymentCollectedBy::Property,
            _ => PaymentCollectedBy::Other(word),
        }),
        booked_at: booking.booked_at.text(),
        modified_at: booking.modified_at.text(),
        revision: booking.revision.text(),
        notes: booking.notes.text(),
        extra: extra(booking.extra.as_deref()),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, status)
    };
    Ok(change(None, ChangeKind::Reservation(record)))
}

fn nights(start: &Lenient, until: &Lenient, place: &str) -> Result<Option<Nights>, ChannelError> {
    let start = start.date(format_args!("{place}/checkIn"))?;
    let until = until.date(format_args!("{place}/checkOut"))?;
    Ok(start.zip(until).map(|(start, until)| Nights { start, until }))
}

fn room_stay(room: &Room, currency: Option<&str>, place: &str) -> Result<RoomStay, ChannelError> {
    Ok(RoomStay {
        id: room.id.text(),
        unit_id: room.unit_id.text(),
        rate_plan_id: room.rate_plan_id.text(),
        stay: nights(&room.check_in, &room.check_out, place)?,
        adults: room.adults.count_or_note(format_args!("{place}/adults")),
        children: room.children.count_or_note(format_args!("{place}/children")),
        total: sum(&room.total_price, currency),
        guest: Some(guest(&room.guest)).filter(|guest| !guest.is_unknown()),
        extra: extra(room.extra.as_deref()),
        ..RoomStay::new(room.room_type_id.text())
    })
}

fn guest(guest: &Guest) -> GuestDetails {
    let address = Address {
        street: guest.address.street.text(),
        city: guest.address.city.text(),
        country: guest.address.country.text(),
        ..Address::unknown()
    };
    GuestDetails {
        id: guest.id.text(),
        first_name: guest.first_name.text(),
        last_name: guest.last_name.text(),
        email: guest.email.text(),
        phone: guest.phone.text(),
        country: guest.country.text(),
        language: guest.language.text(),
        ..GuestDetails::unknown()
    }
    .living_at(address)
}

/// Keeps the amount as written, valid or not.
fn sum(said: &Lenient, currency: Option<&str>) -> Option<Money> {
    Some(money(said.text()?, currency))
}

fn kind(word: Option<&str>) -> PriceKind {
    match word {
        Some("stay") => PriceKind::Stay,
        Some("cleaning") => PriceKind::Cleaning,
        _ => PriceKind::Other,
    }
}

/// Keeps any value under one name.
fn extra(said: Option<&RawValue>) -> Vec<(String, String)> {
    said.map(|raw| ("said".to_owned(), raw.get().to_owned())).into_iter().collect()
}
