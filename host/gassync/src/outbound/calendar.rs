//! Pushes calendar nights whose state at the channel is not confirmed.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use gassync_domain::{
    Attempt, Calendar, CalendarParts, CalendarUpdate, ChannelError, Date, Entity, Outcome, PushSettings, Query,
    Selection, Timestamp,
};
use gassync_runtime::{CallError, Finished, Interface, Manifest};
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::json;

use super::{
    describe_errors, describe_unclear,
    push_tally::{self, PushTally, RecordResult},
    trusts_acknowledgements,
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    inbound::fetch,
    plugins,
    reconcile::desired::{self, Progress},
    schedule::JobKind,
    store::{
        self, closures,
        link_health::LinkOutcome,
        mappings,
        outbound::{
            SyncStatus,
            nights::{self, NightKey, NightPushResult, NightState, OutgoingNight, PushedNight},
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
/// Delay between a push and its read-back, so that several nights share one read-back.
const READ_BACK_AFTER: SignedDuration = SignedDuration::from_secs(5);

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

/// Consecutive nights with the same desired values.
struct NightRun {
    target: PushTarget,
    parts: CalendarParts,
    nights: Vec<NightState>,
}

/// Computes invalidated nights and pushes pending ones. The channel is read before anything is written, so that nights
/// closed there by hand stay closed, and other manual changes are recorded before they are overwritten. If the reading
/// fails, nights are still closed and priced, but none is opened.
pub async fn push(app: &Arc<App>, source: &Source, tally: &mut PushTally) -> Result<PushProgress, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let can_read = session.plugin.exports().contains(&Interface::Pull);
    let (mut read, mut unreadable): (Option<ChannelReading>, Option<ChannelCallError>) = (None, None);
    for _ in 0..CALLS {
        let lane = app.connection_lock(session.connection).await;
        let one_at_a_time = lane.lock().await;
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
            // `fetch::run` takes the connection's lock itself.
            drop(one_at_a_time);
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
    if queue::is_enqueued(tx, source.key(), JobKind::RetryParked.name(), &json!({})).await? {
        return Ok(false);
    }
    let Some(poll) = manifest.polls.iter().find(|poll| poll.entity == Entity::Reservation) else { return Ok(true) };
    if poll.window.is_some() || poll.queue.is_some() {
        // Such a poll has no cursor.
        return sync_runs::any_success(tx, source.key(), sync_runs::SyncRunKind::BookingImport).await;
    }
    Ok(sources::resume_point(tx, source.key(), Entity::Reservation.as_str()).await?.is_some())
}

/// The next runs to push.
struct PendingRuns {
    runs: Vec<NightRun>,
    /// True if no other night is pending.
    is_all: bool,
}

/// Groups pending nights into runs with the same changes. Nights that are over or have no target are deleted.
async fn pending_runs(
    tx: &mut store::Tx,
    source: &Source,
    (session, pushing, mut targets): (&ChannelSession<'_>, &PushSettings, PushTargets),
    now: Timestamp,
) -> store::Result<PendingRuns> {
    let mut due = nights::pending(tx, source.key(), NIGHTS_AT_ONCE).await?;
    let mut is_all = i64::try_from(due.len()).is_ok_and(|nights| nights < NIGHTS_AT_ONCE);
    let over = (now - OVER_EVERYWHERE).to_zoned(TimeZone::UTC).date();
    if due.iter().any(|known| known.key.night < over) {
        nights::delete_before(tx, source.key(), over).await?;
        due.retain(|known| known.key.night >= over);
    }
    let rows: BTreeSet<i64> = due.iter().map(|known| known.key.room_type).collect();
    targets.load(tx, rows).await?;
    let target_of =
        |key: &NightKey| targets.get(key.room_type).iter().find(|target| target.rate_plan_id == key.rate_plan_id);
    let nowhere: BTreeSet<i64> =
        due.iter().map(|known| &known.key).filter(|p| target_of(p).is_none()).map(|p| p.room_type).collect();
    for row in nowhere {
        let plans = targets.get(row).iter().map(|target| target.rate_plan_id.as_str());
        nights::retire_all_but(tx, source.key(), row, &Vec::from_iter(plans)).await?;
    }
    let closed = closures::of_source(tx, source.key(), over).await?;
    let closed: HashSet<(i64, Date)> =
        closed.iter().filter(|closed| closed.is_by_hand()).map(|closed| (closed.room_type, closed.night)).collect();
    let mut settled: Vec<NightState> = Vec::new();
    let most = session.plugin.manifest().batches.calendar.map_or(RUNS_AT_ONCE, |batch| batch.items.max(1) as usize);
    let mut runs: Vec<NightRun> = Vec::new();
    for known in due {
        let Some(target) = target_of(&known.key) else { continue };
        if known.key.night < desired::horizon(target, pushing, now).0 {
            continue; // Over at the channel, which may reject the whole push for it.
        }
        let is_closed = closed.contains(&(known.key.room_type, known.key.night));
        let parts = parts(&known, pushing, is_closed);
        if !desired::any_part(parts) {
            // Closed at the channel by hand, and nothing that may be pushed has changed.
            settled.push(NightState { confirmed: Some(known.wanted.clone()), state: SyncStatus::Confirmed, ..known });
            continue;
        }
        let goes_on = |run: &&mut NightRun| run.target == *target && run.parts == parts && run.continues(&known);
        if let Some(run) = runs.last_mut().filter(goes_on) {
            run.nights.push(known);
        } else if runs.len() < most {
            runs.push(NightRun { target: target.clone(), parts, nights: vec![known] });
        } else {
            is_all = false;
            break;
        }
    }
    nights::upsert(tx, source.key(), &settled, now).await?;
    Ok(PendingRuns { runs, is_all })
}

pub(crate) fn is_for_sale(known: &NightState) -> bool {
    desired::parse(&known.wanted).is_some_and(|night| night.sellable() > 0)
}

/// The changed parts of a night; all parts if the channel's state is in doubt. For a night closed there by hand, only
/// the price.
fn parts(known: &NightState, pushing: &PushSettings, is_closed: bool) -> CalendarParts {
    let is_sure =
        !known.in_doubt && known.mismatch_count == 0 && (known.sent.is_none() || known.sent == known.confirmed);
    let has = known.confirmed.as_deref().filter(|_| is_sure).and_then(desired::parse);
    let all = CalendarParts::default();
    let wanted = desired::parse(&known.wanted);
    let new = wanted.as_ref().map_or(all, |wanted| wanted.diff(has.as_ref()));
    let new_parts = desired::intersect(new, desired::pushed_parts(pushing));
    if is_closed {
        return desired::without_sale_and_rules(new_parts);
    }
    // A forced push: send all parts, even unchanged.
    if desired::any_part(new_parts) { new_parts } else { desired::intersect(all, desired::pushed_parts(pushing)) }
}

async fn send(
    session: &ChannelSession<'_>,
    runs: &[NightRun],
    trusts_acknowledgements: bool,
    tally: &mut PushTally,
) -> Result<PushProgress, ChannelCallError> {
    let ChannelSession { app, source, connection, plugin } = session;
    let may_be_there = runs.iter().flat_map(|run| &run.nights).any(|known| known.in_doubt);
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
    let now = app.now();
    let mut batch = BatchOutcome { trusts_acknowledgements, ..BatchOutcome::default() };
    runs.iter().zip(&outcomes).for_each(|(run, outcome)| batch.add(run, outcome));
    let links = batch.link_results(tally, runs);
    let pushed: Vec<PushedNight<'_>> =
        batch.results.iter().flat_map(|(run, result, error)| run.pushed(*result, error.as_deref())).collect();
    let opened: Vec<&NightKey> = batch.opened().collect();
    let lines: Vec<sync_log::NewSyncLogLine<'_>> =
        batch.results.iter().filter_map(|(run, result, error)| run.line(source, *result, error.as_deref())).collect();
    let mut tx = app.db.write(source.account).await?;
    nights::record_results(&mut tx, source.key(), &pushed, now).await?;
    nights::clear_closed_by_us(&mut tx, source.key(), &opened).await?;
    sync_log::outbound(&mut tx, source.account, &lines, now).await?;
    plugins::keep_call(&app.vault, &mut tx, (source.account, *connection), (plugin, &record, None), now).await?;
    plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
    if batch.to_read_back {
        read_back_later(&mut tx, source, now).await?;
    }
    push_tally::record(&mut tx, source, &links, now).await?;
    tx.commit().await?;
    Ok(batch.later.map_or(PushProgress::Partial, |(wait, why)| PushProgress::Retry(wait, why)))
}

/// Enqueues a read-back of what was sent.
async fn read_back_later(tx: &mut store::Tx, source: &Source, now: Timestamp) -> store::Result<()> {
    let source_key = source.key();
    queue::enqueue(tx, &[JobKind::ReadBack.job(source_key, json!({}), (now + READ_BACK_AFTER, now))], now).await
}

/// Results of the runs of one call.
#[derive(Default)]
struct BatchOutcome<'a> {
    /// Acknowledged nights count as confirmed.
    trusts_acknowledgements: bool,
    results: Vec<(&'a NightRun, NightPushResult, Option<String>)>,
    to_read_back: bool,
    /// Something must be pushed again: the channel's delay if it gave one, and the reason.
    later: Option<(Option<SignedDuration>, String)>,
}

impl<'a> BatchOutcome<'a> {
    /// Nights that the channel surely sells now: no closing word of ours is left there, though no reading shows it.
    fn opened(&self) -> impl Iterator<Item = &'a NightKey> {
        let confirmed = self.results.iter().filter(|(_, result, _)| *result == NightPushResult::Confirmed);
        let nights = confirmed.filter(|(run, ..)| run.says_sale()).flat_map(|(run, ..)| &run.nights);
        nights.filter(|night| is_for_sale(night)).map(|night| &night.key)
    }

    fn add(&mut self, run: &'a NightRun, outcome: &Outcome) {
        let warned = |warnings: &[String]| (!warnings.is_empty()).then(|| warnings.join("; "));
        match outcome {
            Outcome::Accepted { confirmed: true, warnings, .. } if self.trusts_acknowledgements => {
                self.results.push((run, NightPushResult::Confirmed, warned(warnings)));
            }
            Outcome::Accepted { confirmed, warnings, .. } => {
                self.to_read_back = true;
                let result = if *confirmed { NightPushResult::Echoed } else { NightPushResult::Unconfirmed };
                self.results.push((run, result, warned(warnings)));
            }
            Outcome::Refused(errors) => {
                self.results.push((run, NightPushResult::Rejected, Some(describe_errors(errors))))
            }
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                self.retry(wait, "the channel asked for a retry".to_owned());
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => {
                self.retry(None, describe_unclear(outcome));
                self.results.push((run, NightPushResult::InDoubt, None));
            }
        }
    }

    /// Counts results, and returns the health of the room types' links.
    fn link_results(&self, tally: &mut PushTally, runs: &'a [NightRun]) -> Vec<LinkOutcome<'a>> {
        let nights: usize = runs.iter().map(|run| run.nights.len()).sum();
        let links = self.results.iter().map(|(run, result, error)| {
            let outcome = match result {
                NightPushResult::Confirmed => RecordResult::Confirmed,
                NightPushResult::Unconfirmed | NightPushResult::Echoed => RecordResult::Accepted,
                NightPushResult::Rejected => RecordResult::Rejected,
                NightPushResult::InDoubt => RecordResult::InDoubt,
            };
            tally.count(outcome, run.nights.len());
            let why = error.clone().unwrap_or_else(|| "in doubt: the channel may have it".to_owned());
            let stands_against = matches!(result, NightPushResult::Rejected | NightPushResult::InDoubt).then_some(why);
            LinkOutcome { kind: mappings::EntityKind::RoomType, id: &run.target.room_type_id, error: stands_against }
        });
        let links: Vec<LinkOutcome<'a>> = links.collect();
        let answered: usize = self.results.iter().map(|(run, ..)| run.nights.len()).sum();
        // Nights to be retried were sent, too.
        tally.count(RecordResult::InDoubt, nights.saturating_sub(answered));
        links
    }

    fn retry(&mut self, wait: Option<SignedDuration>, why: String) {
        let longest = self.later.take().and_then(|(wait, _)| wait).max(wait);
        self.later = Some((longest, why));
    }
}

impl NightRun {
    fn continues(&self, next: &NightState) -> bool {
        let follows = |last: &NightState| last.key.night.tomorrow().is_ok_and(|day| day == next.key.night);
        self.nights.last().is_some_and(|last| follows(last) && last.wanted == next.wanted)
    }

    fn update(&self) -> CalendarUpdate {
        let night = |known: &NightState| Some(desired::parse(&known.wanted)?.into_calendar_night(known.key.night));
        CalendarUpdate {
            calendar: Calendar {
                property_id: self.target.property_id.clone(),
                room_type_id: self.target.room_type_id.clone(),
                rate_plan_id: Some(self.target.rate_plan_id.clone()).filter(|id| !id.is_empty()),
                nights: self.nights.iter().filter_map(night).collect(),
            },
            changed: self.parts,
        }
    }

    /// True if pushing this run may open nights closed at the channel.
    fn may_open(&self) -> bool {
        self.says_sale() && self.nights.iter().any(is_for_sale)
    }

    /// True if the push changes availability. Rules count, because some channels use one flag for both.
    fn says_sale(&self) -> bool {
        self.parts.availability || self.parts.rules
    }

    fn outgoing(&self) -> impl Iterator<Item = OutgoingNight<'_>> {
        self.nights.iter().map(|known| {
            let closes = self.says_sale() && !is_for_sale(known);
            OutgoingNight { key: &known.key, value: &known.wanted, closes }
        })
    }

    fn span(&self) -> Option<(Date, Date)> {
        Some((self.nights.first()?.key.night, self.nights.last()?.key.night))
    }

    fn pushed<'a>(&'a self, result: NightPushResult, error: Option<&'a str>) -> impl Iterator<Item = PushedNight<'a>> {
        self.nights.iter().map(move |known| PushedNight { key: &known.key, value: &known.wanted, result, error })
    }

    /// Audit trail line.
    fn line(
        &self,
        source: &Source,
        result: NightPushResult,
        error: Option<&str>,
    ) -> Option<sync_log::NewSyncLogLine<'_>> {
        let (first, last) = self.span()?;
        let nights = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let (status, message) = match (result, error) {
            (NightPushResult::Confirmed, None) => (sync_log::LogStatus::Success, nights),
            (NightPushResult::Confirmed, Some(warning)) => {
                (sync_log::LogStatus::Success, format!("{nights}: {warning}"))
            }
            (NightPushResult::Unconfirmed | NightPushResult::Echoed, None) => {
                (sync_log::LogStatus::Pending, format!("{nights}: awaiting read-back"))
            }
            (NightPushResult::Unconfirmed | NightPushResult::Echoed, Some(warning)) => {
                (sync_log::LogStatus::Pending, format!("{nights}: awaiting read-back; {warning}"))
            }
            (NightPushResult::Rejected, why) => {
                (sync_log::LogStatus::Failed, format!("{nights}: {}", why.unwrap_or("refused")))
            }
            (NightPushResult::InDoubt, _) => (sync_log::LogStatus::Pending, format!("{nights}: in doubt")),
        };
        Some(sync_log::NewSyncLogLine {
            source: source.id,
            entity_type: "availability",
            entity_id: &self.target.room_type_id,
            action: sync_log::LogAction::Push,
            status,
            message: Some(message),
        })
    }
}
