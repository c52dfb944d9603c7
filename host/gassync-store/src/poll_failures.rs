//! Failing polls, until they succeed again.

use gassync_domain::{SourceKey, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// A poll that has not succeeded since it failed.
#[derive(Debug, Clone, FromRow)]
pub struct PollFailure {
    /// Name of the poll: the entity, and its queue if it has one.
    pub poll: String,
    /// Consecutive failures.
    pub failures: i64,
    /// Time of the first failure.
    pub first_failed_at: Time,
    /// Time of the last failure.
    pub last_failed_at: Time,
    /// Error of the last failure.
    pub message: String,
    /// Whether it puts its source in error.
    pub bad: bool,
}

/// Records a failure of a poll.
pub async fn record(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (poll, message): (&str, &str),
    now: Timestamp,
) -> Result<PollFailure> {
    let text = "insert into int_poll_failures
            (account_id, source_id, poll, failures, first_failed_at, last_failed_at, message, bad)
        values ($1, $2, $3, 1, $5, $5, $4, 1 = 0)
        on conflict (account_id, source_id, poll) do update set failures = int_poll_failures.failures + 1,
            last_failed_at = excluded.last_failed_at, message = excluded.message
        returning poll, failures, first_failed_at, last_failed_at, message, bad";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(poll).bind(message).bind(Time::from(now))
        .fetch_one(c).await)
}

/// Records that a poll's failures put its source in error.
pub async fn mark_bad(tx: &mut Tx, SourceKey { account, source }: SourceKey, poll: &str) -> Result<()> {
    let text = "update int_poll_failures set bad = 1 = 1 where account_id = $1 and source_id = $2 and poll = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(poll).execute(c).await.map(drop))
}

/// Deletes the failures of a poll; `false` if there were none.
pub async fn clear(tx: &mut Tx, SourceKey { account, source }: SourceKey, poll: &str) -> Result<bool> {
    let text = "delete from int_poll_failures where account_id = $1 and source_id = $2 and poll = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(poll).execute(c).await
        .map(|gone| gone.rows_affected() > 0))
}

/// A source's failing polls, longest failing first.
pub async fn of_source(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<PollFailure>> {
    let text = "select poll, failures, first_failed_at, last_failed_at, message, bad from int_poll_failures
        where account_id = $1 and source_id = $2 order by first_failed_at, poll";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)
}

/// A poll that puts its source in error.
#[derive(Debug, Clone, FromRow)]
pub struct PollInError {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// Name of the poll.
    pub poll: String,
    /// Consecutive failures.
    pub failures: i64,
    /// Error of the last failure.
    pub message: String,
    /// Failing since.
    pub since: Time,
}

/// Polls that put their sources in error. A platform query.
pub async fn failing(tx: &mut Tx) -> Result<Vec<PollInError>> {
    let text = "select f.account_id, f.source_id, s.source_name, f.poll, f.failures, f.message,
            f.first_failed_at as since
        from int_poll_failures f join int_sources s on s.account_id = f.account_id and s.id = f.source_id
        where f.bad and s.status = 'error' order by f.account_id, f.source_id, f.poll";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}
