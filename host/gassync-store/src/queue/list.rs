//! Lists jobs. Platform queries.

use gassync_domain::{AccountId, JobId, SourceId, SourceKey, Timestamp};
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use crate::{Result, Time, Tx, on, word};

gassync_domain::words! {
    /// Where a job stands.
    pub enum JobState {
        /// It waits, or runs.
        Waiting = "waiting",
        /// It is done.
        Done = "done",
        /// It was given up.
        Dead = "dead",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

/// A query of jobs; absent fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Of this source.
    pub source: Option<SourceId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Where they stand.
    pub state: Option<JobState>,
    /// Enqueued since.
    pub since: Option<Timestamp>,
}

/// A job as it is listed.
#[derive(Debug, Clone, FromRow)]
pub struct ListedJob {
    /// The tenant.
    pub account_id: i64,
    /// Its id.
    #[sqlx(try_from = "i64")]
    pub id: JobId,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// Its kind.
    pub kind: String,
    /// Its payload.
    pub payload: Json<Value>,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: JobState,
    /// Whether it is running.
    pub running: bool,
    /// Lower is more urgent.
    pub priority: i64,
    /// Attempts.
    pub attempts: i64,
    /// When it is due, or was.
    pub run_at: Time,
    /// Not retried after this.
    pub deadline: Option<Time>,
    /// Error of the last attempt.
    pub error: Option<String>,
    /// Why its queue is paused.
    pub pause_reason: Option<String>,
    /// Until when its queue is paused.
    pub paused_until: Option<Time>,
    /// When it was enqueued first.
    pub created_at: Time,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// What it did.
    pub report: Option<Json<Value>>,
}

macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "select j.account_id, j.id, j.source_id, s.source_name, j.kind, j.payload, j.state,
                coalesce(j.state = 'waiting' and l.fencing_token = j.claim and l.busy_until is not null, 1 = 0) as running,
                j.priority, j.attempts, j.run_at, j.deadline, j.error, l.pause_reason, l.paused_until, j.created_at, j.finished_at, j.report
            from int_jobs j
            join int_sources s on s.account_id = j.account_id and s.id = j.source_id
            left join int_queues l on l.account_id = j.account_id and l.source_id = j.source_id
                and l.queue_kind = j.queue_kind and l.subscription_id = j.subscription_id ",
            $rest
        )
    };
}

/// The newest matching jobs, before the id `before` if given.
pub async fn list(tx: &mut Tx, filter: &JobQuery, before: Option<i64>, limit: i64) -> Result<Vec<ListedJob>> {
    let text = select_jobs!(
        "where ($1 is null or j.source_id = $1) and ($2 is null or j.kind = $2) and ($3 is null or j.state = $3)
            and ($4 is null or j.created_at >= $4) and ($5 is null or j.id < $5)
        order by j.id desc limit $6"
    );
    on!(tx, c => sqlx::query_as(text).bind(filter.source.map(|id| id.0)).bind(&filter.kind)
        .bind(filter.state.map(JobState::as_str)).bind(filter.since.map(Time::from)).bind(before).bind(limit).fetch_all(c).await)
}

/// By its id.
pub async fn get(tx: &mut Tx, id: JobId) -> Result<Option<ListedJob>> {
    let text = select_jobs!("where j.id = $1");
    on!(tx, c => sqlx::query_as(text).bind(id.0).fetch_optional(c).await)
}

/// By its id, of an account.
pub async fn find(tx: &mut Tx, account: AccountId, id: JobId) -> Result<Option<ListedJob>> {
    let text = select_jobs!("where j.account_id = $1 and j.id = $2");
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)
}

/// State and error of the newest job of a kind.
pub async fn latest(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: &str,
) -> Result<Option<(JobState, Option<String>)>> {
    let text = "select state, error from int_jobs where account_id = $1 and source_id = $2 and kind = $3
        order by id desc limit 1";
    let row: Option<(String, Option<String>)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(kind).fetch_optional(c).await)?;
    row.map(|(state, error)| Ok((word(state)?, error))).transpose()
}
