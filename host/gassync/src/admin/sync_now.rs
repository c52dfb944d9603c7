//! Fetches from a channel now: the source's polls, due at once. The worker runs them; the request follows them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use gassync_domain::{AccountId, Entity, JobId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    find::{ensure_may_sync, find_source},
    jobs::JobResponse,
    paths,
};
use crate::{
    app::App,
    http::{ApiError, Operator, Params, Problem},
    inbound::fetch::OutcomeCounts,
    schedule::{self, RunPoll},
    store::queue::{self, JobState, ListedJob},
};

/// How long a request waits for the polls, unless it says otherwise.
const DEFAULT_WAIT_SECONDS: u64 = 300;
/// How long a request may wait.
const MAX_WAIT_SECONDS: u64 = 600;
/// Interval of looking at the jobs.
const LOOK: Duration = Duration::from_millis(200);

/// How long to wait.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncOptions {
    /// Seconds to wait for the polls; 300 if absent, at most 600.
    pub wait: Option<u64>,
}

/// Response to a fetch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SyncResponse {
    /// Status 202: the polls go on.
    Pending(PendingSync),
    /// Status 200: the number of records by kind and outcome.
    Done(BTreeMap<Entity, OutcomeCounts>),
}

/// Polls that take longer than the request waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingSync {
    /// The polls that have not ended; `/admin/v1/jobs/{id}` shows each.
    pub pending: Vec<JobResponse>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_SYNC, post(sync))
}

/// Makes all polls due now and waits for their end.
async fn sync(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Params(options): Params<SyncOptions>,
) -> Result<(StatusCode, Json<SyncResponse>), ApiError> {
    let source = find_source(&app, &name).await?;
    ensure_may_sync(&source, true)?;
    let plugin = app.plugins.require(&source.source_type)?;
    if !source.status.is_working() {
        return Err(Problem::Conflict(format!("{name} is {}: connect it first", source.status)).into());
    }
    let mut tx = app.db.write(source.account).await?;
    let polls = schedule::poll_now(&mut tx, source.key(), (plugin.manifest(), |_| true), app.now()).await?;
    let mut ids = Vec::with_capacity(polls.len());
    for poll in &polls {
        ids.push(queue::waiting_id(&mut tx, poll).await?.ok_or(Problem::Internal)?);
    }
    tx.commit().await?;
    app.wake.notify_one();
    let wait = Duration::from_secs(options.wait.unwrap_or(DEFAULT_WAIT_SECONDS).min(MAX_WAIT_SECONDS));
    let deadline = Instant::now() + wait;
    loop {
        let jobs = jobs(&app, source.account, &ids).await?;
        if let Some(failed) = jobs.iter().find(|job| has_failed(job)) {
            let why = failed.error.as_deref().unwrap_or("it was given up");
            return Err(Problem::Channel(format!("{}: {why}", entity(failed)?)).into());
        }
        if jobs.iter().all(|job| job.state == JobState::Done) {
            return Ok((StatusCode::OK, Json(SyncResponse::Done(counts(&jobs)?))));
        }
        if Instant::now() >= deadline || app.stopping.is_cancelled() {
            let pending = jobs.into_iter().filter(|job| job.state != JobState::Done).map(JobResponse::from).collect();
            return Ok((StatusCode::ACCEPTED, Json(SyncResponse::Pending(PendingSync { pending }))));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn jobs(app: &App, account: AccountId, ids: &[JobId]) -> Result<Vec<ListedJob>, ApiError> {
    let mut tx = app.db.read(account).await?;
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids {
        jobs.push(queue::find(&mut tx, account, *id).await?.ok_or(Problem::NotFound)?);
    }
    Ok(jobs)
}

/// True if an attempt has failed since the job was enqueued, which reset its attempts. A rate limit costs no attempt.
fn has_failed(job: &ListedJob) -> bool {
    match job.state {
        JobState::Waiting => job.attempts > 0 && !job.running,
        state => state != JobState::Done,
    }
}

fn entity(job: &ListedJob) -> Result<Entity, ApiError> {
    let poll: Result<RunPoll, _> = Deserialize::deserialize(&job.payload.0);
    poll.map(|poll| poll.entity).map_err(|_| Problem::Internal.into())
}

fn counts(jobs: &[ListedJob]) -> Result<BTreeMap<Entity, OutcomeCounts>, ApiError> {
    let mut counts: BTreeMap<Entity, OutcomeCounts> = BTreeMap::new();
    for job in jobs {
        let of_entity = counts.entry(entity(job)?).or_default();
        let Some(report) = &job.report else { continue };
        let report: OutcomeCounts = Deserialize::deserialize(&report.0).map_err(|_| Problem::Internal)?;
        for (outcome, count) in report {
            *of_entity.entry(outcome).or_default() += count;
        }
    }
    Ok(counts)
}
