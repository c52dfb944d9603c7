//! Completes claimed jobs of many queues at once.

use gassync_domain::Timestamp;

use super::{Claim, ClaimedJob};
use crate::{
    Result, Tx,
    rows::{Cell, ColumnType, Rows},
};

/// Result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobResult {
    /// Done.
    Done,
    /// Failed: to be retried.
    Retry {
        /// Why.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// Not attempted: to be tried later, without counting an attempt.
    Snoozed {
        /// Why.
        why: String,
        /// When.
        at: Timestamp,
    },
    /// Given up: not retried automatically.
    Dead {
        /// Why.
        why: String,
    },
}

impl JobResult {
    /// Its name in logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry { .. } => "retry",
            Self::Snoozed { .. } => "snoozed",
            Self::Dead { .. } => "dead",
        }
    }
}

/// A pause of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub why: String,
}

/// A queue to be released, with the results of its jobs.
#[derive(Debug)]
pub struct QueueResult {
    /// What was claimed.
    pub claim: Claim,
    /// Results of its jobs, in order.
    pub results: Vec<JobResult>,
    /// Pauses the queue.
    pub pause: Option<Pause>,
}

/// Stores job results and releases their queues. A job enqueued again meanwhile stays enqueued, and a queue leased by
/// another holder stays leased. A platform query.
pub async fn complete(tx: &mut Tx, releases: &[&QueueResult], now: Timestamp) -> Result<()> {
    let mut order: Vec<&QueueResult> = releases.to_vec();
    order.sort_by_key(|release| (release.claim.account, release.claim.source, release.claim.queue));
    lock(tx, &order).await?;
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("id", ColumnType::Int),
        ("version", ColumnType::Int),
        ("claim", ColumnType::Int),
        ("state", ColumnType::Text),
        ("counted", ColumnType::Int),
        ("run_at", ColumnType::Time),
        ("why", ColumnType::Text),
    ]);
    for (job, result) in order.iter().flat_map(|release| release.claim.jobs.iter().zip(&release.results)) {
        new.push(cells(job, result));
    }
    let text = "update int_jobs set state = new.state, attempts = int_jobs.attempts - 1 + new.counted,
            run_at = coalesce(new.run_at, int_jobs.run_at), error = new.why,
            finished_at = case when new.state = 'waiting' then null else $1 end
        from new
        where int_jobs.account_id = new.account_id and int_jobs.id = new.id and int_jobs.version = new.version
            and int_jobs.claim = new.claim and int_jobs.state = 'waiting'";
    new.write(tx, &[now.into()], text).await?;
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("queue_kind", ColumnType::Text),
        ("subscription_id", ColumnType::Int),
        ("fencing_token", ColumnType::Int),
        ("paused_until", ColumnType::Time),
        ("pause_reason", ColumnType::Text),
    ]);
    for QueueResult { claim, pause, .. } in &order {
        new.push([
            claim.account.0.into(),
            claim.source.0.into(),
            claim.queue.kind().into(),
            claim.queue.subscription_id().into(),
            claim.fencing_token.into(),
            pause.as_ref().map(|pause| pause.until).into(),
            pause.as_ref().map(|pause| pause.why.as_str()).into(),
        ]);
    }
    let text =
        // A queue that is paused now was paused while it was held.
        "update int_queues set busy_until = null,
            paused_until = coalesce(new.paused_until, case when int_queues.paused_until > $1 then int_queues.paused_until end),
            pause_reason = coalesce(new.pause_reason, case when int_queues.paused_until > $1 then int_queues.pause_reason end),
            due_at = (select min(j.run_at) from int_jobs j
                where j.account_id = new.account_id and j.source_id = new.source_id and j.queue_kind = new.queue_kind
                    and j.subscription_id = new.subscription_id and j.state = 'waiting'),
            effective_priority = coalesce((select min(j.priority) from int_jobs j
                where j.account_id = new.account_id and j.source_id = new.source_id and j.queue_kind = new.queue_kind
                    and j.subscription_id = new.subscription_id and j.state = 'waiting'), 1)
        from new
        where int_queues.account_id = new.account_id and int_queues.source_id = new.source_id
            and int_queues.queue_kind = new.queue_kind and int_queues.subscription_id = new.subscription_id
            and int_queues.fencing_token = new.fencing_token";
    new.write(tx, &[now.into()], text).await
}

fn cells<'a>(job: &'a ClaimedJob, result: &'a JobResult) -> [Cell<'a>; 8] {
    let (state, counted, at, why) = match result {
        JobResult::Done => ("done", 1, None, None),
        JobResult::Retry { why, at } => ("waiting", 1, Some(*at), Some(why.as_str())),
        JobResult::Snoozed { why, at } => ("waiting", 0, Some(*at), Some(why.as_str())),
        JobResult::Dead { why } => ("dead", 1, None, Some(why.as_str())),
    };
    [
        job.account.0.into(),
        job.id.0.into(),
        job.version.into(),
        job.claim.into(),
        state.into(),
        i64::from(counted).into(),
        at.into(),
        why.into(),
    ]
}

/// Locks queues before jobs, and in one order, as enqueueing does.
async fn lock(tx: &mut Tx, order: &[&QueueResult]) -> Result<()> {
    if matches!(tx, Tx::Sqlite(..)) {
        return Ok(()); // SQLite has a single writer.
    }
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("queue_kind", ColumnType::Text),
        ("subscription_id", ColumnType::Int),
    ]);
    for QueueResult { claim, .. } in order {
        let queue = claim.queue;
        new.push([claim.account.0.into(), claim.source.0.into(), queue.kind().into(), queue.subscription_id().into()]);
    }
    let text = "select l.fencing_token from new cross join int_queues l
        where l.account_id = new.account_id and l.source_id = new.source_id and l.queue_kind = new.queue_kind
            and l.subscription_id = new.subscription_id
        order by l.account_id, l.source_id, l.queue_kind, l.subscription_id for update of l";
    let _: Vec<(i64,)> = new.read(tx, &[], text).await?;
    Ok(())
}
