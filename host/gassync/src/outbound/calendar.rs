//! Sends what a channel does not surely have of a calendar.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use gassync_domain::{
    Attempt, Calendar, CalendarParts, CalendarUpdate, ChannelError, Date, Entity, Outcome, Pushing, Query, Selection,
    Timestamp,
};
use gassync_runtime::{CallError, Finished, Interface, Manifest};
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::json;

use super::{
    in_words, trusts, unclear,
    visit::{self, Came, Visit},
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    inbound::fetch,
    plugins,
    reconcile::desired::{self, Progress},
    schedule::Kind,
    store::{
        self, closures,
        link_health::LinkOutcome,
        mappings,
        outbound::{
            SyncStatus,
            nights::{self, AboutToSend, Known, Marked, NightPushResult, Place},
            pushing,
            targets::{Target, Targets},
        },
        queue,
        sources::{self, Source},
        sync_log, sync_runs,
    },
};

/// Nights that are looked at for one call.
const NIGHTS_AT_ONCE: i64 = 4_000;
/// Runs of nights sent in one call where the plugin's manifest does not say how many.
const RUNS_AT_ONCE: usize = 100;
/// Calls in one job; then others have their turn, and it comes again.
const CALLS: u32 = 20;
/// A night that began so long ago is over wherever the property is.
const OVER_EVERYWHERE: SignedDuration = SignedDuration::from_hours(36);
/// How long what was read of a channel is good for to open nights on.
const READ_IS_GOOD_FOR: SignedDuration = SignedDuration::from_secs(10);
/// How long after it was sent a night is read back, so that several are read together.
const READ_BACK_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// What is left to do after a job that did not fail.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// More of the same, at once.
    More,
    /// All of it: the channel's own bookings are to be read first.
    Unread,
    /// The channel is to be told again, after so long where it says, and why.
    Later(Option<SignedDuration>, String),
}

/// Nights that follow each other and are to be the same.
struct Run {
    target: Target,
    parts: CalendarParts,
    nights: Vec<Known>,
}

/// Reckons what was touched, and sends what is due. Before anything is written the channel is read: what somebody has closed there by
/// hand is left as it is, and what else he has set there is shown before it is overwritten. Where reading does not work out nights
/// are closed and priced all the same, and nothing is opened.
pub async fn push(app: &Arc<App>, source: &Source, visit: &mut Visit) -> Result<Left, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let can_read = session.plugin.exports().contains(&Interface::Pull);
    let (mut read, mut unreadable): (Option<Reading>, Option<ChannelCallError>) = (None, None);
    for _ in 0..CALLS {
        let lane = app.connection_lock(session.connection).await;
        let one_at_a_time = lane.lock().await;
        let mut tx = app.db.write(source.account).await?;
        let pushing = pushing::get(&mut tx, source.account, source.id).await?.unwrap_or_default();
        let pushing = pushing.under(source.push_authority());
        if !has_read(&mut tx, source, session.plugin.manifest()).await? {
            return Ok(Left::Unread);
        }
        let targets;
        (tx, targets) = reckon_all(app, source, (&session, &pushing), tx).await?;
        let Due { runs, is_all } = due(&mut tx, source, (&session, &pushing, targets), app.now()).await?;
        let is_read = |run: &Run| read.as_ref().is_some_and(|read| read.covers(run, app.now()));
        let (mut sure, unread): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| !can_read || is_read(run));
        if !unread.is_empty() && unreadable.is_none() {
            tx.commit().await?;
            // Reading takes its own turn on the lane.
            drop(one_at_a_time);
            match Reading::of(app, source, &unread).await {
                Ok(reading) => read = reading,
                Err(error) => unreadable = Some(error),
            }
            continue;
        }
        sure.extend(unread.into_iter().filter(|run| !run.may_open()));
        let sent: Vec<AboutToSend<'_>> = sure.iter().flat_map(Run::about_to_send).collect();
        nights::about_to_send(&mut tx, source.account, source.id, &sent, app.now()).await?;
        tx.commit().await?;
        if !sure.is_empty()
            && let later @ Left::Later(..) = send(&session, &sure, trusts(&session, &pushing), visit).await?
        {
            return Ok(later);
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        // Whoever makes another night due meanwhile puts this work in the queue again.
        if is_all {
            return Ok(Left::Nothing);
        }
    }
    Ok(Left::More)
}

/// Reckons all that was touched, one room type in a transaction; with where its nights go.
async fn reckon_all(
    app: &App,
    source: &Source,
    (session, pushing): (&ChannelSession<'_>, &Pushing),
    mut tx: store::Tx,
) -> store::Result<(store::Tx, Targets)> {
    let mut targets = Targets::new(source.account, source.id);
    while desired::invalidated(&mut tx, source, (pushing, session.plugin.manifest(), &mut targets), app.now()).await?
        == Progress::Part
    {
        tx.commit().await?;
        tx = app.db.write(source.account).await?;
        // Links may have changed since.
        targets = Targets::new(source.account, source.id);
    }
    Ok((tx, targets))
}

/// What was read of a channel's calendar before something is opened there.
struct Reading {
    /// When the last of it had come: however long that takes, something must be told at last.
    read_at: Timestamp,
    /// The one room type; none where it was all.
    room_type_id: Option<String>,
    first: Date,
    last: Date,
}

impl Reading {
    /// Reads the nights of runs: one request, which may show more than them.
    async fn of(app: &Arc<App>, source: &Source, runs: &[Run]) -> Result<Option<Self>, ChannelCallError> {
        let spans = || runs.iter().filter_map(Run::span);
        let (Some(first), Some(last)) = (spans().map(|span| span.0).min(), spans().map(|span| span.1).max()) else {
            return Ok(None);
        };
        let rooms: BTreeSet<&str> = runs.iter().map(|run| run.target.room_type_id.as_str()).collect();
        let one = if rooms.len() == 1 { rooms.first().map(|id| (*id).to_owned()) } else { None };
        let until = last.tomorrow().unwrap_or(last);
        let selection = Selection::Within { start: first, until };
        let query = Query { room_type_id: one.clone(), ..Query::new(Entity::Calendar, selection) };
        match fetch::run(app, source, query).await {
            // A channel whose calendar cannot be asked for is believed.
            Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => {}
            read => drop(read?),
        }
        Ok(Some(Self { read_at: app.now(), room_type_id: one, first, last }))
    }

    fn covers(&self, run: &Run, now: Timestamp) -> bool {
        let is_fresh = now.duration_since(self.read_at) <= READ_IS_GOOD_FOR;
        let is_room = self.room_type_id.as_ref().is_none_or(|id| *id == run.target.room_type_id);
        is_fresh && is_room && run.span().is_some_and(|(first, last)| self.first <= first && last <= self.last)
    }
}

/// Whether the bookings of a channel that has them read have been, as a whole, and nothing of them waits for a link that was
/// just made.
pub(super) async fn has_read(tx: &mut store::Tx, source: &Source, manifest: &Manifest) -> store::Result<bool> {
    let (account, id) = (source.account, source.id);
    if !source.direction.is_inward() {
        // What it sells itself nobody wants to know.
        return Ok(true);
    }
    if queue::waits(tx, account, id, Kind::DriveParked.name(), &json!({})).await? {
        return Ok(false);
    }
    let Some(poll) = manifest.polls.iter().find(|poll| poll.entity == Entity::Reservation) else { return Ok(true) };
    if poll.window.is_some() || poll.queue.is_some() {
        // Such a poll has no point to go on from.
        return sync_runs::any_success(tx, account, id, sync_runs::SyncRunKind::BookingImport).await;
    }
    Ok(sources::resume_point(tx, account, id, Entity::Reservation.as_str()).await?.is_some())
}

/// What is sent next.
struct Due {
    runs: Vec<Run>,
    /// Nothing else is due.
    is_all: bool,
}

/// Runs of nights of which the same is new. Those that are over, or go nowhere any more, are forgotten.
async fn due(
    tx: &mut store::Tx,
    source: &Source,
    (session, pushing, mut targets): (&ChannelSession<'_>, &Pushing, Targets),
    now: Timestamp,
) -> store::Result<Due> {
    let mut due = nights::due(tx, source.account, source.id, NIGHTS_AT_ONCE).await?;
    let mut is_all = i64::try_from(due.len()).is_ok_and(|nights| nights < NIGHTS_AT_ONCE);
    let over = (now - OVER_EVERYWHERE).to_zoned(TimeZone::UTC).date();
    if due.iter().any(|known| known.place.night < over) {
        nights::forget_before(tx, source.account, source.id, over).await?;
        due.retain(|known| known.place.night >= over);
    }
    let rows: BTreeSet<i64> = due.iter().map(|known| known.place.room_type).collect();
    targets.ask(tx, rows).await?;
    let target_of =
        |place: &Place| targets.of(place.room_type).iter().find(|target| target.rate_plan_id == place.rate_plan_id);
    let nowhere: BTreeSet<i64> =
        due.iter().map(|known| &known.place).filter(|p| target_of(p).is_none()).map(|p| p.room_type).collect();
    for row in nowhere {
        let plans = targets.of(row).iter().map(|target| target.rate_plan_id.as_str());
        nights::rest_all_but(tx, source.account, source.id, row, &Vec::from_iter(plans)).await?;
    }
    let closed = closures::of_source(tx, source.account, source.id, over).await?;
    let closed: HashSet<(i64, Date)> =
        closed.iter().filter(|closed| closed.is_by_hand()).map(|closed| (closed.room_type, closed.night)).collect();
    let mut settled: Vec<Known> = Vec::new();
    let most = session.plugin.manifest().batches.calendar.map_or(RUNS_AT_ONCE, |batch| batch.items.max(1) as usize);
    let mut runs: Vec<Run> = Vec::new();
    for known in due {
        let Some(target) = target_of(&known.place) else { continue };
        if known.place.night < desired::horizon(target, pushing, now).0 {
            continue; // It is over there: a channel may refuse all that is sent with it.
        }
        let is_closed = closed.contains(&(known.place.room_type, known.place.night));
        let parts = parts(&known, pushing, is_closed);
        if !desired::any(parts) {
            // It is closed there by hand, and of what is open nothing is new.
            settled.push(Known { confirmed: Some(known.wanted.clone()), state: SyncStatus::Confirmed, ..known });
            continue;
        }
        let goes_on = |run: &&mut Run| run.target == *target && run.parts == parts && run.continues(&known);
        if let Some(run) = runs.last_mut().filter(goes_on) {
            run.nights.push(known);
        } else if runs.len() < most {
            runs.push(Run { target: target.clone(), parts, nights: vec![known] });
        } else {
            is_all = false;
            break;
        }
    }
    nights::put(tx, source.account, source.id, &settled, now).await?;
    Ok(Due { runs, is_all })
}

fn is_for_sale(known: &Known) -> bool {
    desired::read(&known.wanted).is_some_and(|night| night.sellable() > 0)
}

/// What is new of a night; all of it, where nobody knows what the channel has. Of one that is closed there by hand the price alone.
fn parts(known: &Known, pushing: &Pushing, is_closed: bool) -> CalendarParts {
    let is_sure =
        !known.in_doubt && known.mismatch_count == 0 && (known.sent.is_none() || known.sent == known.confirmed);
    let has = known.confirmed.as_deref().filter(|_| is_sure).and_then(desired::read);
    let all = CalendarParts::default();
    let wanted = desired::read(&known.wanted);
    let new = wanted.as_ref().map_or(all, |wanted| wanted.differs(has.as_ref()));
    let told = desired::both(new, desired::parts_of(pushing));
    if is_closed {
        return desired::of_closed_by_hand(told);
    }
    // Sent as a whole, although nothing is new.
    if desired::any(told) { told } else { desired::both(all, desired::parts_of(pushing)) }
}

async fn send(
    session: &ChannelSession<'_>,
    runs: &[Run],
    trusts: bool,
    visit: &mut Visit,
) -> Result<Left, ChannelCallError> {
    let ChannelSession { app, source, connection, plugin } = session;
    let may_be_there = runs.iter().flat_map(|run| &run.nights).any(|known| known.in_doubt);
    let attempt = if may_be_there { Attempt::AfterUnknown } else { Attempt::First };
    let updates: Vec<CalendarUpdate> = runs.iter().map(Run::update).collect();
    let (call, secrets, place) = session.call(format!("calendar-{}", source.id), Arc::new(session.network()?)).await?;
    let Finished { result, record } = plugin.push_calendar(call, updates, attempt).await;
    drop(place);
    let outcomes = match result {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let rooms = runs.iter().map(|run| (mappings::EntityKind::RoomType, run.target.room_type_id.as_str()));
            visit.failed(app, (runs.iter().map(|run| run.nights.len()).sum(), &Vec::from_iter(rooms)), &error).await?;
            return Err(session.failed(error, record, secrets).await?);
        }
    };
    let now = app.now();
    let mut said = Said { trusts, ..Said::default() };
    runs.iter().zip(&outcomes).for_each(|(run, outcome)| said.take(run, outcome));
    let fared = said.fared(visit, runs);
    let marked: Vec<Marked<'_>> =
        said.results.iter().flat_map(|(run, result, error)| run.marked(*result, error.as_deref())).collect();
    let lines: Vec<sync_log::SyncLogEntry<'_>> =
        said.results.iter().filter_map(|(run, result, error)| run.line(source, *result, error.as_deref())).collect();
    let mut tx = app.db.write(source.account).await?;
    nights::mark(&mut tx, source.account, source.id, &marked, now).await?;
    sync_log::outbound(&mut tx, source.account, &lines, now).await?;
    plugins::keep_call(&app.vault, &mut tx, (source.account, *connection), (plugin, &record, None), now).await?;
    plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
    if said.to_read_back {
        read_back_later(&mut tx, source, now).await?;
    }
    visit::note(&mut tx, source, &fared, now).await?;
    tx.commit().await?;
    Ok(said.later.map_or(Left::More, |(wait, why)| Left::Later(wait, why)))
}

/// Has what was sent read back, as soon as some of it may have come together.
async fn read_back_later(tx: &mut store::Tx, source: &Source, now: Timestamp) -> store::Result<()> {
    let whom = (source.account, source.id);
    queue::put(tx, &[Kind::ReadBack.put(whom, json!({}), (now + READ_BACK_AFTER, now))], now).await
}

/// What came of the runs of a call.
#[derive(Default)]
struct Said<'a> {
    /// What the channel says it took is there.
    trusts: bool,
    results: Vec<(&'a Run, NightPushResult, Option<String>)>,
    to_read_back: bool,
    /// That something is to be sent again, after how long where the channel says, and why.
    later: Option<(Option<SignedDuration>, String)>,
}

impl<'a> Said<'a> {
    fn take(&mut self, run: &'a Run, outcome: &Outcome) {
        let warned = |warnings: &[String]| (!warnings.is_empty()).then(|| warnings.join("; "));
        match outcome {
            Outcome::Accepted { confirmed: true, warnings, .. } if self.trusts => {
                self.results.push((run, NightPushResult::Confirmed, warned(warnings)));
            }
            Outcome::Accepted { confirmed, warnings, .. } => {
                self.to_read_back = true;
                let result = if *confirmed { NightPushResult::Echoed } else { NightPushResult::Unconfirmed };
                self.results.push((run, result, warned(warnings)));
            }
            Outcome::Refused(errors) => self.results.push((run, NightPushResult::Rejected, Some(in_words(errors)))),
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                self.come_again(wait, "the channel asks to be told again later".to_owned());
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => {
                self.come_again(None, unclear(outcome));
                self.results.push((run, NightPushResult::InDoubt, None));
            }
        }
    }

    /// Counts what came of the runs; and how the links of their room types fared.
    fn fared(&self, visit: &mut Visit, runs: &'a [Run]) -> Vec<LinkOutcome<'a>> {
        let nights: usize = runs.iter().map(|run| run.nights.len()).sum();
        let fared = self.results.iter().map(|(run, result, error)| {
            let came = match result {
                NightPushResult::Confirmed => Came::There,
                NightPushResult::Unconfirmed | NightPushResult::Echoed => Came::Taken,
                NightPushResult::Rejected => Came::Refused,
                NightPushResult::InDoubt => Came::Unknown,
            };
            visit.count(came, run.nights.len());
            let why = error.clone().unwrap_or_else(|| "nobody knows whether the channel has it".to_owned());
            let stands_against = matches!(result, NightPushResult::Rejected | NightPushResult::InDoubt).then_some(why);
            LinkOutcome { kind: mappings::EntityKind::RoomType, id: &run.target.room_type_id, error: stands_against }
        });
        let fared: Vec<LinkOutcome<'a>> = fared.collect();
        let told: usize = self.results.iter().map(|(run, ..)| run.nights.len()).sum();
        // Those that are to be told again later were told.
        visit.count(Came::Unknown, nights.saturating_sub(told));
        fared
    }

    fn come_again(&mut self, wait: Option<SignedDuration>, why: String) {
        let longest = self.later.take().and_then(|(wait, _)| wait).max(wait);
        self.later = Some((longest, why));
    }
}

impl Run {
    fn continues(&self, next: &Known) -> bool {
        let follows = |last: &Known| last.place.night.tomorrow().is_ok_and(|day| day == next.place.night);
        self.nights.last().is_some_and(|last| follows(last) && last.wanted == next.wanted)
    }

    fn update(&self) -> CalendarUpdate {
        let night = |known: &Known| Some(desired::read(&known.wanted)?.into_calendar_night(known.place.night));
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

    /// Whether telling it may open what is closed at the channel.
    fn may_open(&self) -> bool {
        self.says_sale() && self.nights.iter().any(is_for_sale)
    }

    /// Whether what is told of it says that it is for sale, or that it is not: some channels have one word for that and for who
    /// may come and go.
    fn says_sale(&self) -> bool {
        self.parts.availability || self.parts.rules
    }

    fn about_to_send(&self) -> impl Iterator<Item = AboutToSend<'_>> {
        self.nights.iter().map(|known| {
            let closes = self.says_sale() && !is_for_sale(known);
            AboutToSend { place: &known.place, value: &known.wanted, closes }
        })
    }

    fn span(&self) -> Option<(Date, Date)> {
        Some((self.nights.first()?.place.night, self.nights.last()?.place.night))
    }

    fn marked<'a>(&'a self, result: NightPushResult, error: Option<&'a str>) -> impl Iterator<Item = Marked<'a>> {
        self.nights.iter().map(move |known| Marked { place: &known.place, value: &known.wanted, result, error })
    }

    /// The audit trail's line.
    fn line(
        &self,
        source: &Source,
        result: NightPushResult,
        error: Option<&str>,
    ) -> Option<sync_log::SyncLogEntry<'_>> {
        let (first, last) = self.span()?;
        let nights = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let (status, message) = match (result, error) {
            (NightPushResult::Confirmed, None) => ("success", nights),
            (NightPushResult::Confirmed, Some(warning)) => ("success", format!("{nights}: {warning}")),
            (NightPushResult::Unconfirmed | NightPushResult::Echoed, None) => {
                ("pending", format!("{nights}: to be read back"))
            }
            (NightPushResult::Unconfirmed | NightPushResult::Echoed, Some(warning)) => {
                ("pending", format!("{nights}: to be read back; {warning}"))
            }
            (NightPushResult::Rejected, why) => ("failed", format!("{nights}: {}", why.unwrap_or("refused"))),
            (NightPushResult::InDoubt, _) => ("pending", format!("{nights}: nobody knows whether it is there")),
        };
        Some(sync_log::SyncLogEntry {
            source: source.id,
            entity_type: "availability",
            entity_id: &self.target.room_type_id,
            action: "push",
            status,
            message: Some(message),
        })
    }
}
