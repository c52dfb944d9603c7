//! Dead jobs: count those that match a query, retry them in one run, follow it, and cancel it. Deliveries are excluded:
//! a replay repeats them. Platform queries.

use gassync_domain::{JobId, RunId, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use super::JobQuery;
use crate::{Result, Time, Tx, on};

/// Dead jobs of a source and kind that a run would retry.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeadJobs {
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The channel.
    pub source_type: String,
    /// The kind.
    pub kind: String,
    /// How many.
    pub jobs: i64,
}

pub use gassync_domain::RunState;

/// Progress of a run.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RunProgress {
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: RunId,
    /// `running` or `cancelled`, as stored; see [`RunProgress::reached`].
    #[sqlx(try_from = "String")]
    pub state: RunState,
    /// Jobs it retries.
    pub jobs: i64,
    /// Jobs still waiting.
    pub waiting: i64,
    /// Jobs done.
    pub done: i64,
    /// Jobs dead again.
    pub dead: i64,
    /// Jobs cancelled: duplicates, or the run was cancelled.
    pub cancelled: i64,
}

impl RunProgress {
    /// How far it is: a run is done once no job waits.
    pub fn reached(&self) -> RunState {
        if self.state == RunState::Running && self.waiting == 0 { RunState::Done } else { self.state }
    }
}

/// A statement about the dead jobs that a query matches.
macro_rules! of_dead_jobs {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " state = 'dead' and queue_kind <> 'webhook' and ($1 is null or source_id = $1) and ($2 is null or kind = $2)
            and ($3 is null or created_at >= $3) ",
            $after
        )
    };
}

/// Counts matching dead jobs by source and kind.
pub async fn count_dead(tx: &mut Tx, filter: &JobQuery) -> Result<Vec<DeadJobs>> {
    let text = of_dead_jobs!(
        "select j.source_id, s.source_name, s.source_type, j.kind, count(*) as jobs
        from (select account_id, source_id, kind from int_jobs where",
        ") j
        join int_sources s on s.account_id = j.account_id and s.id = j.source_id
        group by j.source_id, s.source_name, s.source_type, j.kind order by j.source_id, j.kind"
    );
    on!(tx, c => sqlx::query_as(text).bind(filter.source.map(|id| id.0)).bind(&filter.kind)
        .bind(filter.since.map(Time::from)).fetch_all(c).await)
}

/// Retries matching dead jobs, each once, until `deadline`; returns the run's id.
pub async fn start_run(
    tx: &mut Tx,
    filter: &JobQuery,
    shown: &Value,
    (now, deadline): (Timestamp, Timestamp),
) -> Result<RunId> {
    let text = "insert into int_job_runs (filter, state, jobs, created_at) values ($1, 'running', 0, $2) returning id";
    let run: i64 =
        on!(&mut *tx, c => sqlx::query_scalar(text).bind(Json(shown)).bind(Time::from(now)).fetch_one(c).await)?;
    // Queues before jobs, as everywhere.
    let text = of_dead_jobs!(
        "insert into int_queues (account_id, source_id, queue_kind, subscription_id, due_at, last_served_at)
        select distinct account_id, source_id, queue_kind, subscription_id, cast($4 as timestamptz), cast($4 as timestamptz)
        from int_jobs where",
        "order by account_id, source_id, queue_kind, subscription_id
        on conflict (account_id, source_id, queue_kind, subscription_id) do update set due_at = case
            when int_queues.due_at < excluded.due_at then int_queues.due_at else excluded.due_at end"
    );
    let text = tx.dialect(SQLITE_QUEUES, text);
    on!(&mut *tx, c => sqlx::query(text).bind(filter.source.map(|id| id.0)).bind(&filter.kind)
        .bind(filter.since.map(Time::from)).bind(Time::from(now)).execute(c).await.map(drop))?;
    let text = of_dead_jobs!(
        "update int_jobs set state = 'cancelled', run_id = $4, finished_at = $5 where",
        "and exists (select 1 from int_jobs o where o.account_id = int_jobs.account_id
                and o.source_id = int_jobs.source_id and o.kind = int_jobs.kind and o.payload = int_jobs.payload
                and (o.state = 'waiting' or (o.state = 'dead' and o.id > int_jobs.id)))"
    );
    let twice = on!(&mut *tx, c => sqlx::query(text).bind(filter.source.map(|id| id.0)).bind(&filter.kind)
        .bind(filter.since.map(Time::from)).bind(run).bind(Time::from(now)).execute(c).await
        .map(|done| done.rows_affected()))?;
    let text = of_dead_jobs!(
        "update int_jobs set state = 'waiting', run_id = $4, attempts = 0, version = version + 1, run_at = $5,
            deadline = $6, finished_at = null where",
        ""
    );
    let again = on!(&mut *tx, c => sqlx::query(text).bind(filter.source.map(|id| id.0)).bind(&filter.kind)
        .bind(filter.since.map(Time::from)).bind(run).bind(Time::from(now)).bind(Time::from(deadline)).execute(c).await
        .map(|done| done.rows_affected()))?;
    let text = "update int_job_runs set jobs = $2 where id = $1";
    let jobs = i64::try_from(twice + again).unwrap_or(i64::MAX);
    on!(tx, c => sqlx::query(text).bind(run).bind(jobs).execute(c).await.map(drop))?;
    Ok(RunId(run))
}

/// For SQLite, which has no types to cast to and reads the conflict clause as a join condition.
const SQLITE_QUEUES: &str = of_dead_jobs!(
    "insert into int_queues (account_id, source_id, queue_kind, subscription_id, due_at, last_served_at)
    select distinct account_id, source_id, queue_kind, subscription_id, $4, $4 from int_jobs where",
    "on conflict (account_id, source_id, queue_kind, subscription_id) do update set due_at = case
        when int_queues.due_at < excluded.due_at then int_queues.due_at else excluded.due_at end"
);

/// Progress of a run.
pub async fn run_progress(tx: &mut Tx, run: RunId) -> Result<Option<RunProgress>> {
    let text = "select r.id, r.state, r.jobs,
            (select count(*) from int_jobs j where j.run_id = r.id and j.state = 'waiting') as waiting,
            (select count(*) from int_jobs j where j.run_id = r.id and j.state = 'done') as done,
            (select count(*) from int_jobs j where j.run_id = r.id and j.state = 'dead') as dead,
            (select count(*) from int_jobs j where j.run_id = r.id and j.state = 'cancelled') as cancelled
        from int_job_runs r where r.id = $1";
    on!(tx, c => sqlx::query_as(text).bind(run.0).fetch_optional(c).await)
}

/// Cancels a run and its waiting jobs. Running jobs continue, otherwise their completion would be lost.
pub async fn cancel_run(tx: &mut Tx, run: RunId, now: Timestamp) -> Result<()> {
    let text = "update int_job_runs set state = 'cancelled', cancelled_at = $2 where id = $1 and state = 'running'";
    on!(&mut *tx, c => sqlx::query(text).bind(run.0).bind(Time::from(now)).execute(c).await.map(drop))?;
    // Queues before jobs, as everywhere.
    if let Tx::Postgres(inner, _) = tx {
        let text = "select l.fencing_token from (
                select distinct account_id, source_id, queue_kind, subscription_id from int_jobs
                where run_id = $1 and state = 'waiting'
            ) j join int_queues l on l.account_id = j.account_id and l.source_id = j.source_id
                and l.queue_kind = j.queue_kind and l.subscription_id = j.subscription_id
            order by l.account_id, l.source_id, l.queue_kind, l.subscription_id for update of l";
        sqlx::query(text).bind(run.0).execute(&mut **inner).await?;
    }
    let text = "update int_jobs set state = 'cancelled', finished_at = $2 where run_id = $1 and state = 'waiting'
        and not exists (select 1 from int_queues l where l.account_id = int_jobs.account_id
            and l.source_id = int_jobs.source_id and l.queue_kind = int_jobs.queue_kind
            and l.subscription_id = int_jobs.subscription_id and l.fencing_token = int_jobs.claim
            and l.busy_until > $2)";
    on!(tx, c => sqlx::query(text).bind(run.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Cancels a waiting or dead job; `false` if there is none. Not for recurring jobs, which would never run again.
pub async fn cancel(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool> {
    let text = "update int_jobs set state = 'cancelled', finished_at = $2
        where id = $1 and state in ('waiting', 'dead')";
    on!(tx, c => sqlx::query(text).bind(id.0).bind(Time::from(now)).execute(c).await.map(|done| done.rows_affected() > 0))
}
