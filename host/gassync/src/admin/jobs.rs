//! Jobs and job runs.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{JobId, RunId, Timestamp};
use gassync_runtime::Manifest;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sources::find_source;
use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    schedule::JobKind,
    store::queue::{self, DeadJobs, JobQuery, ListedJob},
};

/// Default page size.
const PAGE: i64 = 50;
/// Maximum page size.
const MAX_PAGE: i64 = 1_000;
/// How long revived jobs are retried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// Assumed seconds per call without rate limits.
const CALL_SECONDS: f64 = 1.0;

/// Filter of jobs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JobFilter {
    /// A source's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Kind, such as `push-booking`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `waiting`, `done`, `dead` or `cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Enqueued at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Jobs before this id (next page).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// Page size, up to 1,000. Default: 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobResponse {
    /// The job's id.
    pub id: i64,
    /// Source.
    pub source: String,
    /// Kind.
    pub kind: String,
    /// `waiting`, `running`, `done`, `dead` or `cancelled`.
    pub state: String,
    /// Number of attempts.
    pub attempts: i64,
    /// Due time.
    pub run_at: Timestamp,
    /// Last error.
    pub why: Option<String>,
}

/// A job with details.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    /// Summary, as in lists.
    #[serde(flatten)]
    pub job: JobResponse,
    /// Arguments: ids, never guest data.
    pub payload: Value,
    /// Priority; lower runs first.
    pub priority: i64,
    /// No retries after this time.
    pub deadline: Option<Timestamp>,
    /// End of its channel's pause.
    pub paused_until: Option<Timestamp>,
    /// Reason of the pause.
    pub pause_reason: Option<String>,
    /// Time of enqueueing.
    pub created_at: Timestamp,
    /// Time of completion.
    pub finished_at: Option<Timestamp>,
}

/// Which dead jobs to retry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewJobRun {
    /// Only of this source.
    pub source: Option<String>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Enqueued at or after this time.
    pub since: Option<Timestamp>,
    /// Only return what would be retried.
    pub dry_run: bool,
}

/// What a run retries.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunPlan {
    /// Identifier of the run; null for a dry run.
    pub id: Option<i64>,
    /// Number of jobs.
    pub jobs: i64,
    /// Number of jobs by source and kind.
    pub by_source: BTreeMap<String, BTreeMap<String, i64>>,
    /// Minimum duration under the channels' rate limits.
    pub seconds_at_least: i64,
}

/// Progress of a job run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobRun {
    /// The run's id.
    pub id: i64,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// Jobs retried.
    pub jobs: i64,
    /// Jobs waiting.
    pub waiting: i64,
    /// Jobs done.
    pub done: i64,
    /// Jobs that failed again.
    pub dead: i64,
    /// Jobs discarded: duplicates of waiting jobs, or cancelled with the run.
    pub cancelled: i64,
}

impl From<ListedJob> for JobResponse {
    fn from(job: ListedJob) -> Self {
        Self {
            id: job.id.0,
            source: job.source_name,
            kind: job.kind,
            state: if job.running { "running".to_owned() } else { job.state },
            attempts: job.attempts,
            run_at: job.run_at.into(),
            why: job.error,
        }
    }
}

impl From<ListedJob> for JobDetail {
    fn from(job: ListedJob) -> Self {
        Self {
            payload: job.payload.0.clone(),
            priority: job.priority,
            deadline: job.deadline.map(Timestamp::from),
            paused_until: job.paused_until.map(Timestamp::from),
            pause_reason: job.pause_reason.clone(),
            created_at: job.created_at.into(),
            finished_at: job.finished_at.map(Timestamp::from),
            job: job.into(),
        }
    }
}

impl From<queue::RunProgress> for JobRun {
    fn from(run: queue::RunProgress) -> Self {
        let state = if run.state == "running" && run.waiting == 0 { "done".to_owned() } else { run.state };
        Self {
            id: run.id.0,
            state,
            jobs: run.jobs,
            waiting: run.waiting,
            done: run.done,
            dead: run.dead,
            cancelled: run.cancelled,
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/v1/jobs", get(list))
        .route("/admin/v1/jobs/{id}", get(show))
        .route("/admin/v1/jobs/{id}/cancel", post(cancel))
        .route("/admin/v1/job-runs", post(run))
        .route("/admin/v1/job-runs/{id}", get(progress))
        .route("/admin/v1/job-runs/{id}/cancel", post(cancel_run))
}

/// Converts the filter for the database, or returns the validation error.
async fn filter(app: &App, asked: &JobFilter) -> Result<JobQuery, ApiError> {
    if let Some(kind) = asked.kind.as_deref().filter(|kind| JobKind::named(kind).is_none()) {
        return Err(Problem::Malformed(format!("kind: there are no jobs of the kind {kind}")).into());
    }
    let states = ["waiting", "done", "dead", "cancelled"];
    if let Some(state) = asked.state.as_deref().filter(|state| !states.contains(state)) {
        return Err(Problem::Malformed(format!("state: {state} is not one of {}", states.join(", "))).into());
    }
    let source = match &asked.source {
        Some(name) => Some(find_source(app, name).await?.id),
        None => None,
    };
    Ok(JobQuery { source, kind: asked.kind.clone(), state: asked.state.clone(), since: asked.since })
}

async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Query(asked): Query<JobFilter>,
) -> Result<Json<Vec<JobResponse>>, ApiError> {
    let filter = filter(&app, &asked).await?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let mut tx = app.db.platform_read().await?;
    let jobs = queue::list(&mut tx, &filter, asked.before, limit).await?;
    Ok(Json(jobs.into_iter().map(JobResponse::from).collect()))
}

async fn show(State(app): State<Arc<App>>, _: Operator, Path(id): Path<JobId>) -> Result<Json<JobDetail>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let job = queue::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(Json(job.into()))
}

/// Cancels a waiting or dead job.
async fn cancel(State(app): State<Arc<App>>, _: Operator, Path(id): Path<JobId>) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.platform_write().await?;
    let job = queue::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    if JobKind::named(&job.kind).is_some_and(JobKind::is_recurring) {
        return Err(Problem::Conflict(format!("a {} job is recurring: pause its source instead", job.kind)).into());
    }
    if !queue::cancel(&mut tx, id, app.now()).await? {
        return Err(Problem::Conflict(format!("the job is already {}", job.state)).into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Retries dead jobs, or returns the plan. Webhook deliveries have their own replay.
async fn run(
    State(app): State<Arc<App>>,
    _: Operator,
    Json(new): Json<NewJobRun>,
) -> Result<(StatusCode, Json<RunPlan>), ApiError> {
    let asked = JobFilter { source: new.source, kind: new.kind, since: new.since, ..JobFilter::default() };
    let filter = filter(&app, &asked).await?;
    if asked.kind.as_deref() == Some(JobKind::Deliver.name()) {
        return Err(Problem::Conflict("deliveries are replayed with `gassync webhooks replay`".to_owned()).into());
    }
    let now = app.now();
    if new.dry_run {
        let mut tx = app.db.platform_read().await?;
        let plan = queue::count_dead(&mut tx, &filter).await?;
        return Ok((StatusCode::OK, Json(planned(&app, None, &plan))));
    }
    let mut tx = app.db.platform_write().await?;
    let plan = queue::count_dead(&mut tx, &filter).await?;
    let shown = serde_json::to_value(&asked).unwrap_or_else(|_| json!({}));
    let id = queue::start_run(&mut tx, &filter, &shown, (now, now + PATIENCE)).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok((StatusCode::CREATED, Json(planned(&app, Some(id.0), &plan))))
}

fn planned(app: &App, id: Option<i64>, plan: &[DeadJobs]) -> RunPlan {
    let mut by_source: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut seconds: BTreeMap<i64, f64> = BTreeMap::new();
    for part in plan {
        *by_source.entry(part.source_name.clone()).or_default().entry(part.kind.clone()).or_default() += part.jobs;
        let at_once = JobKind::named(&part.kind).map_or(1, |kind| kind.batch_policy().max);
        let calls = (part.jobs as f64 / at_once as f64).ceil();
        let plugin = app.plugins.get(&part.source_type);
        let each = plugin.map_or(CALL_SECONDS, |plugin| seconds_of_a_call(plugin.manifest()));
        *seconds.entry(part.source_id).or_default() += calls * each;
    }
    // Sources are processed in parallel.
    let longest = seconds.values().copied().fold(0.0, f64::max);
    RunPlan { id, jobs: plan.iter().map(|part| part.jobs).sum(), by_source, seconds_at_least: longest.ceil() as i64 }
}

/// Seconds per call under the strictest rate limit window.
fn seconds_of_a_call(manifest: &Manifest) -> f64 {
    let windows = manifest
        .rate_limits
        .iter()
        .flat_map(|limit| limit.windows.iter().map(|window| f64::from(window.seconds) * limit.weight / window.limit));
    windows.fold(CALL_SECONDS, f64::max)
}

async fn progress(State(app): State<Arc<App>>, _: Operator, Path(id): Path<RunId>) -> Result<Json<JobRun>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let run = queue::run_progress(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(Json(run.into()))
}

/// Cancels a run and its waiting jobs.
async fn cancel_run(State(app): State<Arc<App>>, _: Operator, Path(id): Path<RunId>) -> Result<Json<JobRun>, ApiError> {
    let mut tx = app.db.platform_write().await?;
    queue::cancel_run(&mut tx, id, app.now()).await?;
    let run = queue::run_progress(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    tx.commit().await?;
    Ok(Json(run.into()))
}
