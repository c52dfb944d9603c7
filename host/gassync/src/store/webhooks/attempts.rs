use gassync_domain::{AccountId, Timestamp};
use sqlx::FromRow;

use crate::store::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

/// One time that a subscriber was told of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// The tenant.
    pub account: AccountId,
    /// The delivery, which is a job.
    pub job: i64,
    /// Which of the times that count it was, from 1: one at which it was asked to come later does not.
    pub attempt: i64,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Of the answer, where there was one.
    pub status: Option<i64>,
    /// Why there was none.
    pub error_kind: Option<&'static str>,
    /// Its first characters, where they may be kept.
    pub answer: Option<String>,
}

/// How a subscriber takes what it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHealth {
    /// The tenant.
    pub account: AccountId,
    /// The subscription.
    pub webhook: i64,
    /// As which it was told.
    pub revision: i64,
    /// Whether anything arrived; it failed where nothing did, however much that was.
    pub any_delivered: bool,
}

/// An attempt, as it is shown.
#[derive(Debug, Clone, FromRow)]
pub struct AttemptRow {
    /// Which time it was, from 1.
    pub attempt: i64,
    /// When it began.
    pub at: Time,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Of the answer, where there was one.
    pub status: Option<i64>,
    /// Why there was none.
    pub error_kind: Option<String>,
    /// Its first characters, where they may be kept.
    pub answer: Option<String>,
}

/// Writes attempts, and how their subscribers stand by now. A platform query.
pub async fn record_attempts(
    tx: &mut Tx,
    attempts: &[NewAttempt],
    healths: &[EndpointHealth],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("job_id", ColumnType::Int),
        ("attempt", ColumnType::Int),
        ("at", ColumnType::Time),
        ("duration_ms", ColumnType::Int),
        ("status", ColumnType::Int),
        ("error_kind", ColumnType::Text),
        ("answer", ColumnType::Text),
    ]);
    for attempt in attempts {
        new.push([
            attempt.account.0.into(),
            attempt.job.into(),
            attempt.attempt.into(),
            attempt.at.into(),
            attempt.duration_ms.into(),
            attempt.status.into(),
            attempt.error_kind.into(),
            (&attempt.answer).into(),
        ]);
    }
    let text =
        "insert into int_delivery_attempts (account_id, job_id, attempt, at, duration_ms, status, error_kind, answer)
        select account_id, job_id, attempt, at, duration_ms, status, error_kind, answer from new where true";
    new.write(tx, &[], text).await?;
    let mut order: Vec<&EndpointHealth> = healths.iter().collect();
    order.sort_by_key(|health| (health.account, health.webhook));
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("webhook_id", ColumnType::Int),
        ("revision", ColumnType::Int),
        ("any_delivered", ColumnType::Int),
    ]);
    for EndpointHealth { account, webhook, revision, any_delivered } in order {
        new.push([account.0.into(), (*webhook).into(), (*revision).into(), i64::from(*any_delivered).into()]);
    }
    // One that was changed meanwhile begins anew: how the former fared says nothing of it.
    macro_rules! update {
        ($now:literal) => {
            concat!(
                "update int_webhooks set last_triggered_at = ", $now, ",
                    last_delivered_at = case when new.any_delivered = 1 then ", $now, " else int_webhooks.last_delivered_at end,
                    failing_since = case when int_webhooks.revision <> new.revision then int_webhooks.failing_since
                        when new.any_delivered = 1 then null else coalesce(int_webhooks.failing_since, ", $now, ") end,
                    failures = case when int_webhooks.revision <> new.revision then int_webhooks.failures
                        when new.any_delivered = 1 then 0 else int_webhooks.failures + 1 end
                from new where int_webhooks.account_id = new.account_id and int_webhooks.id = new.webhook_id"
            )
        };
    }
    let text = tx.dialect(update!("$1"), update!("cast($1 as timestamptz)"));
    new.write(tx, &[now.into()], text).await
}

/// The times that a delivery was tried, in their order.
pub async fn attempts_of(tx: &mut Tx, account: AccountId, job: i64) -> Result<Vec<AttemptRow>> {
    let text = "select row_number() over (order by id) as attempt, at, duration_ms, status, error_kind, answer
        from int_delivery_attempts where account_id = $1 and job_id = $2 order by id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(job).fetch_all(c).await)
}
