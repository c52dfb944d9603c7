//! Requests and responses about jobs.

use std::collections::BTreeMap;

use gassync_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::queue::{self, JobState, ListedJob, RunState};

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
    pub state: Option<JobState>,
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

gassync_domain::words! {
    /// Where a job stands now.
    pub enum JobStatus {
        /// It waits.
        Waiting = "waiting",
        /// A worker runs it.
        Running = "running",
        /// It is done.
        Done = "done",
        /// It was given up.
        Dead = "dead",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

impl JobStatus {
    fn of(job: &ListedJob) -> Self {
        match job.state {
            _ if job.running => Self::Running,
            JobState::Waiting => Self::Waiting,
            JobState::Done => Self::Done,
            JobState::Dead => Self::Dead,
            JobState::Cancelled => Self::Cancelled,
        }
    }
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
    /// Where it stands.
    pub state: JobStatus,
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
    /// What it did: of polls the number of records by outcome.
    pub report: Option<Value>,
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
    /// How far it is.
    pub state: RunState,
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
            state: JobStatus::of(&job),
            source: job.source_name,
            kind: job.kind,
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
            report: job.report.as_ref().map(|report| report.0.clone()),
            job: job.into(),
        }
    }
}

impl From<queue::RunProgress> for JobRun {
    fn from(run: queue::RunProgress) -> Self {
        Self {
            id: run.id.0,
            state: run.reached(),
            jobs: run.jobs,
            waiting: run.waiting,
            done: run.done,
            dead: run.dead,
            cancelled: run.cancelled,
        }
    }
}
