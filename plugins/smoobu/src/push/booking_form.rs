//! Reservations and blocks as Smoobu writes them. Names differ from reading: `arrivalDate` is written and `arrival` is
//! read, and `location` is the city.

use gassync_plugin::{
    Address, Block, ChannelError, FieldError, GuestDetails, Nights, Reservation, ReservationStatus, to_date_text,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{blocks::BLOCKED_CHANNEL, calendar::json_number};
use crate::{mark, pull::number_of};

/// Where and when a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub apartment: u64,
    pub stay: Nights,
}

/// A new booking or block.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewBooking {
    arrival_date: String,
    departure_date: String,
    channel_id: u32,
    apartment_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    notice: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    adults: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<NewAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// What can be changed of a booking. Notes are excluded: our reference is among them.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangedBooking {
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adults: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    children: Option<u32>,
    #[serde(skip_serializing_if = "is_none")]
    price: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

/// A number with its digits, compared by them.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
struct Number(Option<Box<RawValue>>);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(|number| number.get()) == other.0.as_ref().map(|number| number.get())
    }
}

fn is_none(number: &Number) -> bool {
    number.0.is_none()
}

/// The apartment and the nights of a reservation. Smoobu sells one apartment per booking.
pub(crate) fn place(reservation: &Reservation) -> Result<Place, ChannelError> {
    let [room] = reservation.rooms.as_slice() else {
        let problem = match reservation.rooms.len() {
            0 => "is missing: the reservation names no room",
            _ => "is one only: Smoobu has no bookings of several apartments; their nights are closed",
        };
        return Err(rejected("/apartmentId", problem));
    };
    let id = room.room_type_id.as_deref().ok_or_else(|| rejected("/apartmentId", "is missing"))?;
    let stay = room.stay.or(reservation.stay).ok_or_else(|| rejected("/arrivalDate", "is missing"))?;
    at(id, stay)
}

pub(crate) fn place_of_block(block: &Block) -> Result<Place, ChannelError> {
    let id = match block.room_type_ids.as_slice() {
        [] => block.property_id.as_deref().ok_or_else(|| rejected("/apartmentId", "is missing"))?,
        [id] => id,
        _ => return Err(rejected("/apartmentId", "is one only: Smoobu has no blocks of several apartments")),
    };
    at(id, block.stay)
}

fn at(id: &str, stay: Nights) -> Result<Place, ChannelError> {
    let apartment = number_of(id).map_err(|_| rejected("/apartmentId", "is not a number"))?;
    if stay.start >= stay.until {
        return Err(rejected("/departureDate", "is not after the arrival"));
    }
    Ok(Place { apartment, stay })
}

pub(crate) fn new_booking(
    reservation: &Reservation,
    place: Place,
    (reference, channel_id): (&str, u32),
) -> Result<NewBooking, ChannelError> {
    if !matches!(
        reservation.status,
        ReservationStatus::Confirmed | ReservationStatus::NoShow | ReservationStatus::Pending(_)
    ) {
        return Err(rejected("/type", "is none that a new booking can have"));
    }
    let guest = guest(reservation);
    let address = guest.and_then(|guest| guest.address.as_ref());
    let country = guest.and_then(|guest| guest.country.clone());
    let (adults, children) = heads(reservation);
    Ok(NewBooking {
        channel_id,
        first_name: guest.and_then(|guest| guest.first_name.clone()),
        // A full name is not split by guessing.
        last_name: guest.and_then(|guest| guest.last_name.clone().or_else(|| guest.name.clone())),
        email: guest.and_then(|guest| guest.email.clone()),
        phone: guest.and_then(|guest| guest.phone.clone()),
        notice: mark::notice(reservation.notes.as_deref(), reference),
        adults,
        children,
        price: price(reservation)?,
        language: guest.and_then(|guest| guest.language.clone()),
        country: country.or_else(|| address?.country.clone()),
        address: address.and_then(new_address),
        ..at_place(place)
    })
}

pub(crate) fn new_block(block: &Block, place: Place, reference: &str) -> NewBooking {
    NewBooking {
        channel_id: BLOCKED_CHANNEL,
        notice: mark::notice(block.reason.as_deref(), reference),
        ..at_place(place)
    }
}

fn at_place(Place { apartment, stay }: Place) -> NewBooking {
    NewBooking {
        arrival_date: to_date_text(stay.start),
        departure_date: to_date_text(stay.until),
        apartment_id: apartment,
        ..NewBooking::default()
    }
}

fn new_address(address: &Address) -> Option<NewAddress> {
    let Address { street, city, postcode, .. } = address;
    let is_known = [street, city, postcode].iter().any(|line| line.is_some());
    is_known.then(|| NewAddress { street: street.clone(), postal_code: postcode.clone(), location: city.clone() })
}

pub(crate) fn changed_booking(reservation: &Reservation) -> Result<ChangedBooking, ChannelError> {
    let guest = guest(reservation);
    let (adults, children) = heads(reservation);
    Ok(ChangedBooking {
        guest_name: guest.and_then(whole_name),
        guest_email: guest.and_then(|guest| guest.email.clone()),
        guest_phone: guest.and_then(|guest| guest.phone.clone()),
        adults,
        children,
        price: Number(price(reservation)?),
        language: guest.and_then(|guest| guest.language.clone()),
    })
}

fn whole_name(guest: &GuestDetails) -> Option<String> {
    let parts: Vec<&str> = [&guest.first_name, &guest.last_name].into_iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { guest.name.clone() } else { Some(parts.join(" ")) }
}

fn guest(reservation: &Reservation) -> Option<&GuestDetails> {
    let of_room = reservation.rooms.first().and_then(|room| room.guest.as_ref());
    of_room.or(reservation.guest.as_ref())
}

/// Adults and children. Heads of unknown age count as adults.
fn heads(reservation: &Reservation) -> (Option<u32>, Option<u32>) {
    let room = reservation.rooms.first();
    let adults = room.and_then(|room| room.adults).or(reservation.adults);
    let guests = room.and_then(|room| room.guests).or(reservation.guests);
    (adults.or(guests), room.and_then(|room| room.children).or(reservation.children))
}

fn price(reservation: &Reservation) -> Result<Option<Box<RawValue>>, ChannelError> {
    let total = reservation.total.as_ref().or(reservation.rooms.first().and_then(|room| room.total.as_ref()));
    let Some(total) = total else { return Ok(None) };
    json_number(&total.amount).map(Some).ok_or_else(|| rejected("/price", "is no price"))
}

pub(crate) fn rejected(path: &str, problem: &str) -> ChannelError {
    ChannelError::Rejected(vec![FieldError::new(path, problem)])
}
