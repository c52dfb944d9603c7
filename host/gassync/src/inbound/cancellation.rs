//! A cancellation releases the nights, whatever else is odd or missing in the record.

use gassync_domain::{CoreId, Date, MAX_STAY_NIGHTS, Missing, Parked, Reservation, Status, Stay, SyncStatus};

use super::{apply::IngestContext, parking::no_night_between};
use crate::store::{
    Result, Tx,
    core::{booking_snapshots::booking_snapshots, bookings::BookingState, units},
    outbound::bookings as sent,
};

/// True if a status ends a reservation before the stay.
pub(super) fn is_ended(status: &Status) -> bool {
    matches!(status, Status::Cancelled | Status::Declined)
}

fn is_stay(check_in: Option<Date>, check_out: Option<Date>) -> bool {
    let stay = check_in.zip(check_out).and_then(|(check_in, check_out)| Stay::spanning(check_in, check_out));
    stay.is_some_and(|stay| stay.nights() <= MAX_STAY_NIGHTS)
}

/// Replaces invalid dates and rooms of a cancellation by the stored ones, or removes them.
pub(super) fn complete(reservation: &mut Reservation, stored: Option<&Reservation>) {
    if !is_ended(&reservation.status) {
        return;
    }
    let rooms_are_stays = reservation.rooms.iter().all(|room| {
        let unsaid = room.check_in.is_none() && room.check_out.is_none();
        unsaid || is_stay(room.check_in, room.check_out)
    });
    let unsaid = reservation.check_in.is_none() && reservation.check_out.is_none();
    if rooms_are_stays && (unsaid || is_stay(reservation.check_in, reservation.check_out)) {
        return;
    }
    match stored {
        Some(stored) => copy_rooms(reservation, stored),
        None => {
            (reservation.check_in, reservation.check_out) = (None, None);
            for room in &mut reservation.rooms {
                (room.check_in, room.check_out) = (None, None);
            }
        }
    }
}

/// Copies dates and rooms from another record.
pub(super) fn copy_rooms(reservation: &mut Reservation, other: &Reservation) {
    (reservation.check_in, reservation.check_out) = (other.check_in, other.check_out);
    reservation.rooms.clone_from(&other.rooms);
    reservation.room_type_id.clone_from(&other.room_type_id);
}

/// The current booking with the ended status, and its units.
pub(super) async fn ended(
    tx: &mut Tx,
    context: &IngestContext,
    booking: CoreId,
    status: Status,
) -> Result<Option<(Reservation, Vec<CoreId>)>> {
    let snapshot = booking_snapshots(tx, context.account, &[booking]).await?.remove(&booking);
    Ok(snapshot
        .filter(|snapshot| !snapshot.units.is_empty())
        .map(|snapshot| (Reservation { status, ..snapshot.reservation }, snapshot.units)))
}

/// True if a stay without nights releases what it had: its arrival is today or past, by the record and by the booking.
pub(super) async fn is_over_without_nights(
    tx: &mut Tx,
    context: &IngestContext,
    (reservation, parked): (&Reservation, &Parked),
    (booking, units): (&Reservation, &[CoreId]),
) -> Result<bool> {
    if !parked.0.contains(&Missing::Nights) || !no_night_between(reservation.check_in, reservation.check_out) {
        return Ok(false);
    }
    let first: Vec<CoreId> = units.first().copied().into_iter().collect();
    let homes = units::homes(tx, context.account, &first).await?;
    let today = homes.values().next().map(|home| home.today(context.now));
    let arrival = reservation.check_in.max(booking.check_in);
    Ok(today.zip(arrival).is_some_and(|(today, arrival)| arrival <= today))
}

/// True if the booking was cancelled here and this record was observed before the channel confirmed the cancellation.
pub(super) async fn is_cancellation_unconfirmed(
    tx: &mut Tx,
    context: &IngestContext,
    (booking, state): (CoreId, &BookingState),
) -> Result<bool> {
    if state.status != Status::Cancelled {
        return Ok(false);
    }
    let Some(sent) = sent::get(tx, context.key(), booking).await? else { return Ok(false) };
    let was_there = sent.state.status == SyncStatus::Confirmed && !sent.state.in_doubt;
    let is_older = sent.confirmed_at.is_some_and(|at| context.observed_at < at.into());
    Ok(if was_there { is_older } else { sent.state.status != SyncStatus::Rejected })
}
