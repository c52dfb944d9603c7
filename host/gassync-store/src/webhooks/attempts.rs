use gassync_domain::{AccountId, DeliveryId, JobId, Timestamp, WebhookId};
use sqlx::FromRow;

use crate::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

/// A delivery attempt to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// Account.
    pub account: AccountId,
    /// The delivery, which is a job.
    pub job: JobId,
    /// Attempt number from 1; deferrals are not counted.
    pub attempt: i64,
    /// Start time.
    pub at: Timestamp,
    /// Duration in milliseconds.
    pub duration_ms: i64,
    /// HTTP status, if there was a response.
    pub status: Option<i64>,
    /// Why there was no response.
    pub error_kind: Option<&'static str>,
    /// Redacted excerpt of the response body, if it may be stored.
    pub answer: Option<String>,
}

/// The health of an endpoint after a dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Account.
    pub account: AccountId,
    /// The subscription.
    pub webhook: WebhookId,
    /// The revision that the deliveries used.
    pub revision: i64,
    /// Whether any delivery succeeded; if none did, the dispatch counts as one failure.
    pub any_delivered: bool,
}

/// A stored attempt.
#[derive(Debug, Clone, FromRow)]
pub struct AttemptRow {
    /// Attempt number, from 1.
    pub attempt: i64,
    /// Start time.
    pub at: Time,
    /// Duration in milliseconds.
    pub duration_ms: i64,
    /// HTTP status, if there was a response.
    pub status: Option<i64>,
    /// Why there was no response.
    pub error_kind: Option<String>,
    /// Redacted excerpt of the response body, if it may be stored.
    pub answer: Option<String>,
}

/// Stores attempts and updates endpoint health. A platform query.
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
            attempt.job.0.into(),
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
        new.push([account.0.into(), webhook.0.into(), (*revision).into(), i64::from(*any_delivered).into()]);
    }
    // A subscription changed meanwhile starts with fresh health: these results belong to the previous revision.
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

/// The attempts of a delivery, in order.
pub async fn attempts_of(tx: &mut Tx, account: AccountId, delivery: DeliveryId) -> Result<Vec<AttemptRow>> {
    let text = "select row_number() over (order by id) as attempt, at, duration_ms, status, error_kind, answer
        from int_delivery_attempts where account_id = $1 and job_id = $2 order by id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(delivery.0).fetch_all(c).await)
}
