//! How people steer sources: paused, disabled and resumed, which ways they talk, how often they are asked, by which settings.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, patch, post},
};
use gassync_domain::{Direction, FieldError, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::sources::find_source;
use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    schedule::{self, JobKind},
    store::{
        self, Tx,
        outbound::invalidations,
        queue, source_switches,
        sources::{self, Source},
        sync_runs::{self, SyncRun},
    },
};

/// The most minutes between two polls: a day.
pub const MAX_POLL_MINUTES: i64 = 24 * 60;
/// How long what waited while a source stood still is tried from then on at least.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// Runs shown at once.
const RUNS: i64 = 50;

/// Where a source stands now, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Before.
    pub was: String,
    /// Now.
    pub status: String,
}

/// How a source talks with its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// Whether the channel is fetched from and told at all.
    pub sync_enabled: bool,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    pub sync_direction: Direction,
    /// Minutes between two polls of its bookings; none where the plugin's manifest says.
    pub poll_minutes: Option<i64>,
}

/// What is to be changed of that; what is not said stays.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSwitches {
    /// Whether the channel is fetched from and told at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_enabled: Option<bool>,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_direction: Option<Direction>,
}

/// How often a source is asked.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPoll {
    /// Minutes between two polls of its bookings, from 1 to 1,440; null for what the plugin's manifest says.
    pub minutes: Option<i64>,
}

/// What is to be changed of a source's settings; what is not named stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSettings {
    /// By name.
    pub set: BTreeMap<String, Value>,
    /// Those that go back to their defaults.
    pub unset: Vec<String>,
}

/// A source's settings, as they were and as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    /// Before.
    pub before: Value,
    /// Now.
    pub after: Value,
}

/// A run of a source, either way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRun {
    /// Such as `booking_import` or `availability_export`.
    pub sync_type: String,
    /// `started`, `success`, `partial_success`, `failure`.
    pub status: String,
    /// Records that came; nights or bookings that were told.
    pub processed: i64,
    /// New in the core.
    pub created: i64,
    /// Changed there, or taken by the channel.
    pub updated: i64,
    /// Parked, set aside or refused, on either side.
    pub failed: i64,
    /// As they were.
    pub skipped: i64,
    /// Surely at the channel.
    pub confirmed: i64,
    /// Nobody knows whether the channel has them.
    pub in_doubt: i64,
    /// Why it ended early.
    pub error: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds; none while it runs, or where it was cut off.
    pub duration_ms: Option<i64>,
}

impl From<SyncRun> for SourceRun {
    fn from(run: SyncRun) -> Self {
        Self {
            sync_type: run.sync_type,
            status: run.status,
            processed: run.records_processed,
            created: run.records_created,
            updated: run.records_updated,
            failed: run.records_failed,
            skipped: run.records_skipped,
            confirmed: run.records_confirmed,
            in_doubt: run.records_in_doubt,
            error: run.error_message,
            started_at: run.started_at.into(),
            duration_ms: run.duration_ms,
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/v1/sources/{name}/pause", post(pause))
        .route("/admin/v1/sources/{name}/disable", post(disable))
        .route("/admin/v1/sources/{name}/resume", post(resume))
        .route("/admin/v1/sources/{name}/switches", get(switches).patch(set_switches))
        .route("/admin/v1/sources/{name}/poll", post(set_poll))
        .route("/admin/v1/sources/{name}/settings", patch(set_settings))
        .route("/admin/v1/sources/{name}/runs", get(runs))
}

/// Nothing is fetched and nothing is told; what the channel says by itself is taken and applied.
async fn pause(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    halt(&app, &name, "paused").await
}

/// Nothing goes in or out; what the channel says by itself is kept, to be applied when the source goes on.
async fn disable(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    halt(&app, &name, "disabled").await
}

async fn halt(app: &App, name: &str, status: &str) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(app, name).await?;
    let mut tx = app.db.write(source.account).await?;
    source_switches::stop(&mut tx, source.account, source.id, status).await?;
    if status == "paused" && source.status == "disabled" {
        source_switches::release_deferred_messages(&mut tx, source.account, source.id, app.now()).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(StatusChange { was: source.status, status: status.to_owned() }))
}

/// Goes on where it stood: from its resume points, and with what it was to be told meanwhile.
async fn resume(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    go_on(&app, &mut tx, &source, false).await?;
    source_switches::release_deferred_messages(&mut tx, source.account, source.id, app.now()).await?;
    let Some(status) = source_switches::resume(&mut tx, source.account, source.id).await? else {
        let text = format!("{name} is {}: only one that is paused or disabled is resumed", source.status);
        return Err(Problem::Conflict(text).into());
    };
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Json(StatusChange { was: source.status, status }))
}

/// Puts in the queue what a source did not do while it stood still; `whole` tells its channel what that has already, too.
async fn go_on(app: &App, tx: &mut Tx, source: &Source, whole: bool) -> store::Result<()> {
    let (now, source_key) = (app.now(), (source.account, source.id));
    if source.connection.is_none() {
        return Ok(());
    }
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::begin_polls(tx, source, plugin.manifest(), now).await?;
    }
    queue::enqueue(tx, &[JobKind::RetryParked.job(source_key, json!({}), (now, now))], now).await?;
    schedule::invalidate_source(tx, source_key, (invalidations::FIRST, whole), now).await?;
    schedule::push_due_bookings(tx, source_key, now).await?;
    source_switches::extend_deadline(tx, source.account, source.id, now + PATIENCE).await
}

async fn switches(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Switches>, ApiError> {
    Ok(Json(shown(&find_source(&app, &name).await?)))
}

fn shown(source: &Source) -> Switches {
    Switches { sync_enabled: source.sync_enabled, sync_direction: source.direction, poll_minutes: source.poll_minutes }
}

async fn set_switches(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewSwitches>,
) -> Result<Json<Switches>, ApiError> {
    let source = find_source(&app, &name).await?;
    has_channel(&source)?;
    let enabled = new.sync_enabled.unwrap_or(source.sync_enabled);
    let direction = new.sync_direction.unwrap_or(source.direction);
    let mut tx = app.db.write(source.account).await?;
    // Of what it was not told nobody knows what it has.
    let widens = direction.is_outward() && !source.direction.is_outward();
    go_on(&app, &mut tx, &source, widens).await?;
    source_switches::set_sync(&mut tx, source.account, source.id, (enabled, direction)).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Json(Switches { sync_enabled: enabled, sync_direction: direction, ..shown(&source) }))
}

/// Whoever has no channel is neither fetched from nor told.
fn has_channel(source: &Source) -> Result<(), Problem> {
    if source.connection.is_some() {
        return Ok(());
    }
    let text =
        format!("{} is a partner who calls: there is no channel to be asked or told; pause or disable it", source.name);
    Err(Problem::Malformed(text))
}

/// Says how often a source is asked; a shorter time counts at once.
async fn set_poll(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(NewPoll { minutes }): Json<NewPoll>,
) -> Result<Json<Switches>, ApiError> {
    if let Some(wrong) = minutes.filter(|minutes| !(1..=MAX_POLL_MINUTES).contains(minutes)) {
        let problem = format!("is {wrong}; allowed are 1 to {MAX_POLL_MINUTES}");
        return Err(Problem::Invalid(vec![FieldError { path: "/minutes".to_owned(), problem }]).into());
    }
    let source = find_source(&app, &name).await?;
    has_channel(&source)?;
    let source = Source { poll_minutes: minutes, ..source };
    let mut tx = app.db.write(source.account).await?;
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::hasten_polls(&mut tx, &source, plugin.manifest(), app.now()).await?;
    }
    source_switches::set_poll_minutes(&mut tx, source.account, source.id, minutes).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(shown(&source)))
}

/// Changes settings; the next call of the plugin has them.
async fn set_settings(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewSettings>,
) -> Result<Json<SettingsChange>, ApiError> {
    if let Some(both) = new.unset.iter().find(|name| new.set.contains_key(*name)) {
        return Err(Problem::Malformed(format!("unset: {both} is set, too")).into());
    }
    let found = find_source(&app, &name).await?;
    has_channel(&found)?;
    let plugin = app.plugins.get(&found.source_type);
    let plugin = plugin.ok_or_else(|| Problem::Malformed(format!("the plugin {} is not loaded", found.source_type)))?;
    let mut tx = app.db.write(found.account).await?;
    // Locks the row: two changes at once do not undo each other.
    source_switches::lock(&mut tx, found.account, found.id).await?;
    let before = sources::get(&mut tx, found.account, found.id).await?.ok_or(Problem::NotFound)?.config;
    let mut after: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
    for name in &new.unset {
        if after.remove(name).is_none() {
            let problem = "is not set".to_owned();
            return Err(Problem::Invalid(vec![FieldError { path: format!("settings.{name}"), problem }]).into());
        }
    }
    after.extend(new.set);
    let after = Value::Object(after);
    let wrong = plugin.manifest().wrong_settings(&after);
    if !wrong.is_empty() {
        let named = |(place, problem)| FieldError { path: format!("settings.{place}"), problem };
        return Err(Problem::Invalid(wrong.into_iter().map(named).collect()).into());
    }
    source_switches::set_settings(&mut tx, found.account, found.id, &after).await?;
    tx.commit().await?;
    Ok(Json(SettingsChange { before, after }))
}

/// The newest runs, newest first.
async fn runs(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Vec<SourceRun>>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let runs = sync_runs::newest(&mut tx, source.account, source.id, RUNS).await?;
    Ok(Json(runs.into_iter().map(SourceRun::from).collect()))
}

/// Whether a person may have a source's channel asked now, or told: not while he has said otherwise.
pub(super) fn ensure_may_sync(source: &Source, asks: bool) -> Result<(), Problem> {
    let name = &source.name;
    if matches!(source.status.as_str(), "paused" | "disabled") {
        return Err(Problem::Conflict(format!("{name} is {}: resume it first", source.status)));
    }
    if !source.sync_enabled {
        return Err(Problem::Conflict(format!("{name} is switched off: say `source switch {name} --on` first")));
    }
    let goes = if asks { source.direction.is_inward() } else { source.direction.is_outward() };
    if goes { Ok(()) } else { Err(Problem::Conflict(format!("{name} is {}", source.direction))) }
}
