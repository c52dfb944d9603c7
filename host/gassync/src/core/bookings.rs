use gassync_domain::{AccountId, CoreId, Date, Reservation, Timestamp};

use super::ledger::{self, Opened, SoldOut};
use crate::store::{
    Result, Tx,
    core::{
        bookings::{self as rows, Booking, BookingRoom, RoomRow, Standing},
        units,
    },
    ledger::{Bucket, Span},
};

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

/// What becomes of a booking that there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It has happened: it is kept, marked as overbooked, and announced.
    Keep,
    /// It is asked for: it is refused, and nothing changes.
    Refuse,
}

/// What became of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is in the core.
    Booked {
        /// The booking.
        id: CoreId,
        /// The nights on which it is more than there is room for.
        overbooked: Vec<Date>,
    },
    /// There is no room for it.
    Refused(SoldOut),
    /// Its rooms have no dates or their units no property, which callers rule out before.
    Unplaceable,
}

/// Makes or changes a booking and what it takes of the ledger. A change of dates takes the new nights and frees the old
/// at once, or changes nothing. The transaction has said [`Tx::lock_ledger`].
pub async fn put_booking(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    bookable: &Bookable<'_>,
    when_full: WhenFull,
    now: Timestamp,
) -> Result<Placed> {
    let Some(booking) = booking(tx, account, bookable).await? else {
        return Ok(Placed::Unplaceable);
    };
    let wanted: Option<Vec<Span>> = booking.rooms.iter().map(BookingRoom::span).collect();
    let Some(wanted) = wanted else {
        return Ok(Placed::Unplaceable);
    };
    let after = Standing { status: booking.status.clone(), hold_until: booking.hold_until };
    let (before, rooms) = match known {
        Some(id) => (rows::standing(tx, account, id).await?, rows::rooms(tx, account, id).await?),
        None => (None, Vec::new()),
    };
    let has: Vec<Option<Span>> = rooms.iter().map(RoomRow::span).collect();
    let same_nights = has.iter().copied().eq(wanted.iter().copied().map(Some));
    if let (Some(id), Some(before), true) = (known, &before, same_nights)
        && same_claim(before, &after, now)
    {
        rows::update_booking(tx, account, id, &booking, now).await?;
        rows::update_rooms(tx, account, id, &booking.rooms, now).await?;
        let overbooked = rows::overbooked_nights(tx, account, id).await?;
        return Ok(Placed::Booked { id, overbooked });
    }

    let all: Vec<Span> = has.iter().flatten().chain(&wanted).copied().collect();
    let opened = Opened::new(tx, account, &all, now).await?;
    if when_full == WhenFull::Refuse {
        tx.savepoint("booking").await?;
    }
    for (room, span) in rooms.iter().zip(&has).filter_map(|(room, span)| Some((room.id, (*span)?))) {
        opened.release(tx, account, (room, span), now).await?;
    }
    let id = match known {
        Some(id) => rows::update_booking(tx, account, id, &booking, now).await.map(|()| id)?,
        None => rows::insert_booking(tx, account, &booking, now).await?,
    };
    let ids = rows::replace_rooms(tx, account, id, &booking.rooms, now).await?;
    let mut overbooked = Vec::new();
    if let Some(bucket) = ledger::bucket(&after, now) {
        for (room, span) in ids.into_iter().zip(wanted) {
            let nights = opened.take(tx, account, (room, span), bucket, now).await?;
            if !nights.is_empty() && when_full == WhenFull::Refuse {
                tx.undo_to("booking").await?;
                return Ok(Placed::Refused(SoldOut { unit: span.unit, nights }));
            }
            overbooked.extend(nights);
        }
    }
    if known.is_some() {
        opened.settle(tx, account, now).await?;
    }
    overbooked.sort_unstable();
    overbooked.dedup();
    Ok(Placed::Booked { id, overbooked })
}

/// Whether nothing of what a booking takes changes. A hold that ended may have lost its nights: it takes them anew.
fn same_claim(before: &Standing, after: &Standing, now: Timestamp) -> bool {
    match (ledger::bucket(before, now), ledger::bucket(after, now)) {
        (Some(Bucket::Sold), Some(Bucket::Sold)) => true,
        (Some(Bucket::Held), Some(Bucket::Held)) => before.hold_until == after.hold_until,
        (None, None) => before.status == after.status,
        _ => false,
    }
}

async fn booking(tx: &mut Tx, account: AccountId, bookable: &Bookable<'_>) -> Result<Option<Booking>> {
    let Bookable { reservation, units, guest } = bookable;
    let (Some(check_in), Some(check_out), Some(first)) = (reservation.check_in, reservation.check_out, units.first())
    else {
        return Ok(None);
    };
    let Some((property, currency)) = units::unit_home(tx, account, *first).await? else {
        return Ok(None);
    };
    let rooms = reservation.rooms.iter().zip(units.iter()).map(|(room, unit)| BookingRoom {
        unit: *unit,
        check_in: room.check_in.unwrap_or(check_in),
        check_out: room.check_out.unwrap_or(check_out),
        people: [room.guests, room.adults, room.children, room.infants],
        total_price: room.total_price,
    });
    Ok(Some(Booking {
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
        hold_until: reservation.hold_until,
        rooms: rooms.collect(),
    }))
}
