//! Reservations that a channel does not return although they were requested by id.
//!
//! One empty response may be a glitch. After two, ten minutes apart, the reservation is reported as missing, provided that the
//! connection still sees its room type. Its nights stay held; they are released automatically only if the plugin's manifest
//! declares that the channel answers every id. Failed requests do not count.

use std::sync::Arc;

use gassync_domain::{
    Change, ChangeKind, ChannelError, Completeness, Date, Entity, Query, Reservation, Selection, Status, Timestamp,
    today_at,
};
use gassync_runtime::CallError;
use jiff::SignedDuration;

use super::{
    apply::{self, IngestContext, IngestOutcome},
    fetch,
};
use crate::{
    app::App,
    channel::ChannelCallError,
    reconcile,
    schedule::{JobSpec, Refetch},
    store::{
        self, Tx,
        buffer::{reservations, room_types},
        missing, queue,
        sources::Source,
        sync_log,
    },
};

/// Delay between the first and the second read.
const SECOND_READ_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A room type observed within this time counts as visible.
const ROOM_SEEN_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// A reservation that the channel did not return.
struct Silent {
    /// The channel's ids of its room types.
    rooms: Vec<String>,
    /// True if a second read confirmed it.
    agrees: bool,
}

/// Records that a read of this reservation returned nothing.
pub(super) async fn record_absent(
    app: &Arc<App>,
    source: &Source,
    id: &str,
    asked_at: Timestamp,
) -> Result<(), ChannelCallError> {
    let mut tx = app.db.write(source.account).await?;
    let silent = record_read(&mut tx, source, id, asked_at, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    let Some(silent) = silent.filter(|silent| silent.agrees) else { return Ok(()) };
    if !sees_any_room(app, source, &silent.rooms).await? {
        tracing::warn!(source = %source.id, "missing reservation ignored: its room is not visible to the connection");
        return Ok(());
    }
    let answers_every_id = app.plugins.get(&source.source_type).is_some_and(|p| p.manifest().answers_every_id);
    let now = app.now();
    let mut tx = app.db.write_for(source.key()).await?;
    confirm(&mut tx, source, id, (asked_at, answers_every_id), now).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(())
}

/// Records a relevant miss: of a current stay that holds nights, or of a pushed booking that awaits confirmation. Returns
/// `None` for all others and if an operator has decided to keep it.
async fn record_read(
    tx: &mut Tx,
    source: &Source,
    id: &str,
    asked_at: Timestamp,
    now: Timestamp,
) -> store::Result<Option<Silent>> {
    let own = reconcile::reservation::rooms_awaiting_confirmation(tx, source, id).await?;
    let stay = missing::held_stay(tx, source.key(), id).await?;
    let is_current = |zone: Option<&str>, check_out: Date| check_out > today_at(now, zone);
    let stay = stay.filter(|stay| is_current(stay.time_zone.as_deref(), stay.check_out()));
    if own.is_none() && stay.is_none() {
        missing::delete(tx, source.key(), id).await?;
        return Ok(None);
    }
    let known = missing::find(tx, source.key(), id).await?;
    // The channel has shown it since: start counting again.
    let seen_at = stay.as_ref().map(missing::HeldStay::observed_at);
    let known = known.filter(|known| seen_at.is_none_or(|seen| seen <= known.first_missed_at.into()));
    let first = known.as_ref().map_or(asked_at, |known| known.first_missed_at.into());
    match &known {
        None => missing::record_first(tx, source.key(), id, asked_at).await?,
        Some(_) => missing::record_again(tx, source.key(), id, (asked_at, None)).await?,
    }
    let is_settled = known.is_some_and(|known| known.confirmed_at.is_some() || known.kept_at.is_some());
    let agrees = !is_settled && asked_at.duration_since(first) >= SECOND_READ_AFTER;
    if !is_settled && !agrees {
        let second = Refetch { again: true, ..Refetch::record(Entity::Reservation, id) };
        let second = second.of(source.key()).at(first + SECOND_READ_AFTER);
        queue::enqueue(tx, &[second], now).await?;
    }
    let rooms = match own {
        Some(rooms) => rooms,
        None => {
            let stored = reservations::find(tx, source.key(), id).await?;
            stored.map(|stored| rooms_of(&stored.record)).unwrap_or_default()
        }
    };
    Ok(Some(Silent { rooms, agrees }))
}

fn rooms_of(reservation: &Reservation) -> Vec<String> {
    let of_rooms = reservation.rooms.iter().filter_map(|room| room.room_type_id.clone());
    of_rooms.chain(reservation.room_type_id.clone()).collect()
}

/// True if the connection sees one of these room types. Fetches the content unless it is recent.
async fn sees_any_room(app: &Arc<App>, source: &Source, rooms: &[String]) -> Result<bool, ChannelCallError> {
    let asked_at = app.now();
    if seen_since(app, source, rooms, asked_at - ROOM_SEEN_WITHIN).await? {
        return Ok(true);
    }
    match fetch::run(app, source, Query::new(Entity::Property, Selection::Everything)).await {
        Ok(_) => Ok(seen_since(app, source, rooms, asked_at).await?),
        // Without a content query, the buffered room types count.
        Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => {
            Ok(seen_since(app, source, rooms, Timestamp::MIN).await?)
        }
        Err(error) => Err(error),
    }
}

async fn seen_since(app: &App, source: &Source, rooms: &[String], since: Timestamp) -> store::Result<bool> {
    let mut tx = app.db.read(source.account).await?;
    for room in rooms {
        let stored = room_types::shown(&mut tx, source.key(), room).await?;
        if stored.is_some_and(|stored| stored.version.observed_at >= since) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn confirm(
    tx: &mut Tx,
    source: &Source,
    id: &str,
    (asked_at, answers_every_id): (Timestamp, bool),
    now: Timestamp,
) -> store::Result<()> {
    let entry = sync_log::NewSyncLogLine {
        source: source.id,
        entity_type: "reservation",
        entity_id: id,
        action: sync_log::LogAction::Ask,
        status: sync_log::LogStatus::Pending,
        message: Some("the channel did not return it in two reads by id".to_owned()),
    };
    sync_log::inbound(tx, source.account, &[entry], now).await?;
    if reconcile::reservation::rooms_awaiting_confirmation(tx, source, id).await?.is_some() {
        missing::delete(tx, source.key(), id).await?;
        return reconcile::reservation::handle_missing(tx, source, &[id.to_owned()], now).await;
    }
    missing::record_again(tx, source.key(), id, (asked_at, Some(now))).await?;
    if answers_every_id {
        let context = IngestContext::from_source(source, now, now);
        resolve(tx, &context, id, true).await?;
    }
    Ok(())
}

/// Decides a missing reservation: cancel it, or keep it whatever the channel returns. Returns `None` if there is none. The
/// transaction must be opened for the source.
pub async fn resolve(
    tx: &mut Tx,
    context: &IngestContext,
    id: &str,
    cancel: bool,
) -> store::Result<Option<IngestOutcome>> {
    let IngestContext { now, .. } = *context;
    if missing::find(tx, context.key(), id).await?.is_none() {
        return Ok(None);
    }
    if !cancel {
        missing::record_kept(tx, context.key(), id, now).await?;
        return Ok(Some(IngestOutcome::Unchanged(None)));
    }
    let cancelled = Reservation { completeness: Completeness::Partial, ..Reservation::new(id, Status::Cancelled) };
    let change = Change::new(ChangeKind::Reservation(Box::new(cancelled)), None);
    // The decision is newer than anything observed.
    let context = IngestContext { observed_at: now, ..*context };
    let outcome = apply::changes(tx, &context, vec![change]).await?.pop();
    missing::delete(tx, context.key(), id).await?;
    Ok(outcome)
}
