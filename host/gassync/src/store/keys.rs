//! API keys, by their hash.

use gassync_domain::{AccountId, Authority, SourceId, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{Result, Time, Tx, on};

/// Whom an API key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's own key.
    pub id: i64,
    /// The tenant.
    pub account: AccountId,
    /// What the caller writes as.
    pub source: SourceId,
    /// Where that source stands: `active`, `paused`, …
    pub status: String,
    /// Whether that source creates core entities.
    pub creates: bool,
    /// What that source has the say over.
    pub authority: Authority,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Whether what would have to be mended is refused.
    pub strict: bool,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl KeyHolder {
    /// Whether its source takes part; one whose polls fail does.
    pub fn may_call(&self) -> bool {
        matches!(self.status.as_str(), "active" | "error")
    }
}

/// A key to be kept. The key itself is shown once and never stored.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// What the caller writes as.
    pub source: SourceId,
    /// What people call it.
    pub name: &'a str,
    /// Its first characters, so that people can tell keys apart.
    pub prefix: &'a str,
    /// SHA-256, in hex.
    pub hash: &'a str,
    /// What it may do.
    pub scopes: &'a [String],
    /// Whether what would have to be mended is refused.
    pub strict: bool,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A key as people see it.
#[derive(Debug, Clone, FromRow)]
pub struct ApiKey {
    /// The tenant.
    pub account_id: i64,
    /// Its key.
    pub id: i64,
    /// What the caller writes as.
    pub source_id: i64,
    /// What people call it.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Json<Vec<String>>,
    /// Whether what would have to be mended is refused.
    pub strict: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When somebody ended it.
    pub revoked_at: Option<Time>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Time>,
}

impl ApiKey {
    /// Whether a caller with it is let in.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| Timestamp::from(end) > now)
    }
}

#[derive(FromRow)]
struct Row {
    id: i64,
    account_id: i64,
    source_id: i64,
    status: String,
    creates: bool,
    authority: Json<Authority>,
    scopes: Json<Vec<String>>,
    strict: bool,
    last_used_at: Option<Time>,
}

/// Keeps the hash of a new key.
pub async fn create(tx: &mut Tx, account: AccountId, key: &NewApiKey<'_>, now: Timestamp) -> Result<i64> {
    let text = "insert into int_api_keys (account_id, source_id, name, prefix, hash, scopes, expires_at, created_at,
            strict)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(key.source.0).bind(key.name).bind(key.prefix)
        .bind(key.hash).bind(Json(key.scopes)).bind(key.expires_at.map(Time::from)).bind(Time::from(now))
        .bind(key.strict).fetch_one(c).await)
}

/// Who holds the live key with this hash. A platform query: nobody is known before it.
pub async fn holder(tx: &mut Tx, hash: &str, now: Timestamp) -> Result<Option<KeyHolder>> {
    let text =
        "select k.id, k.account_id, k.source_id, s.status, s.creates, s.authority, k.scopes, k.strict, k.last_used_at
        from int_api_keys k
        join int_sources s on s.account_id = k.account_id and s.id = k.source_id
        where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(hash).bind(Time::from(now)).fetch_optional(c).await)?;
    Ok(row.map(|r| KeyHolder {
        id: r.id,
        account: AccountId(r.account_id),
        source: SourceId(r.source_id),
        status: r.status,
        creates: r.creates,
        authority: r.authority.0,
        scopes: r.scopes.0,
        strict: r.strict,
        last_used_at: r.last_used_at.map(Timestamp::from),
    }))
}

/// Notes that a key was used.
pub async fn mark_used(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text = "update int_api_keys set last_used_at = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}

/// All keys of every account. A platform query.
pub async fn all(tx: &mut Tx) -> Result<Vec<ApiKey>> {
    let text =
        "select account_id, id, source_id, name, prefix, scopes, strict, created_at, expires_at, revoked_at, last_used_at
        from int_api_keys order by id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// The key that begins like this. A platform query.
pub async fn by_prefix(tx: &mut Tx, prefix: &str) -> Result<Option<ApiKey>> {
    let text =
        "select account_id, id, source_id, name, prefix, scopes, strict, created_at, expires_at, revoked_at, last_used_at
        from int_api_keys where prefix = $1";
    on!(tx, c => sqlx::query_as(text).bind(prefix).fetch_optional(c).await)
}

/// How many keys of this name a source has that are alive.
pub async fn count_active(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    name: &str,
    now: Timestamp,
) -> Result<i64> {
    let text = "select count(*) from int_api_keys where account_id = $1 and source_id = $2 and name = $3
        and revoked_at is null and (expires_at is null or expires_at > $4)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(name).bind(Time::from(now))
        .fetch_one(c).await)
}

/// Says when a key ends, unless it ends sooner already.
pub async fn expire(tx: &mut Tx, account: AccountId, id: i64, at: Timestamp) -> Result<()> {
    let text = "update int_api_keys set expires_at = $3
        where account_id = $1 and id = $2 and (expires_at is null or expires_at > $3)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(at)).execute(c).await.map(drop))
}

/// Ends a key now.
pub async fn revoke(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text = "update int_api_keys set revoked_at = coalesce(revoked_at, $3) where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}
