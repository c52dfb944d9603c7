//! A source that listens goes live: what that would change at its channel is shown first, and then just that is done.

use std::{collections::HashMap, sync::Arc, time::Duration};

use gassync_domain::{ChannelError, Date, Entity, Pushing, Query, Selection, Timestamp, today_at};
use gassync_runtime::{CallError, Interface};
use jiff::{PlannedNights as Days, SignedDuration};

use super::calendar::has_read;
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::{apply::IngestContext, fetch, manual_closure, poll_run},
    plugins::Plugin,
    reconcile::desired::{self, Surveyed},
    schedule,
    store::{
        self, Tx, closures,
        outbound::{
            go_live_plans::{self, Plan, PlannedNights},
            invalidations, nights, pushing,
            targets::Targets,
        },
        queue,
        sources::{self, Source},
        sync_log,
    },
};

/// How old the channel's calendar may be that a plan was made of when it is followed.
pub const PLAN_IS_GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How long it is waited for what was linked a moment ago to be taken in.
const UNTIL_TAKEN_IN: Duration = Duration::from_secs(10);
/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// Nights of which the same would happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub nights: usize,
    /// The first of them: the channel's id of the room type, and the night.
    pub first: Option<(String, Date)>,
}

/// What going live comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comes {
    /// Nights that would be opened at the channel, or more of them sold.
    pub opens: Counted,
    /// Nights that would be closed there, or fewer of them sold.
    pub closes: Counted,
    /// Nights whose price would change.
    pub prices: Counted,
    /// Nights whose rules of stay would change.
    pub rules: Counted,
    /// Nights that somebody has closed there by hand: they stay closed, everywhere, unless the plan opens them.
    pub closed_by_hand: Counted,
}

/// Why a source cannot go live.
#[derive(Debug, thiserror::Error)]
pub enum GoLiveError {
    /// There is nothing that could be told.
    #[error("the source has no channel that could be told: it is live as it is")]
    NoChannel,
    /// It does not work.
    #[error("the source is {0}: connect it, or have it go on, first")]
    NotActive(String),
    /// What was linked is not taken in yet.
    #[error("its bookings are being taken in: try again in a moment")]
    Unread,
    /// Nobody has seen what it would do.
    #[error("there is no plan: make one first, with --plan")]
    NoPlan,
    /// Another plan was made since.
    #[error("another plan was made since: see it first, with --plan")]
    OtherPlan,
    /// The calendar that the plan was made of is too old.
    #[error("the plan is of a calendar that was read {0} s ago; the limit is {limit} s: make another, with --plan",
        limit = PLAN_IS_GOOD_FOR.as_secs())]
    Old(i64),
    /// More would be changed than the plan names.
    #[error("{0}; the plan does not name it: make another, with --plan")]
    Unplanned(String),
    /// The channel.
    #[error(transparent)]
    Channel(#[from] ChannelCallError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
}

/// Reads the channel, and keeps what going live would change there as the source's plan; its number.
pub async fn plan(app: &Arc<App>, source: &Source, opens_closed: bool) -> Result<(i64, Comes), GoLiveError> {
    let plugin = ready(app, source).await?;
    let read_at = read(app, source, &plugin).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let (surveyed, comes) = survey(&mut tx, source, &plugin, opens_closed, now).await?;
    let changes = spans(&surveyed);
    let id = go_live_plans::put(&mut tx, source.account, source.id, (read_at, &changes, opens_closed), now).await?;
    tx.commit().await?;
    Ok((id, comes))
}

/// Follows the last plan: what it names is opened and changed, and what cannot be sold any more is closed. Where the channel or the
/// core has moved so that more would be opened or changed, nothing is.
pub async fn follow(app: &Arc<App>, source: &Source, id: Option<i64>) -> Result<Comes, GoLiveError> {
    let plugin = ready(app, source).await?;
    check(&last_plan(app, source).await?, id, app.now())?;
    read(app, source, &plugin).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let plan = go_live_plans::last(&mut tx, source.account, source.id).await?.ok_or(GoLiveError::NoPlan)?;
    // Reading has taken its time.
    check(&plan, id, now)?;
    let (surveyed, comes) = survey(&mut tx, source, &plugin, plan.opens_closed, now).await?;
    if let Some(unplanned) = unplanned(&plan, &surveyed) {
        return Err(GoLiveError::Unplanned(unplanned));
    }
    if plan.opens_closed {
        let today = (now - SignedDuration::from_hours(24)).to_zoned(jiff::tz::TimeZone::UTC).date();
        let context = IngestContext::from_source(source, now, now).with_unit_count(plugin.manifest().unit_count());
        manual_closure::waive(&mut tx, &context, today).await?;
    }
    let known: Vec<nights::Known> = surveyed.iter().map(|surveyed| surveyed.known(now)).collect();
    sources::go_live(&mut tx, source.account, source.id).await?;
    go_live_plans::forget(&mut tx, source.account, source.id).await?;
    nights::put(&mut tx, source.account, source.id, &known, now).await?;
    // What was sold while this was counted is told all the same.
    schedule::invalidate_source(&mut tx, (source.account, source.id), (invalidations::FIRST, false), now).await?;
    schedule::push_due_bookings(&mut tx, (source.account, source.id), now).await?;
    queue::put(&mut tx, &[schedule::push_of_calendar((source.account, source.id), (now, now))], now).await?;
    let line = sync_log::SyncLogEntry {
        source: source.id,
        entity_type: "source",
        entity_id: &source.name,
        action: "go-live",
        status: "success",
        message: Some(in_words(&comes)),
    };
    sync_log::outbound(&mut tx, source.account, &[line], now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(comes)
}

/// What speaks for a source that can go live.
async fn ready(app: &Arc<App>, source: &Source) -> Result<Arc<Plugin>, GoLiveError> {
    if source.connection.is_none() {
        return Err(GoLiveError::NoChannel);
    }
    if !["active", "error"].contains(&source.status.as_str()) {
        return Err(GoLiveError::NotActive(source.status.clone()));
    }
    let plugin = app.plugins.get(&source.source_type);
    Ok(plugin.ok_or_else(|| ChannelCallError::NotLoaded(source.source_type.clone()))?)
}

/// Reads the channel's bookings where nobody has yet, and its calendar as far as it would be told of it. Tells when it was asked.
async fn read(app: &Arc<App>, source: &Source, plugin: &Plugin) -> Result<Timestamp, GoLiveError> {
    let mut tx = app.db.read(source.account).await?;
    let mut is_read = has_read(&mut tx, source, plugin.manifest()).await?;
    drop(tx);
    if !is_read {
        for poll in plugin.manifest().polls.iter().filter(|poll| poll.entity == Entity::Reservation) {
            let selection = poll_run::selection(app, source, poll).await?;
            poll_run::run(app, source, poll, Query::new(poll.entity, selection)).await?;
        }
    }
    let began = tokio::time::Instant::now();
    while !is_read && began.elapsed() < UNTIL_TAKEN_IN {
        let mut tx = app.db.read(source.account).await?;
        is_read = has_read(&mut tx, source, plugin.manifest()).await?;
        drop(tx);
        if !is_read {
            tokio::time::sleep(LOOK).await;
        }
    }
    if !is_read {
        return Err(GoLiveError::Unread);
    }
    let asked_at = app.now();
    if !plugin.exports().contains(&Interface::Pull) || !plugin.exports().contains(&Interface::PushCalendar) {
        return Ok(asked_at);
    }
    let mut tx = app.db.read(source.account).await?;
    let horizon = pushing::get(&mut tx, source.account, source.id).await?.unwrap_or_default().horizon_days;
    drop(tx);
    let start = today_at(asked_at, None);
    let until = start.saturating_add(Days::new().days(i64::from(horizon) + 2));
    match fetch::run(app, source, Query::new(Entity::Calendar, Selection::Within { start, until })).await {
        // Nothing is known of what it has: all of it is told.
        Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => {}
        read => drop(read?),
    }
    Ok(asked_at)
}

/// Every night that the source's channel would be told of, beside what it has.
async fn survey(
    tx: &mut Tx,
    source: &Source,
    plugin: &Plugin,
    opens_closed: bool,
    now: Timestamp,
) -> store::Result<(Vec<Surveyed>, Comes)> {
    let (account, id) = (source.account, source.id);
    let pushing: Pushing = pushing::get(tx, account, id).await?.unwrap_or_default().under(source.push_authority());
    let mut surveyed = Vec::new();
    let mut comes = Comes::default();
    let rooms = closures::linked_room_types(tx, account, id).await?;
    let names: HashMap<i64, &str> = rooms.iter().map(|room| (room.id, room.external_id.as_str())).collect();
    if plugin.exports().contains(&Interface::PushCalendar) && desired::any(desired::parts_of(&pushing)) {
        let mut targets = Targets::new(account, id);
        targets.ask(tx, rooms.iter().map(|room| room.id)).await?;
        for target in rooms.iter().flat_map(|room| targets.of(room.id)) {
            let of_target = (&pushing, plugin.manifest(), target);
            surveyed.extend(desired::survey(tx, source, of_target, opens_closed, now).await?);
        }
    }
    let today = today_at(now, None);
    for closed in closures::of_source(tx, account, id, today).await? {
        if !closed.closure.waived {
            let room = names.get(&closed.room_type).copied().unwrap_or_default();
            comes.closed_by_hand.count(room, closed.night);
        }
    }
    for night in &surveyed {
        let (room, date) = (night.room_type_id.as_str(), night.place.night);
        for (happens, counted) in [
            (night.opens(), &mut comes.opens),
            (night.closes(), &mut comes.closes),
            (night.parts.price, &mut comes.prices),
            (night.parts.rules, &mut comes.rules),
        ] {
            if happens {
                counted.count(room, date);
            }
        }
    }
    Ok((surveyed, comes))
}

impl Counted {
    fn count(&mut self, room_type_id: &str, night: Date) {
        self.nights += 1;
        if self.first.as_ref().is_none_or(|(_, first)| night < *first) {
            self.first = Some((room_type_id.to_owned(), night));
        }
    }
}

/// What of nights a plan names, nights that follow each other together.
fn spans(surveyed: &[Surveyed]) -> Vec<PlannedNights> {
    let mut spans: Vec<PlannedNights> = Vec::new();
    for night in surveyed {
        let (opens, price, rules) = (night.opens(), night.parts.price, night.parts.rules);
        if !opens && !price && !rules {
            continue;
        }
        let date = night.place.night;
        let goes_on = |last: &&mut PlannedNights| {
            last.room_type == night.place.room_type
                && last.rate_plan_id == night.place.rate_plan_id
                && (last.opens, last.price, last.rules) == (opens, price, rules)
                && last.to.tomorrow().is_ok_and(|next| next == date)
        };
        match spans.last_mut().filter(goes_on) {
            Some(last) => last.to = date,
            None => spans.push(PlannedNights {
                room_type: night.place.room_type,
                rate_plan_id: night.place.rate_plan_id.clone(),
                from: date,
                to: date,
                opens,
                price,
                rules,
            }),
        }
    }
    spans
}

/// What would be opened or changed that a plan does not name, in words.
fn unplanned(plan: &Plan, surveyed: &[Surveyed]) -> Option<String> {
    let mut by_place: HashMap<(i64, &str), Vec<&PlannedNights>> = HashMap::new();
    for span in &plan.changes {
        by_place.entry((span.room_type, span.rate_plan_id.as_str())).or_default().push(span);
    }
    let (mut opens, mut prices, mut rules) = (Counted::default(), Counted::default(), Counted::default());
    for night in surveyed {
        let spans = by_place.get(&(night.place.room_type, night.place.rate_plan_id.as_str()));
        let date = night.place.night;
        let named = spans.into_iter().flatten().find(|span| span.from <= date && date <= span.to);
        for (happens, is_named, counted) in [
            (night.opens(), named.is_some_and(|span| span.opens), &mut opens),
            (night.parts.price, named.is_some_and(|span| span.price), &mut prices),
            (night.parts.rules, named.is_some_and(|span| span.rules), &mut rules),
        ] {
            if happens && !is_named {
                counted.count(&night.room_type_id, date);
            }
        }
    }
    let said = |what: &str, counted: &Counted| {
        let (room, night) = counted.first.as_ref()?;
        Some(format!("{} nights would {what}, the first {night} of room type {room}", counted.nights))
    };
    let all = [said("be opened", &opens), said("change their price", &prices), said("change their rules", &rules)];
    let all: Vec<String> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

async fn last_plan(app: &App, source: &Source) -> Result<Plan, GoLiveError> {
    let mut tx = app.db.read(source.account).await?;
    go_live_plans::last(&mut tx, source.account, source.id).await?.ok_or(GoLiveError::NoPlan)
}

fn check(plan: &Plan, id: Option<i64>, now: Timestamp) -> Result<(), GoLiveError> {
    if id.is_some_and(|id| id != plan.id) {
        return Err(GoLiveError::OtherPlan);
    }
    let age = now.duration_since(plan.read_at);
    if age > PLAN_IS_GOOD_FOR { Err(GoLiveError::Old(age.as_secs())) } else { Ok(()) }
}

fn in_words(comes: &Comes) -> String {
    format!(
        "{} nights open, {} close, {} change their price, {} their rules; {} are closed by hand there",
        comes.opens.nights, comes.closes.nights, comes.prices.nights, comes.rules.nights, comes.closed_by_hand.nights
    )
}
