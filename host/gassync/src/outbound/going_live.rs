//! Going live: compares the desired calendar with the channel, shows the effect as a plan, then executes exactly that
//! plan.

use std::{collections::HashMap, sync::Arc, time::Duration};

use gassync_domain::{ChannelError, Date, Entity, PushSettings, Query, Selection, Timestamp, today_at, utc_day};
use gassync_runtime::{CallError, Interface};
use jiff::{SignedDuration, Span as Days};

use super::calendar::bookings_are_imported;
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::{apply::IngestContext, fetch, manual_closure, poll_run},
    lease::{self, LeaseError},
    plugins::Plugin,
    reconcile::desired::{self, ComparedNight},
    schedule::{self, JobSpec, PushCalendar},
    store::{
        self, Tx, closures,
        outbound::{
            go_live_plans::{self, PlannedNights, SavedGoLivePlan},
            invalidations, nights, push_settings,
            targets::PushTargets,
        },
        queue,
        sources::{self, Source, SourceState},
        sync_log,
    },
};

/// Maximum age of the calendar reading behind a plan that is executed.
pub const PLAN_MAX_AGE: SignedDuration = SignedDuration::from_mins(5);
/// How long to wait for newly linked bookings to be imported.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval of that check.
const IMPORT_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Nights with the same effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NightCount {
    /// Number of nights.
    pub nights: usize,
    /// The first one: the channel's room type id and the night.
    pub first: Option<(String, Date)>,
}

/// Effect of going live.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoLiveEffect {
    /// Nights that would be opened, or get more units.
    pub opens: NightCount,
    /// Nights that would be closed, or get fewer units.
    pub closes: NightCount,
    /// Nights whose price would change.
    pub prices: NightCount,
    /// Nights whose rules of stay would change.
    pub rules: NightCount,
    /// Nights closed at the channel by hand. They stay closed everywhere, unless the plan opens them.
    pub closed_by_hand: NightCount,
}

/// Why a source cannot go live.
#[derive(Debug, thiserror::Error)]
pub enum GoLiveError {
    /// The source has no channel.
    #[error("the source has no channel, so there is nothing to go live with")]
    NoChannel,
    /// The source is not active.
    #[error("the source is {0}: connect or resume it first")]
    NotActive(SourceState),
    /// Its bookings are not imported yet.
    #[error("its bookings are being imported: try again in a moment")]
    Unread,
    /// There is no plan.
    #[error("there is no plan: make one first with --plan")]
    NoPlan,
    /// Another plan was made since.
    #[error("there is a newer plan: review it first with --plan")]
    OtherPlan,
    /// The calendar reading behind the plan is too old.
    #[error("the plan is based on a calendar read {0} s ago; the limit is {limit} s: make another with --plan",
        limit = PLAN_MAX_AGE.as_secs())]
    Old(i64),
    /// The effect exceeds the plan.
    #[error("{0}, which is not in the plan: make another with --plan")]
    Unplanned(String),
    /// A job calls the channel.
    #[error("{0}")]
    Busy(LeaseError),
    /// A call to the channel failed.
    #[error(transparent)]
    Channel(#[from] ChannelCallError),
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

impl From<LeaseError> for GoLiveError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => Self::Store(error),
            LeaseError::Busy | LeaseError::Lost => Self::Busy(error),
        }
    }
}

/// Reads the channel and saves the effect of going live as the source's plan; returns the plan's id.
pub async fn plan(app: &Arc<App>, source: &Source, opens_closed: bool) -> Result<(i64, GoLiveEffect), GoLiveError> {
    lease::alone(app, &[source.key()], plan_alone(app, source, opens_closed)).await?
}

async fn plan_alone(app: &Arc<App>, source: &Source, opens_closed: bool) -> Result<(i64, GoLiveEffect), GoLiveError> {
    let plugin = check_ready(app, source).await?;
    let read_at = read(app, source, &plugin).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let (compared, effect) = compare_all(&mut tx, source, &plugin, opens_closed, now).await?;
    let changes = planned_spans(&compared);
    let id = go_live_plans::save(&mut tx, source.key(), (read_at, &changes, opens_closed), now).await?;
    tx.commit().await?;
    Ok((id, effect))
}

/// Executes the latest plan: opens and changes what it names, and closes what can no longer be sold. If the channel or
/// the core has changed so that more would be opened or changed, nothing is done.
pub async fn execute(app: &Arc<App>, source: &Source, id: Option<i64>) -> Result<GoLiveEffect, GoLiveError> {
    lease::alone(app, &[source.key()], execute_alone(app, source, id)).await?
}

async fn execute_alone(app: &Arc<App>, source: &Source, id: Option<i64>) -> Result<GoLiveEffect, GoLiveError> {
    let plugin = check_ready(app, source).await?;
    check_plan(&last_plan(app, source).await?, id, app.now())?;
    read(app, source, &plugin).await?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    let plan = go_live_plans::latest(&mut tx, source.key()).await?.ok_or(GoLiveError::NoPlan)?;
    // Reading may have taken long: check again.
    check_plan(&plan, id, now)?;
    let (compared, effect) = compare_all(&mut tx, source, &plugin, plan.opens_closed, now).await?;
    if let Some(unplanned) = unplanned(&plan, &compared) {
        return Err(GoLiveError::Unplanned(unplanned));
    }
    if plan.opens_closed {
        let today = utc_day(now - SignedDuration::from_hours(24));
        let context = IngestContext::from_source(source, now, now).with_unit_count(plugin.manifest().unit_count());
        manual_closure::waive(&mut tx, &context, today).await?;
    }
    let known: Vec<nights::NightState> = compared.iter().map(|compared| compared.known(now)).collect();
    sources::go_live(&mut tx, source.key()).await?;
    go_live_plans::delete(&mut tx, source.key()).await?;
    nights::upsert(&mut tx, source.key(), &known, now).await?;
    // Bookings made during the comparison are pushed as well.
    schedule::invalidate_source(&mut tx, source.key(), (invalidations::FIRST, false), now).await?;
    schedule::push_due_bookings(&mut tx, source.key(), now).await?;
    queue::enqueue(&mut tx, &[PushCalendar {}.of(source.key())], now).await?;
    let line = sync_log::NewSyncLogLine {
        source: source.id,
        entity_type: "source",
        entity_id: &source.name,
        action: sync_log::LogAction::GoLive,
        status: sync_log::LogStatus::Success,
        message: Some(summary(&effect)),
    };
    sync_log::outbound(&mut tx, source.account, &[line], now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(effect)
}

/// Checks that a source can go live, and returns its plugin.
async fn check_ready(app: &Arc<App>, source: &Source) -> Result<Arc<Plugin>, GoLiveError> {
    if source.connection.is_none() {
        return Err(GoLiveError::NoChannel);
    }
    if !source.status.is_working() {
        return Err(GoLiveError::NotActive(source.status));
    }
    Ok(app.plugins.require(&source.source_type).map_err(ChannelCallError::from)?)
}

/// Imports the channel's bookings if that has not been done, and reads its calendar up to the horizon. Returns when it
/// was requested.
async fn read(app: &Arc<App>, source: &Source, plugin: &Plugin) -> Result<Timestamp, GoLiveError> {
    let mut tx = app.db.read(source.account).await?;
    let mut is_read = bookings_are_imported(&mut tx, source, plugin.manifest()).await?;
    drop(tx);
    if !is_read {
        for poll in plugin.manifest().polls.iter().filter(|poll| poll.entity == Entity::Reservation) {
            let selection = poll_run::selection(app, source, poll).await?;
            poll_run::run(app, source, (poll, None), Query::new(poll.entity, selection)).await?;
        }
    }
    let began = tokio::time::Instant::now();
    while !is_read && began.elapsed() < IMPORT_TIMEOUT {
        let mut tx = app.db.read(source.account).await?;
        is_read = bookings_are_imported(&mut tx, source, plugin.manifest()).await?;
        drop(tx);
        if !is_read {
            tokio::time::sleep(IMPORT_CHECK_INTERVAL).await;
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
    let horizon = push_settings::get(&mut tx, source.key()).await?.unwrap_or_default().horizon_days;
    drop(tx);
    let start = today_at(asked_at, None);
    let until = start.saturating_add(Days::new().days(i64::from(horizon) + 2));
    match fetch::run(app, source, Query::new(Entity::Calendar, Selection::Within { start, until })).await {
        // The channel's state is unknown: everything is pushed.
        Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))) => {}
        read => drop(read?),
    }
    Ok(asked_at)
}

/// Every night that would be pushed, next to what the channel has.
async fn compare_all(
    tx: &mut Tx,
    source: &Source,
    plugin: &Plugin,
    opens_closed: bool,
    now: Timestamp,
) -> store::Result<(Vec<ComparedNight>, GoLiveEffect)> {
    let pushing: PushSettings =
        push_settings::get(tx, source.key()).await?.unwrap_or_default().under(source.push_authority());
    let mut compared = Vec::new();
    let mut effect = GoLiveEffect::default();
    let rooms = closures::linked_room_types(tx, source.key()).await?;
    let names: HashMap<i64, &str> = rooms.iter().map(|room| (room.id, room.external_id.as_str())).collect();
    if plugin.exports().contains(&Interface::PushCalendar) && desired::any_part(desired::pushed_parts(&pushing)) {
        let mut targets = PushTargets::new(source.key());
        targets.load(tx, rooms.iter().map(|room| room.id)).await?;
        for target in rooms.iter().flat_map(|room| targets.get(room.id)) {
            let of_target = (&pushing, plugin.manifest(), target);
            compared.extend(desired::compare_with_channel(tx, source, of_target, opens_closed, now).await?);
        }
    }
    let today = today_at(now, None);
    for closed in closures::of_source(tx, source.key(), today).await? {
        if !closed.closure.waived {
            let room = names.get(&closed.room_type).copied().unwrap_or_default();
            effect.closed_by_hand.count(room, closed.night);
        }
    }
    for night in &compared {
        let (room, date) = (night.room_type_id.as_str(), night.key.night);
        for (happens, counted) in [
            (night.opens(), &mut effect.opens),
            (night.closes(), &mut effect.closes),
            (night.parts.price, &mut effect.prices),
            (night.parts.rules, &mut effect.rules),
        ] {
            if happens {
                counted.count(room, date);
            }
        }
    }
    Ok((compared, effect))
}

impl NightCount {
    fn count(&mut self, room_type_id: &str, night: Date) {
        self.nights += 1;
        if self.first.as_ref().is_none_or(|(_, first)| night < *first) {
            self.first = Some((room_type_id.to_owned(), night));
        }
    }
}

/// The spans a plan names: consecutive nights with the same changes.
fn planned_spans(compared: &[ComparedNight]) -> Vec<PlannedNights> {
    let mut spans: Vec<PlannedNights> = Vec::new();
    for night in compared {
        let (opens, price, rules) = (night.opens(), night.parts.price, night.parts.rules);
        if !opens && !price && !rules {
            continue;
        }
        let date = night.key.night;
        let goes_on = |last: &&mut PlannedNights| {
            last.room_type == night.key.room_type
                && last.rate_plan_id == night.key.rate_plan_id
                && (last.opens, last.price, last.rules) == (opens, price, rules)
                && last.to.tomorrow().is_ok_and(|next| next == date)
        };
        match spans.last_mut().filter(goes_on) {
            Some(last) => last.to = date,
            None => spans.push(PlannedNights {
                room_type: night.key.room_type,
                rate_plan_id: night.key.rate_plan_id.clone(),
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

/// Describes what would be opened or changed beyond the plan.
fn unplanned(plan: &SavedGoLivePlan, compared: &[ComparedNight]) -> Option<String> {
    let mut by_place: HashMap<(i64, &str), Vec<&PlannedNights>> = HashMap::new();
    for span in &plan.changes {
        by_place.entry((span.room_type, span.rate_plan_id.as_str())).or_default().push(span);
    }
    let (mut opens, mut prices, mut rules) = (NightCount::default(), NightCount::default(), NightCount::default());
    for night in compared {
        let spans = by_place.get(&(night.key.room_type, night.key.rate_plan_id.as_str()));
        let date = night.key.night;
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
    let said = |what: &str, counted: &NightCount| {
        let (room, night) = counted.first.as_ref()?;
        Some(format!("{} nights would {what}, the first {night} of room type {room}", counted.nights))
    };
    let all = [said("be opened", &opens), said("change their price", &prices), said("change their rules", &rules)];
    let all: Vec<String> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

async fn last_plan(app: &App, source: &Source) -> Result<SavedGoLivePlan, GoLiveError> {
    let mut tx = app.db.read(source.account).await?;
    go_live_plans::latest(&mut tx, source.key()).await?.ok_or(GoLiveError::NoPlan)
}

fn check_plan(plan: &SavedGoLivePlan, id: Option<i64>, now: Timestamp) -> Result<(), GoLiveError> {
    if id.is_some_and(|id| id != plan.id) {
        return Err(GoLiveError::OtherPlan);
    }
    let age = now.duration_since(plan.read_at);
    if age > PLAN_MAX_AGE { Err(GoLiveError::Old(age.as_secs())) } else { Ok(()) }
}

fn summary(effect: &GoLiveEffect) -> String {
    format!(
        "{} nights open, {} close, {} change their price, {} their rules; {} are closed by hand there",
        effect.opens.nights,
        effect.closes.nights,
        effect.prices.nights,
        effect.rules.nights,
        effect.closed_by_hand.nights
    )
}
