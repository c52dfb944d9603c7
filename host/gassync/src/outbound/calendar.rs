//! Pushes calendar nights whose state at the channel is not confirmed.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use gassync_domain::{
    Attempt, CalendarParts, CalendarUpdate, ChannelError, Date, Entity, PushSettings, Query, Selection, SyncEvent,
    Timestamp, utc_day,
};
use gassync_runtime::{CallError, CallRecord, Finished, Interface, Manifest};
use jiff::SignedDuration;

use super::{
    READ_BACK_AFTER,
    night_runs::{BatchOutcome, NightRun, RunResult, parts},
    push_tally::{self, PushTally},
    trusts_acknowledgements,
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    inbound::fetch,
    plugins,
    reconcile::desired::{self, Progress},
    schedule::{JobSpec, ReadBack, RetryParked},
    store::{
        self, closures,
        link_health::LinkOutcome,
        mappings,
        outbound::{
            nights::{self, NightKey, NightState, OutgoingNight, PushedNight},
            push_settings,
            targets::{PushTarget, PushTargets},
        },
        queue,
        sources::{self, Source},
        sync_log, sync_runs,
    },
};

/// Pending nights loaded for one call.
const NIGHTS_AT_ONCE: i64 = 4_000;
/// Default number of runs per call, if the plugin's manifest sets none.
const RUNS_AT_ONCE: usize = 100;
/// Calls per job; then the job yields to others and continues later.
const CALLS: u32 = 20;
/// A night that began this long ago is over in every time zone.
const OVER_EVERYWHERE: SignedDuration = SignedDuration::from_hours(36);
/// Maximum age of a channel reading that allows opening nights.
const READ_IS_GOOD_FOR: SignedDuration = SignedDuration::from_secs(10);

/// What is left to do after a push that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub enum PushProgress {
    /// Nothing.
    Complete,
    /// More nights are pending; continue at once.
    Partial,
    /// Nothing was pushed: the channel's own bookings must be imported first.
    BookingsUnread,
    /// Push again, after the channel's delay if it gave one; with the reason.
    Retry(Option<SignedDuration>, String),
}

/// Computes invalidated nights and pushes pending ones. The channel is read before anything is written, so that nights
/// closed there by hand stay closed, and other manual changes are recorded before they are overwritten. If the reading
/// fails, nights are still closed and priced, but none is opened.
pub async fn push(app: &Arc<App>, source: &Source, tally: &mut PushTally) -> Result<PushProgress, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let can_read = session.plugin.exports().contains(&Interface::Pull);
    let (mut read, mut unreadable): (Option<ChannelReading>, Option<ChannelCallError>) = (None, None);
    for _ in 0..CALLS {
        let mut tx = app.db.write(source.account).await?;
        let pushing = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default();
        let pushing = pushing.under(source.push_authority());
        if !bookings_are_imported(&mut tx, source, session.plugin.manifest()).await? {
            return Ok(PushProgress::BookingsUnread);
        }
        let targets;
        (tx, targets) = compute_all(app, source, (&session, &pushing), tx).await?;
        let PendingRuns { runs, is_all } =
            pending_runs(&mut tx, source, (&session, &pushing, targets), app.now()).await?;
        let is_read = |run: &NightRun| read.as_ref().is_some_and(|read| read.covers(run, app.now()));
        let (mut sure, unread): (Vec<NightRun>, Vec<NightRun>) =
            runs.into_iter().partition(|run| !can_read || is_read(run));
        if !unread.is_empty() && unreadable.is_none() {
            tx.commit().await?;
            match ChannelReading::of(app, source, &unread).await {
                Ok(reading) => read = reading,
                Err(error) => unreadable = Some(error),
            }
            continue;
        }
        sure.extend(unread.into_iter().filter(|run| !run.may_open()));
        let sent: Vec<OutgoingNight<'_>> = sure.iter().flat_map(NightRun::outgoing).collect();
        nights::mark_in_doubt(&mut tx, source.key(), &sent, app.now()).await?;
        tx.commit().await?;
        if !sure.is_empty()
            && let later @ PushProgress::Retry(..) =
                send(&session, &sure, trusts_acknowledgements(&session, &pushing), tally).await?
        {
            return Ok(later);
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        // Any change that makes another night pending enqueues this job again.
        if is_all {
            return Ok(PushProgress::Complete);
        }
    }
    Ok(PushProgress::Partial)
}

/// Computes all invalidated nights, one room type per transaction; returns the push targets.
async fn compute_all(
    app: &App,
    source: &Source,
    (session, pushing): (&ChannelSession<'_>, &PushSettings),
    mut tx: store::Tx,
) -> store::Result<(store::Tx, PushTargets)> {
    let mut targets = PushTargets::new(source.key());
    while desired::compute_invalidated(&mut tx, source, (pushing, session.plugin.manifest(), &mut targets), app.now())
        .await?
        == Progress::Partial
    {
        tx.commit().await?;
        tx = app.db.write(source.account).await?;
        // Links may have changed since.
        targets = PushTargets::new(source.key());
    }
    Ok((tx, targets))
}

/// A reading of the channel's calendar, taken before nights are opened.
struct ChannelReading {
    /// When the reading was complete. Not when it began, otherwise a slow channel would never be pushed to.
    read_at: Timestamp,
    /// The room type that was read; `None` means all.
    room_type_id: Option<String>,
    first: Date,
    last: Date,
}

impl ChannelReading {
    /// Reads the nights of these runs in one request, which may return more.
    async fn of(app: &Arc<App>, source: &Source, runs: &[NightRun]) -> Result<Option<Self>, ChannelCallError> {
        let spans = || runs.iter().filter_map(NightRun::span);
        let (Some(first), Some(last)) = (spans().map(|span| span.0).min(), spans().map(|span| span.1).max()) else {
            return Ok(None);
        };
        let rooms: BTreeSet<&str> = runs.iter().map(|run| run.target.room_type_id.as_str()).collect();
        let one = if rooms.len() == 1 { rooms.first().map(|id| (*id).to_owned()) } else { None };
        let until = last.tomorrow().unwrap_or(last);
        let selection = Selection::Within { start: first, until };
        let query = Query { room_type_id: one.clone(), ..Query::new(Entity::Calendar, selection) };
        match fetch::run(app, source, query).await {
            // A channel without calendar reads is trusted.
            Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => {}
            read => drop(read?),
        }
        Ok(Some(Self { read_at: app.now(), room_type_id: one, first, last }))
    }

    fn covers(&self, run: &NightRun, now: Timestamp) -> bool {
        let is_fresh = now.duration_since(self.read_at) <= READ_IS_GOOD_FOR;
        let is_room = self.room_type_id.as_ref().is_none_or(|id| *id == run.target.room_type_id);
        is_fresh && is_room && run.span().is_some_and(|(first, last)| self.first <= first && last <= self.last)
    }
}

/// True if the channel's bookings were imported completely, and none is waiting for a new link.
pub(super) async fn bookings_are_imported(
    tx: &mut store::Tx,
    source: &Source,
    manifest: &Manifest,
) -> store::Result<bool> {
    if !source.direction.is_inward() {
        // An outbound-only source imports no bookings.
        return Ok(true);
    }
    if queue::is_enqueued(tx, &RetryParked {}.of(source.key())).await? {
        return Ok(false);
    }
    let Some(poll) = manifest.polls.iter().find(|poll| poll.entity == Entity::Reservation) else { return Ok(true) };
    if poll.window.is_some() || poll.queue.is_some() {
        // Such a poll has no cursor.
        return sync_runs::any_success(tx, source.key(), sync_runs::SyncRunKind::BookingImport).await;
    }
    Ok(sources::resume_point(tx, source.key(), Entity::Reservation.as_str()).await?.is_some())
}

/// Pending nights that have a target.
struct DueNights {
    nights: Vec<NightState>,
    /// True if no other night is pending.
    is_all: bool,
}

/// Loads pending nights and their targets. Nights that are over or have no target are removed.
async fn due_nights(
    tx: &mut store::Tx,
    source: &Source,
    targets: &mut PushTargets,
    over: Date,
) -> store::Result<DueNights> {
    let mut due = nights::pending(tx, source.key(), NIGHTS_AT_ONCE).await?;
    let is_all = i64::try_from(due.len()).is_ok_and(|nights| nights < NIGHTS_AT_ONCE);
    if due.iter().any(|known| known.key.night < over) {
        nights::delete_before(tx, source.key(), over).await?;
        due.retain(|known| known.key.night >= over);
    }
    let rows: BTreeSet<i64> = due.iter().map(|known| known.key.room_type).collect();
    targets.load(tx, rows).await?;
    let (due, nowhere): (Vec<NightState>, Vec<NightState>) =
        due.into_iter().partition(|known| target_of(targets, &known.key).is_some());
    let nowhere: BTreeSet<i64> = nowhere.iter().map(|known| known.key.room_type).collect();
    for row in nowhere {
        let plans = targets.get(row).iter().map(|target| target.rate_plan_id.as_str());
        nights::retire_all_but(tx, source.key(), row, &Vec::from_iter(plans)).await?;
    }
    Ok(DueNights { nights: due, is_all })
}

fn target_of<'a>(targets: &'a PushTargets, key: &NightKey) -> Option<&'a PushTarget> {
    targets.get(key.room_type).iter().find(|target| target.rate_plan_id == key.rate_plan_id)
}

/// The next runs to push.
struct PendingRuns {
    runs: Vec<NightRun>,
    /// True if no other night is pending.
    is_all: bool,
}

/// Groups pending nights into runs with the same changes. A night of which nothing may be pushed is settled.
async fn pending_runs(
    tx: &mut store::Tx,
    source: &Source,
    (session, pushing, mut targets): (&ChannelSession<'_>, &PushSettings, PushTargets),
    now: Timestamp,
) -> store::Result<PendingRuns> {
    let over = utc_day(now - OVER_EVERYWHERE);
    let due = due_nights(tx, source, &mut targets, over).await?;
    let closed = closures::of_source(tx, source.key(), over).await?;
    let closed: HashSet<(i64, Date)> =
        closed.iter().filter(|closed| closed.is_by_hand()).map(|closed| (closed.room_type, closed.night)).collect();
    let most = session.plugin.manifest().batches.calendar.map_or(RUNS_AT_ONCE, |batch| batch.items.max(1) as usize);
    let mut pending = PendingRuns { runs: Vec::new(), is_all: due.is_all };
    let mut settled: Vec<NightState> = Vec::new();
    for known in due.nights {
        let Some(target) = target_of(&targets, &known.key) else { continue };
        if known.key.night < desired::horizon(target, pushing, now).0 {
            continue; // Over at the channel, which may reject the whole push for it.
        }
        let is_closed = closed.contains(&(known.key.room_type, known.key.night));
        let parts = parts(&known, pushing, is_closed);
        if !desired::any_part(parts) {
            // Closed at the channel by hand, and nothing that may be pushed has changed.
            let (confirmed, state) = (Some(known.wanted.clone()), known.state.after(SyncEvent::Known));
            settled.push(NightState { confirmed, state, ..known });
        } else if !pending.add(target, parts, known, most) {
            pending.is_all = false;
            break;
        }
    }
    nights::upsert(tx, source.key(), &settled, now).await?;
    Ok(pending)
}

impl PendingRuns {
    /// Adds a night to the last run, or to a new one; false if that would be one run too many.
    fn add(&mut self, target: &PushTarget, parts: CalendarParts, known: NightState, most: usize) -> bool {
        let goes_on = |run: &&mut NightRun| run.target == *target && run.parts == parts && run.continues(&known);
        if let Some(run) = self.runs.last_mut().filter(goes_on) {
            run.nights.push(known);
        } else if self.runs.len() < most {
            self.runs.push(NightRun { target: target.clone(), parts, nights: vec![known] });
        } else {
            return false;
        }
        true
    }
}

/// Pushes these runs in one call, and records the results.
async fn send(
    session: &ChannelSession<'_>,
    runs: &[NightRun],
    is_trusted: bool,
    tally: &mut PushTally,
) -> Result<PushProgress, ChannelCallError> {
    let ChannelSession { app, source, plugin, .. } = session;
    let may_be_there = runs.iter().flat_map(|run| &run.nights).any(|known| known.state.in_doubt);
    let attempt = if may_be_there { Attempt::AfterUnknown } else { Attempt::First };
    let updates: Vec<CalendarUpdate> = runs.iter().map(NightRun::update).collect();
    let (call, secrets, place) = session.call(format!("calendar-{}", source.id), Arc::new(session.network()?)).await?;
    let Finished { result, record } = plugin.push_calendar(call, updates, attempt).await;
    drop(place);
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let rooms = runs.iter().map(|run| (mappings::EntityKind::RoomType, run.target.room_type_id.as_str()));
            tally.failed(app, (runs.iter().map(|run| run.nights.len()).sum(), &Vec::from_iter(rooms)), &error).await?;
            return Err(session.failed(error, record, secrets).await?);
        }
    };
    let mut batch = BatchOutcome { is_trusted, ..BatchOutcome::default() };
    runs.iter().zip(&outcomes).for_each(|(run, outcome)| batch.add(run, outcome));
    let links = batch.link_results(tally, runs);
    record_batch(session, &batch, record, &links).await?;
    Ok(batch.later.map_or(PushProgress::Partial, |(wait, why)| PushProgress::Retry(wait, why)))
}

/// Records the results of one call, and enqueues a read-back of what must be read back.
async fn record_batch(
    session: &ChannelSession<'_>,
    batch: &BatchOutcome<'_>,
    record: CallRecord,
    links: &[LinkOutcome<'_>],
) -> store::Result<()> {
    let ChannelSession { app, source, connection, plugin } = session;
    let now = app.now();
    let pushed: Vec<PushedNight<'_>> = batch.results.iter().flat_map(RunResult::pushed).collect();
    let opened: Vec<&NightKey> = batch.opened().collect();
    let lines: Vec<sync_log::NewSyncLogLine<'_>> =
        batch.results.iter().filter_map(|result| result.line(source)).collect();
    let mut tx = app.db.write(source.account).await?;
    nights::record_results(&mut tx, source.key(), &pushed, now).await?;
    nights::clear_closed_by_us(&mut tx, source.key(), &opened).await?;
    sync_log::outbound(&mut tx, source.account, &lines, now).await?;
    plugins::keep_call(&app.vault, &mut tx, (source.account, *connection), (plugin, &record, None), now).await?;
    plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
    if batch.is_to_be_read_back() {
        queue::enqueue(&mut tx, &[ReadBack {}.of(source.key()).after(READ_BACK_AFTER)], now).await?;
    }
    push_tally::record(&mut tx, source, links, now).await?;
    tx.commit().await
}
