//! Compares our reservations that a channel shows with what was pushed.

use gassync_domain::{CoreId, Entity, Reservation, SourceKey, SyncEvent, SyncStatus, Timestamp, referenced};
use jiff::SignedDuration;

use crate::{
    schedule::{JobSpec, PushBooking, Refetch},
    store::{
        self, Tx,
        core::booking_snapshots::booking_snapshots,
        outbound::{
            bookings::{self, PushedReservation, ReservationSyncState},
            external_ids::{self, ExternalIdAssignment},
        },
        queue,
        sources::Source,
    },
};

/// When a record is read again that came during a push of the same reference.
const AFTER_THE_PUSH: SignedDuration = SignedDuration::from_mins(2);

/// Finds our booking by the reference on a channel's reservation, if its push is in doubt; links the two if it has no external id
/// yet. One that has is being made anew there: the push that is under way tells its new id, and the record is read again after it, in
/// case it is somebody else's.
pub async fn match_by_reference(
    tx: &mut Tx,
    source: SourceKey,
    reservation: &Reservation,
    now: Timestamp,
) -> store::Result<Option<CoreId>> {
    let said = reservation.extra.get("reference").and_then(|reference| reference.as_str());
    let Some(booking) = said.and_then(|reference| referenced(source.account, reference)) else { return Ok(None) };
    let Some(sync_state) = bookings::get(tx, source, booking).await? else { return Ok(None) };
    // Anyone can set a reference, so only a push in doubt may match.
    if !sync_state.state.in_doubt {
        return Ok(None);
    }
    if sync_state.external_id.is_none() {
        let link = ExternalIdAssignment { booking, external_id: &reservation.id, replaces: None };
        external_ids::assign(tx, source, &[link], now).await?;
        return Ok(Some(booking));
    }
    // Nothing is sent any more of a push that was rejected.
    if sync_state.state.status != SyncStatus::Pending {
        return Ok(None);
    }
    let again = Refetch::record(Entity::Reservation, &reservation.id).of(source).after(AFTER_THE_PUSH);
    queue::enqueue(tx, &[again], now).await?;
    Ok(Some(booking))
}

/// Compares a shown reservation with what was pushed: confirms it if they agree, otherwise pushes again.
pub async fn verify(
    tx: &mut Tx,
    source: SourceKey,
    (booking, shown): (CoreId, &Reservation),
    (observed_at, now): (Timestamp, Timestamp),
) -> store::Result<()> {
    let Some(sync_state) = bookings::get(tx, source, booking).await? else { return Ok(()) };
    let was_pushed_before = sync_state.sent_at.is_some_and(|at| Timestamp::from(at) < observed_at);
    // The core owns its bookings: changes made at the channel are overwritten.
    if !matches!(sync_state.state.status, SyncStatus::Unconfirmed | SyncStatus::Confirmed) || !was_pushed_before {
        return Ok(());
    }
    let Some(snapshot) = booking_snapshots(tx, source.account, &[booking]).await?.remove(&booking) else {
        return Ok(());
    };
    // A booking moved to rooms unknown to the channel does not exist there.
    let rooms = external_ids::by_units(tx, source, &snapshot.units).await?;
    let holds = |reservation: &Reservation| reservation.status.holds_nights();
    let stands = holds(&snapshot.reservation) && snapshot.units.iter().any(|unit| rooms.contains_key(unit));
    let stay = |reservation: &Reservation| (reservation.check_in, reservation.check_out);
    let agrees = holds(shown) == stands && (!stands || stay(shown) == stay(&snapshot.reservation));
    if agrees && sync_state.state.status == SyncStatus::Confirmed {
        return Ok(());
    }
    if agrees {
        let mark = PushedReservation::sent_last(&sync_state, SyncEvent::Shown, None);
        return bookings::record_results(tx, source, &[mark], now).await;
    }
    record_mismatch(tx, source, &sync_state, now).await
}

/// Records a mismatch and pushes again, or rejects after too many mismatches.
async fn record_mismatch(
    tx: &mut Tx,
    source: SourceKey,
    sync_state: &ReservationSyncState,
    now: Timestamp,
) -> store::Result<()> {
    let why = "the channel acknowledged it and shows something else";
    let mark = PushedReservation::sent_last(sync_state, SyncEvent::NotShown, Some(why));
    bookings::record_results(tx, source, &[mark], now).await?;
    if sync_state.state.after(SyncEvent::NotShown).status == SyncStatus::Rejected {
        return Ok(());
    }
    queue::enqueue(tx, &[PushBooking { booking: CoreId(sync_state.booking_id) }.of(source)], now).await
}

/// The channel's room ids of a reservation awaiting confirmation; `None` for any other.
pub async fn rooms_awaiting_confirmation(tx: &mut Tx, source: &Source, id: &str) -> store::Result<Option<Vec<String>>> {
    let account = source.account;
    let called = external_ids::bookings_by_external_id(tx, source.key(), &[id.to_owned()]).await?;
    let Some((booking, _)) = called.into_iter().next() else { return Ok(None) };
    let sync_state = bookings::get(tx, source.key(), booking).await?;
    if sync_state.is_none_or(|sync_state| sync_state.state.status != SyncStatus::Unconfirmed) {
        return Ok(None);
    }
    let snapshot = booking_snapshots(tx, account, &[booking]).await?.remove(&booking);
    let units = snapshot.map(|snapshot| snapshot.units).unwrap_or_default();
    let rooms = external_ids::by_units(tx, source.key(), &units).await?;
    Ok(Some(rooms.into_values().map(|name| name.room_type_id).collect()))
}

/// Handles reservations the channel no longer returns. A cancelled one is confirmed; any other is looked up and created
/// again.
pub async fn handle_missing(tx: &mut Tx, source: &Source, ids: &[String], now: Timestamp) -> store::Result<()> {
    for (booking, id) in external_ids::bookings_by_external_id(tx, source.key(), ids).await? {
        let sync_state = bookings::get(tx, source.key(), booking).await?;
        let Some(sync_state) = sync_state.filter(|sync_state| sync_state.state.status == SyncStatus::Unconfirmed)
        else {
            continue;
        };
        let snapshot = booking_snapshots(tx, source.account, &[booking]).await?.remove(&booking);
        if snapshot.is_none_or(|snapshot| !snapshot.reservation.status.holds_nights()) {
            let mark = PushedReservation::sent_last(&sync_state, SyncEvent::Gone, None);
            bookings::record_results(tx, source.key(), &[mark], now).await?;
            continue;
        }
        external_ids::unassign(tx, source.key(), &id).await?;
        let why = "the channel acknowledged it and does not have it";
        let mark = PushedReservation::sent_last(&sync_state, SyncEvent::Missing, Some(why));
        bookings::record_results(tx, source.key(), &[mark], now).await?;
        queue::enqueue(tx, &[PushBooking { booking }.of(source.key())], now).await?;
    }
    Ok(())
}
