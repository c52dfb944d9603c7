//! Operator control of sources: pause, disable, resume, sync direction, poll interval, settings.

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
        sources::{self, Source, SourceStatus},
        sync_runs::{self, SyncRun, SyncRunKind, SyncRunStatus},
    },
};

/// Maximum poll interval in minutes: one day.
pub const MAX_POLL_MINUTES: i64 = 24 * 60;
/// Minimum time that work is retried after its source is resumed.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// Number of runs shown.
const RUNS: i64 = 50;

/// Status change of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Previous value.
    pub was: SourceStatus,
    /// Current value.
    pub status: SourceStatus,
}

/// Synchronisation switches of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// Whether synchronisation is enabled.
    pub sync_enabled: bool,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    pub sync_direction: Direction,
    /// Poll interval of bookings in minutes; None: as in the plugin's manifest.
    pub poll_minutes: Option<i64>,
}

/// Changes of the switches; omitted fields keep their value.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSwitches {
    /// Whether synchronisation is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_enabled: Option<bool>,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_direction: Option<Direction>,
}

/// Poll interval of a source.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPoll {
    /// Poll interval of bookings in minutes, 1 to 1,440; null: as in the plugin's manifest.
    pub minutes: Option<i64>,
}

/// Changes of the settings; others keep their value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSettings {
    /// Values by name.
    pub set: BTreeMap<String, Value>,
    /// Names to reset to the default.
    pub unset: Vec<String>,
}

/// Settings before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    /// Previous value.
    pub before: Value,
    /// Current value.
    pub after: Value,
}

/// A synchronisation run of a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRun {
    /// What was synchronised.
    pub sync_type: SyncRunKind,
    /// How it ended.
    pub status: SyncRunStatus,
    /// Records received, or nights or bookings sent.
    pub processed: i64,
    /// Created.
    pub created: i64,
    /// Updated, or accepted by the channel.
    pub updated: i64,
    /// Parked, set aside or rejected.
    pub failed: i64,
    /// Unchanged.
    pub skipped: i64,
    /// Confirmed at the channel.
    pub confirmed: i64,
    /// In doubt whether the channel received them.
    pub in_doubt: i64,
    /// Error, if the run aborted.
    pub error: Option<String>,
    /// Start time.
    pub started_at: Timestamp,
    /// Duration in milliseconds; None while running or if interrupted.
    pub duration_ms: Option<i64>,
}

impl From<SyncRun> for SourceRun {
    fn from(run: SyncRun) -> Self {
        Self {
            sync_type: run.kind,
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

/// Pauses a source: no fetches and no pushes; incoming webhooks are still applied.
async fn pause(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    halt(&app, &name, SourceStatus::Paused).await
}

/// Disables a source: nothing is applied or pushed; incoming webhooks are stored until it is resumed.
async fn disable(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    halt(&app, &name, SourceStatus::Disabled).await
}

async fn halt(app: &App, name: &str, status: SourceStatus) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(app, name).await?;
    let mut tx = app.db.write(source.account).await?;
    source_switches::stop(&mut tx, source.key(), status).await?;
    if status == SourceStatus::Paused && source.status == SourceStatus::Disabled {
        source_switches::release_deferred_messages(&mut tx, source.key(), app.now()).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(StatusChange { was: source.status, status }))
}

/// Resumes a source at its cursors, with the pushes that are pending.
async fn resume(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    go_on(&app, &mut tx, &source, false).await?;
    source_switches::release_deferred_messages(&mut tx, source.key(), app.now()).await?;
    let Some(status) = source_switches::resume(&mut tx, source.key()).await? else {
        let text = format!("{name} is {}: only a paused or disabled source can be resumed", source.status);
        return Err(Problem::Conflict(text).into());
    };
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Json(StatusChange { was: source.status, status }))
}

/// Enqueues the work that a stopped source missed; `whole` pushes confirmed nights, too.
async fn go_on(app: &App, tx: &mut Tx, source: &Source, whole: bool) -> store::Result<()> {
    let (now, source_key) = (app.now(), source.key());
    if source.connection.is_none() {
        return Ok(());
    }
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::begin_polls(tx, source, plugin.manifest(), now).await?;
    }
    queue::enqueue(tx, &[JobKind::RetryParked.job(source_key, json!({}), (now, now))], now).await?;
    schedule::invalidate_source(tx, source_key, (invalidations::FIRST, whole), now).await?;
    schedule::push_due_bookings(tx, source_key, now).await?;
    source_switches::extend_deadline(tx, source.key(), now + PATIENCE).await
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
    // The channel's state of data that was not pushed is unknown.
    let widens = direction.is_outward() && !source.direction.is_outward();
    go_on(&app, &mut tx, &source, widens).await?;
    source_switches::set_sync(&mut tx, source.key(), (enabled, direction)).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(Json(Switches { sync_enabled: enabled, sync_direction: direction, ..shown(&source) }))
}

/// Rejects sources without a channel.
fn has_channel(source: &Source) -> Result<(), Problem> {
    if source.connection.is_some() {
        return Ok(());
    }
    let text = format!("{} is a partner source without a channel: pause or disable it instead", source.name);
    Err(Problem::Malformed(text))
}

/// Sets the poll interval; a shorter one takes effect at once.
async fn set_poll(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(NewPoll { minutes }): Json<NewPoll>,
) -> Result<Json<Switches>, ApiError> {
    if let Some(wrong) = minutes.filter(|minutes| !(1..=MAX_POLL_MINUTES).contains(minutes)) {
        let problem = format!("is {wrong}; allowed are 1 to {MAX_POLL_MINUTES}");
        return Err(Problem::Invalid(vec![FieldError::new("/minutes", problem)]).into());
    }
    let source = find_source(&app, &name).await?;
    has_channel(&source)?;
    let source = Source { poll_minutes: minutes, ..source };
    let mut tx = app.db.write(source.account).await?;
    if let Some(plugin) = app.plugins.get(&source.source_type) {
        schedule::hasten_polls(&mut tx, &source, plugin.manifest(), app.now()).await?;
    }
    source_switches::set_poll_minutes(&mut tx, source.key(), minutes).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(shown(&source)))
}

/// Changes settings; they apply from the next plugin call.
async fn set_settings(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewSettings>,
) -> Result<Json<SettingsChange>, ApiError> {
    if let Some(both) = new.unset.iter().find(|name| new.set.contains_key(*name)) {
        return Err(Problem::Malformed(format!("unset: {both} is also in set")).into());
    }
    let found = find_source(&app, &name).await?;
    has_channel(&found)?;
    let plugin = app.plugins.get(&found.source_type);
    let plugin = plugin.ok_or_else(|| Problem::Malformed(format!("the plugin {} is not loaded", found.source_type)))?;
    let mut tx = app.db.write(found.account).await?;
    // Locks the row, so that concurrent changes do not overwrite each other.
    source_switches::lock(&mut tx, found.key()).await?;
    let before = sources::get(&mut tx, found.key()).await?.ok_or(Problem::NotFound)?.config;
    let mut after: Map<String, Value> = before.as_object().cloned().unwrap_or_default();
    for name in &new.unset {
        if after.remove(name).is_none() {
            let problem = "is not set".to_owned();
            return Err(Problem::Invalid(vec![FieldError::new(format!("settings.{name}"), problem)]).into());
        }
    }
    after.extend(new.set);
    let after = Value::Object(after);
    let wrong = plugin.manifest().wrong_settings(&after);
    if !wrong.is_empty() {
        let named = |(place, problem)| FieldError::new(format!("settings.{place}"), problem);
        return Err(Problem::Invalid(wrong.into_iter().map(named).collect()).into());
    }
    source_switches::set_settings(&mut tx, found.key(), &after).await?;
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
    let runs = sync_runs::newest(&mut tx, source.key(), RUNS).await?;
    Ok(Json(runs.into_iter().map(SourceRun::from).collect()))
}

/// Checks that an operator may fetch from or push to a channel now.
pub(super) fn ensure_may_sync(source: &Source, asks: bool) -> Result<(), Problem> {
    let name = &source.name;
    if source.status.is_stopped() {
        return Err(Problem::Conflict(format!("{name} is {}: resume it first", source.status)));
    }
    if !source.sync_enabled {
        return Err(Problem::Conflict(format!("{name} is switched off: run `source switch {name} --on` first")));
    }
    let goes = if asks { source.direction.is_inward() } else { source.direction.is_outward() };
    if goes { Ok(()) } else { Err(Problem::Conflict(format!("{name} is {}", source.direction))) }
}
