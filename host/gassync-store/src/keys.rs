//! API keys, by their hash.

use gassync_domain::{AccountId, Authority, SourceId, SourceKey, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{Result, Time, Tx, on, sources::SourceState};

/// The holder of an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// Identifier of the key.
    pub id: i64,
    /// Account.
    pub account: AccountId,
    /// The source that the key writes as.
    pub source: SourceId,
    /// Where the source stands.
    pub status: SourceState,
    /// Whether the source creates core entities.
    pub creates: bool,
    /// Authority of the source.
    pub authority: Authority,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Whether invalid values are rejected instead of mended.
    pub strict: bool,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl KeyHolder {
    /// The source with its account.
    pub fn source_key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    /// Whether the source may call: it is active, or only its polls fail.
    pub fn may_call(&self) -> bool {
        self.status.is_working()
    }
}

/// A new key. The key itself is shown once and never stored.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// The source that the key writes as.
    pub source: SourceId,
    /// Name.
    pub name: &'a str,
    /// First characters, to identify the key.
    pub prefix: &'a str,
    /// SHA-256, in hex.
    pub hash: &'a str,
    /// Scopes.
    pub scopes: &'a [String],
    /// Whether invalid values are rejected instead of mended.
    pub strict: bool,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
}

/// An API key.
#[derive(Debug, Clone, FromRow)]
pub struct ApiKey {
    /// Account.
    pub account_id: i64,
    /// Identifier.
    pub id: i64,
    /// The source that the key writes as.
    pub source_id: i64,
    /// Name.
    pub name: String,
    /// First characters.
    pub prefix: String,
    /// Scopes.
    pub scopes: Json<Vec<String>>,
    /// Whether invalid values are rejected instead of mended.
    pub strict: bool,
    /// Creation time.
    pub created_at: Time,
    /// Expiry.
    pub expires_at: Option<Time>,
    /// Time of revocation.
    pub revoked_at: Option<Time>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Time>,
}

impl ApiKey {
    /// Whether the key is neither revoked nor expired.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| Timestamp::from(end) > now)
    }
}

#[derive(FromRow)]
struct Row {
    id: i64,
    account_id: i64,
    source_id: i64,
    #[sqlx(try_from = "String")]
    status: SourceState,
    creates: bool,
    authority: Json<Authority>,
    scopes: Json<Vec<String>>,
    strict: bool,
    last_used_at: Option<Time>,
}

/// Stores a new key by its hash.
pub async fn create(tx: &mut Tx, account: AccountId, key: &NewApiKey<'_>, now: Timestamp) -> Result<i64> {
    let text = "insert into int_api_keys (account_id, source_id, name, prefix, hash, scopes, expires_at, created_at,
            strict)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(key.source.0).bind(key.name).bind(key.prefix)
        .bind(key.hash).bind(Json(key.scopes)).bind(key.expires_at.map(Time::from)).bind(Time::from(now))
        .bind(key.strict).fetch_one(c).await)
}

/// The holder of the active key with this hash. A platform query: the account is not known yet.
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

/// Records the use of a key.
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

/// The key with this prefix. A platform query.
pub async fn by_prefix(tx: &mut Tx, prefix: &str) -> Result<Option<ApiKey>> {
    let text =
        "select account_id, id, source_id, name, prefix, scopes, strict, created_at, expires_at, revoked_at, last_used_at
        from int_api_keys where prefix = $1";
    on!(tx, c => sqlx::query_as(text).bind(prefix).fetch_optional(c).await)
}

/// Number of active keys of this name and source.
pub async fn count_active(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    name: &str,
    now: Timestamp,
) -> Result<i64> {
    let text = "select count(*) from int_api_keys where account_id = $1 and source_id = $2 and name = $3
        and revoked_at is null and (expires_at is null or expires_at > $4)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(name).bind(Time::from(now))
        .fetch_one(c).await)
}

/// Sets the expiry of a key unless it expires earlier.
pub async fn expire(tx: &mut Tx, account: AccountId, id: i64, at: Timestamp) -> Result<()> {
    let text = "update int_api_keys set expires_at = $3
        where account_id = $1 and id = $2 and (expires_at is null or expires_at > $3)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(at)).execute(c).await.map(drop))
}

/// Revokes a key.
pub async fn revoke(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text = "update int_api_keys set revoked_at = coalesce(revoked_at, $3) where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}
