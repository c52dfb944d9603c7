//! Answers that were given under a caller's key, to be given again.

use gassync_domain::{AccountId, Timestamp};
use jiff::SignedDuration;
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// How long an answer is kept.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// What an answer is kept under: a caller's key, for one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey<'a> {
    /// Which API key called.
    pub api_key: i64,
    /// Method and path.
    pub endpoint: &'a str,
    /// What the caller chose.
    pub key: &'a str,
}

/// An answer, and a fingerprint of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredResponse {
    /// Of the request's body.
    pub request_hash: String,
    /// HTTP status.
    pub status: i64,
    /// Media type of the body.
    pub content_type: String,
    /// As it was sent.
    pub body: String,
}

/// The answer given before under this key.
pub async fn find(tx: &mut Tx, account: AccountId, key: IdempotencyKey<'_>) -> Result<Option<StoredResponse>> {
    let text = "select request_hash, status, content_type, body from int_idempotency_keys
        where account_id = $1 and api_key_id = $2 and endpoint = $3 and idempotency_key = $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(key.api_key).bind(key.endpoint).bind(key.key)
        .fetch_optional(c).await)
}

/// Keeps an answer, in the transaction whose effect it tells of. False where another was faster: then this transaction
/// must not commit.
pub async fn insert(
    tx: &mut Tx,
    account: AccountId,
    key: IdempotencyKey<'_>,
    response: &StoredResponse,
    now: Timestamp,
) -> Result<bool> {
    let text = "insert into int_idempotency_keys
            (account_id, api_key_id, endpoint, idempotency_key, request_hash, status, content_type, body, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing";
    let rows = on!(tx, c => sqlx::query(text).bind(account.0).bind(key.api_key).bind(key.endpoint).bind(key.key)
        .bind(&response.request_hash).bind(response.status).bind(&response.content_type).bind(&response.body)
        .bind(Time::from(now)).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows == 1)
}

/// Forgets what is old. A platform query.
pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let text = "delete from int_idempotency_keys where created_at < $1";
    on!(tx, c => sqlx::query(text).bind(Time::from(before)).execute(c).await.map(drop))
}
