//! Responses stored by Idempotency-Key.

use gassync_domain::{AccountId, Timestamp};
use jiff::SignedDuration;
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// How long a response is stored.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// An Idempotency-Key, scoped to an API key and endpoint.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey<'a> {
    /// API key of the caller.
    pub api_key: i64,
    /// Method and path.
    pub endpoint: &'a str,
    /// Value of the header.
    pub key: &'a str,
}

/// A stored response and the fingerprint of its request.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredResponse {
    /// Hash of the request.
    pub request_hash: String,
    /// HTTP status.
    pub status: i64,
    /// Media type of the body.
    pub content_type: String,
    /// Body.
    pub body: String,
}

/// The response stored under this key.
pub async fn find(tx: &mut Tx, account: AccountId, key: IdempotencyKey<'_>) -> Result<Option<StoredResponse>> {
    let text = "select request_hash, status, content_type, body from int_idempotency_keys
        where account_id = $1 and api_key_id = $2 and endpoint = $3 and idempotency_key = $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(key.api_key).bind(key.endpoint).bind(key.key)
        .fetch_optional(c).await)
}

/// Stores a response in the transaction of its effect. False if the key exists already: then the transaction must not
/// commit.
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

/// Deletes expired responses. A platform query.
pub async fn delete_before(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let text = "delete from int_idempotency_keys where created_at < $1";
    on!(tx, c => sqlx::query(text).bind(Time::from(before)).execute(c).await.map(drop))
}
