//! What is done with jobs.

use std::collections::BTreeMap;

use gassync_domain::{JobId, RunId};
use gassync_runtime::Manifest;
use jiff::SignedDuration;
use serde_json::json;

use super::dto::{JobDetail, JobFilter, JobResponse, JobRun, NewJobRun, RunPlan};
use crate::{
    admin::find::find_source,
    app::App,
    http::{ApiError, Problem},
    schedule::{Deliver, JobSpec as _},
    store::queue::{self, DeadJobs, JobQuery},
    worker::job_named,
};

/// Default page size.
const PAGE: i64 = 50;
/// Maximum page size.
const MAX_PAGE: i64 = 1_000;
/// How long revived jobs are retried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);
/// Assumed seconds per call without rate limits.
const CALL_SECONDS: f64 = 1.0;

/// Converts the filter for the database, or returns the validation error.
async fn filter(app: &App, asked: &JobFilter) -> Result<JobQuery, ApiError> {
    if let Some(kind) = asked.kind.as_deref().filter(|kind| job_named(kind).is_none()) {
        return Err(Problem::Malformed(format!("kind: there are no jobs of the kind {kind}")).into());
    }
    let source = match &asked.source {
        Some(name) => Some(find_source(app, name).await?.id),
        None => None,
    };
    Ok(JobQuery { source, kind: asked.kind.clone(), state: asked.state, since: asked.since })
}

/// A page of jobs, newest first.
pub(super) async fn list(app: &App, asked: &JobFilter) -> Result<Vec<JobResponse>, ApiError> {
    let filter = filter(app, asked).await?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let mut tx = app.db.platform_read().await?;
    let jobs = queue::list(&mut tx, &filter, asked.before, limit).await?;
    Ok(jobs.into_iter().map(JobResponse::from).collect())
}

/// A job with its arguments.
pub(super) async fn show(app: &App, id: JobId) -> Result<JobDetail, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let job = queue::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(job.into())
}

/// Cancels a waiting or dead job.
pub(super) async fn cancel(app: &App, id: JobId) -> Result<(), ApiError> {
    let mut tx = app.db.platform_write().await?;
    let job = queue::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    if job_named(&job.kind).is_some_and(|job| job.is_recurring) {
        return Err(Problem::Conflict(format!("a {} job is recurring: pause its source instead", job.kind)).into());
    }
    if !queue::cancel(&mut tx, id, app.now()).await? {
        return Err(Problem::Conflict(format!("the job is already {}", job.state)).into());
    }
    tx.commit().await?;
    Ok(())
}

/// Retries dead jobs, or returns the plan. Webhook deliveries have their own replay.
pub(super) async fn run(app: &App, new: NewJobRun) -> Result<RunPlan, ApiError> {
    let asked = JobFilter { source: new.source, kind: new.kind, since: new.since, ..JobFilter::default() };
    let filter = filter(app, &asked).await?;
    if asked.kind.as_deref() == Some(Deliver::NAME) {
        return Err(Problem::Conflict("deliveries are replayed with `gassync webhooks replay`".to_owned()).into());
    }
    let now = app.now();
    if new.dry_run {
        let mut tx = app.db.platform_read().await?;
        let plan = queue::count_dead(&mut tx, &filter).await?;
        return Ok(planned(app, None, &plan));
    }
    let mut tx = app.db.platform_write().await?;
    let plan = queue::count_dead(&mut tx, &filter).await?;
    let shown = serde_json::to_value(&asked).unwrap_or_else(|_| json!({}));
    let id = queue::start_run(&mut tx, &filter, &shown, (now, now + PATIENCE)).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(planned(app, Some(id.0), &plan))
}

fn planned(app: &App, id: Option<i64>, plan: &[DeadJobs]) -> RunPlan {
    let mut by_source: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    let mut seconds: BTreeMap<i64, f64> = BTreeMap::new();
    for part in plan {
        *by_source.entry(part.source_name.clone()).or_default().entry(part.kind.clone()).or_default() += part.jobs;
        let at_once = job_named(&part.kind).map_or(1, |job| job.batch.max);
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

/// How far a run is.
pub(super) async fn progress(app: &App, id: RunId) -> Result<JobRun, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let run = queue::run_progress(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(run.into())
}

/// Cancels a run and its waiting jobs.
pub(super) async fn cancel_run(app: &App, id: RunId) -> Result<JobRun, ApiError> {
    let mut tx = app.db.platform_write().await?;
    queue::cancel_run(&mut tx, id, app.now()).await?;
    let run = queue::run_progress(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    tx.commit().await?;
    Ok(run.into())
}
