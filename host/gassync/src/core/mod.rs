//! The one hand that writes the core from inside this program.
//!
//! It takes records of the standard schema whose links are known and writes `gas_*` rows. It knows nothing of
//! channels, and the outbox is not its business: the database's triggers see to that, whoever writes.

use gassync_domain::{AccountId, CoreId, Guest, Property, Reservation, RoomType, Timestamp};

use crate::store::{
    Result, Tx,
    core::{self as rows, Booking, BookingRoom},
};

/// Makes or changes a property.
pub async fn put_property(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    property: &Property,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_property(tx, account, property, now).await,
        Some(id) => rows::update_property(tx, account, id, property, now).await.map(|()| id),
    }
}

/// Makes or changes a bookable unit of a property.
pub async fn put_unit(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    property: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_unit(tx, account, property, room_type, now).await,
        Some(id) => rows::update_unit(tx, account, id, room_type, now).await.map(|()| id),
    }
}

/// Makes or changes a guest.
pub async fn put_guest(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    guest: &Guest,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_guest(tx, account, guest, now).await,
        Some(id) => rows::update_guest(tx, account, id, guest, now).await.map(|()| id),
    }
}

/// A reservation whose every room is linked, with dates: what a booking can be made of.
#[derive(Debug)]
pub struct Bookable<'a> {
    /// The record, normalised and valid.
    pub reservation: &'a Reservation,
    /// The unit of each of its rooms, in their order.
    pub units: &'a [CoreId],
    /// Who booked.
    pub guest: Option<CoreId>,
}

/// Makes or changes a booking. None when the rooms have no dates or their units no property, which the caller has
/// ruled out before.
pub async fn put_booking(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    bookable: &Bookable<'_>,
    now: Timestamp,
) -> Result<Option<CoreId>> {
    let Bookable { reservation, units, guest } = bookable;
    let (Some(check_in), Some(check_out), Some(first)) = (reservation.check_in, reservation.check_out, units.first())
    else {
        return Ok(None);
    };
    let Some((property, currency)) = rows::unit_home(tx, account, *first).await? else {
        return Ok(None);
    };
    let rooms = reservation.rooms.iter().zip(units.iter()).map(|(room, unit)| BookingRoom {
        unit: *unit,
        check_in: room.check_in.unwrap_or(check_in),
        check_out: room.check_out.unwrap_or(check_out),
        people: [room.guests, room.adults, room.children, room.infants],
        total_price: room.total_price,
    });
    let booking = Booking {
        property,
        guest: *guest,
        status: reservation.status.clone(),
        check_in,
        check_out,
        people: [reservation.guests, reservation.adults, reservation.children, reservation.infants],
        total_price: reservation.total_price,
        // A booking that names no currency is in the property's.
        currency: reservation.currency.clone().or(currency).filter(|_| reservation.total_price.is_some()),
        notes: reservation.notes.clone(),
        rooms: rooms.collect(),
    };
    match known {
        None => rows::insert_booking(tx, account, &booking, now).await.map(Some),
        Some(id) => rows::update_booking(tx, account, id, &booking, now).await.map(|()| Some(id)),
    }
}
