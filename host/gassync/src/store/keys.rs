//! API keys, by their hash.

use gassync_domain::{AccountId, SourceId, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// Whom an API key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The tenant.
    pub account: AccountId,
    /// What the caller writes as.
    pub source: SourceId,
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    source_id: i64,
}

/// Keeps the hash of a new key; the key itself is shown once and never stored.
pub async fn create(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    name: &str,
    (prefix, hash): (&str, &str),
    now: Timestamp,
) -> Result<i64> {
    let text = "insert into int_api_keys (account_id, source_id, name, prefix, hash, created_at)
        values ($1, $2, $3, $4, $5, $6) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(name).bind(prefix).bind(hash)
        .bind(Time::from(now)).fetch_one(c).await)
}

/// Who holds the live key with this hash. A platform query: nobody is known before it.
pub async fn holder(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<Option<KeyHolder>> {
    let text = "select k.account_id, k.source_id from int_api_keys k
        join int_sources s on s.account_id = k.account_id and s.id = k.source_id
        where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
          and s.status = 'active'";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(hash).bind(Time::from(now)).fetch_optional(c).await)?;
    Ok(row.map(|r| KeyHolder { account: AccountId(r.account_id), source: SourceId(r.source_id) }))
}
