//! Durable jobs that wait for their time, in queues: one holder at a time has a queue, and accounts take turns.
//!
//! Every writer writes a queue before its jobs, in the order of account, source and queue, so that no two writers
//! deadlock.

mod claim;
mod finish;
mod lease;
mod list;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use gassync_domain::{AccountId, JobId, RunId, SourceId, SourceKey, Timestamp, WebhookId};
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use super::{
    Result, Time, Tx, on,
    rows::{Cell, ColumnType, Rows},
};

pub use claim::{BatchPolicy, Claim, WorkerPool, claim, is_waiting};
pub use finish::{JobResult, Pause, QueueResult, complete};
pub use lease::{QueueLease, acquire, extend, release};
pub use list::{JobQuery, JobState, ListedJob, find, get, latest, list};
pub use runs::{DeadJobs, RunProgress, RunState, cancel, cancel_run, count_dead, run_progress, start_run};

/// A source's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKey {
    /// Calls to its channel.
    Channel,
    /// Work on this host alone.
    Host,
    /// Deliveries to the subscription of this number.
    Webhook(WebhookId),
}

impl QueueKey {
    /// The column `queue_kind`. Its order is that of the keys.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Host => "host",
            Self::Webhook(_) => "webhook",
        }
    }

    /// The column `subscription_id`: 0 in queues of no subscription.
    pub const fn subscription_id(self) -> i64 {
        match self {
            Self::Channel | Self::Host => 0,
            Self::Webhook(id) => id.0,
        }
    }

    fn from_columns(kind: &str, subscription_id: i64) -> Self {
        match kind {
            "webhook" => Self::Webhook(WebhookId(subscription_id)),
            "host" => Self::Host,
            _ => Self::Channel,
        }
    }
}

/// When a job is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// This long after it is enqueued.
    After(SignedDuration),
    /// At this time.
    At(Timestamp),
}

impl Due {
    /// At once.
    pub const NOW: Self = Self::After(SignedDuration::ZERO);

    fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(delay) => now.checked_add(delay).unwrap_or(Timestamp::MAX),
            Self::At(time) => time,
        }
    }
}

/// A job to enqueue. An identical job (source, kind, payload) waits only once: at the earlier time, with the higher
/// priority, its attempts reset.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The source.
    pub source: SourceKey,
    /// Which queue.
    pub queue: QueueKey,
    /// Its kind.
    pub kind: &'static str,
    /// Its payload.
    pub payload: Value,
    /// Lower is more urgent.
    pub priority: i64,
    /// When it is due.
    pub due: Due,
    /// Not retried once it is older than this; `None` for no deadline.
    pub max_age: Option<SignedDuration>,
    /// Sequence number of the event to deliver.
    pub sequence: Option<i64>,
    /// The run that retries it.
    pub run: Option<RunId>,
}

impl NewJob {
    /// The same, due this long after it is enqueued.
    pub fn after(self, delay: SignedDuration) -> Self {
        Self { due: Due::After(delay), ..self }
    }

    /// The same, due at this time.
    pub fn at(self, time: Timestamp) -> Self {
        Self { due: Due::At(time), ..self }
    }

    /// The same with another priority.
    pub fn with_priority(self, priority: i64) -> Self {
        Self { priority, ..self }
    }

    /// The same as part of a run.
    pub fn in_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }
}

/// A claimed job.
#[derive(Debug, Clone)]
pub struct ClaimedJob {
    /// The tenant.
    pub account: AccountId,
    /// Its id.
    pub id: JobId,
    /// The source.
    pub source: SourceId,
    /// Its kind.
    pub kind: String,
    /// Its payload.
    pub payload: Value,
    /// Attempts, including this one.
    pub attempts: u32,
    /// Not retried after this.
    pub deadline: Option<Timestamp>,
    /// When it was enqueued first.
    pub created_at: Timestamp,
    /// Sequence number of the event to deliver.
    pub sequence: Option<i64>,
    version: i64,
    /// The fencing token of the claim that began it.
    pub claim: i64,
}

impl ClaimedJob {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    source_id: i64,
    kind: String,
    payload: Json<Value>,
    attempts: i64,
    deadline: Option<Time>,
    created_at: Time,
    sequence: Option<i64>,
    version: i64,
    claim: i64,
}

/// Columns returned by statements that claim jobs.
const JOB_COLUMNS: &str = "int_jobs.account_id, int_jobs.id, int_jobs.source_id, int_jobs.kind, int_jobs.payload,
    int_jobs.attempts, int_jobs.deadline, int_jobs.created_at, int_jobs.sequence, int_jobs.version, int_jobs.claim";

impl From<Row> for ClaimedJob {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: JobId(row.id),
            source: SourceId(row.source_id),
            kind: row.kind,
            payload: row.payload.0,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            deadline: row.deadline.map(Timestamp::from),
            created_at: row.created_at.into(),
            sequence: row.sequence,
            version: row.version,
            claim: row.claim,
        }
    }
}

/// Enqueues jobs.
pub async fn enqueue(tx: &mut Tx, work: &[NewJob], now: Timestamp) -> Result<()> {
    // When each queue is due, and the priority of its most urgent job.
    let mut queues: BTreeMap<(i64, i64, QueueKey), (Timestamp, i64)> = BTreeMap::new();
    for put in work {
        let SourceKey { account, source } = put.source;
        let run_at = put.due.time(now);
        let (due_at, priority) = queues.entry((account.0, source.0, put.queue)).or_insert((run_at, put.priority));
        *due_at = run_at.min(*due_at);
        *priority = put.priority.min(*priority);
    }
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("queue_kind", ColumnType::Text),
        ("subscription_id", ColumnType::Int),
        ("due_at", ColumnType::Time),
        ("effective_priority", ColumnType::Int),
    ]);
    for ((account, source, queue), (due_at, priority)) in queues {
        new.push([
            account.into(),
            source.into(),
            queue.kind().into(),
            queue.subscription_id().into(),
            due_at.into(),
            priority.into(),
        ]);
    }
    let text = "insert into int_queues
            (account_id, source_id, queue_kind, subscription_id, due_at, effective_priority, last_served_at)
        select account_id, source_id, queue_kind, subscription_id, due_at, effective_priority, $1 from new where true
        order by account_id, source_id, queue_kind, subscription_id
        on conflict (account_id, source_id, queue_kind, subscription_id) do update set
            due_at = case when int_queues.due_at < excluded.due_at then int_queues.due_at else excluded.due_at end,
            effective_priority = case
                when int_queues.due_at is not null and int_queues.effective_priority < excluded.effective_priority
                then int_queues.effective_priority else excluded.effective_priority end";
    new.write(tx, &[now.into()], text).await?;
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("queue_kind", ColumnType::Text),
        ("subscription_id", ColumnType::Int),
        ("kind", ColumnType::Text),
        ("payload", ColumnType::Json),
        ("priority", ColumnType::Int),
        ("run_at", ColumnType::Time),
        ("deadline", ColumnType::Time),
        ("sequence", ColumnType::Int),
        ("run_id", ColumnType::Int),
    ]);
    let mut named = BTreeSet::new();
    for put in work {
        // A statement may write a row only once.
        if named.insert((put.source, put.kind, put.payload.to_string())) {
            let deadline = put.max_age.and_then(|max_age| now.checked_add(max_age).ok());
            new.push([
                put.source.account.0.into(),
                put.source.source.0.into(),
                put.queue.kind().into(),
                put.queue.subscription_id().into(),
                put.kind.into(),
                Cell::json(Some(&put.payload))?,
                put.priority.into(),
                put.due.time(now).into(),
                deadline.into(),
                put.sequence.into(),
                put.run.map(|run| run.0).into(),
            ]);
        }
    }
    let text = "insert into int_jobs (account_id, source_id, queue_kind, subscription_id, kind, payload, priority, state,
            attempts, run_at, deadline, sequence, run_id, created_at)
        select account_id, source_id, queue_kind, subscription_id, kind, payload, priority, 'waiting', 0, run_at, deadline,
            sequence, run_id, $1
        from new where true
        on conflict (account_id, source_id, kind, payload) where state = 'waiting' do update set
            run_at = case when excluded.run_at < int_jobs.run_at then excluded.run_at else int_jobs.run_at end,
            priority = case when excluded.priority < int_jobs.priority then excluded.priority else int_jobs.priority end,
            deadline = excluded.deadline, version = int_jobs.version + 1, attempts = 0, run_id = excluded.run_id";
    new.write(tx, &[now.into()], text).await
}

/// Whether an identical job is waiting.
pub async fn is_enqueued(tx: &mut Tx, job: &NewJob) -> Result<bool> {
    Ok(waiting_id(tx, job).await?.is_some())
}

/// The id of the identical job that waits.
pub async fn waiting_id(tx: &mut Tx, job: &NewJob) -> Result<Option<JobId>> {
    let text = "select id from int_jobs
        where account_id = $1 and source_id = $2 and kind = $3 and payload = $4 and state = 'waiting'";
    let SourceKey { account, source } = job.source;
    let id: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(job.kind)
        .bind(Json(&job.payload)).fetch_optional(c).await)?;
    Ok(id.map(JobId))
}

/// Stores what a claimed job did, for people who wait for it.
pub async fn record_report(tx: &mut Tx, job: &ClaimedJob, report: &Value) -> Result<()> {
    let text = "update int_jobs set report = $4 where account_id = $1 and id = $2 and claim = $3";
    on!(tx, c => sqlx::query(text).bind(job.account.0).bind(job.id.0).bind(job.claim).bind(Json(report)).execute(c).await
        .map(drop))
}
