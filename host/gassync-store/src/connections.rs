//! Connections and their encrypted credentials.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use sqlx::FromRow;

use super::{Lease, Result, Time, Tx, on};

/// One set of credentials at a channel, with its webhook address.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The tenant that owns it.
    pub account: AccountId,
    /// The connection's id.
    pub id: ConnectionId,
    /// The plugin.
    pub channel: String,
    /// SHA-256 (hex) of the token its calls must carry.
    pub webhook_token_hash: String,
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    channel: String,
    webhook_token_hash: String,
}

impl From<Row> for Connection {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: ConnectionId(row.id),
            channel: row.channel,
            webhook_token_hash: row.webhook_token_hash,
        }
    }
}

/// An encrypted field of a credential.
#[derive(Debug, FromRow)]
pub struct EncryptedCredential {
    /// The id of the encryption key.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub ciphertext: Vec<u8>,
    /// When it expires.
    pub expires_at: Option<Time>,
}

/// Creates a connection.
pub async fn create(
    tx: &mut Tx,
    account: AccountId,
    channel: &str,
    webhook_key: &str,
    webhook_token_hash: &str,
    now: Timestamp,
) -> Result<ConnectionId> {
    let text = "insert into int_connections (account_id, channel, webhook_key, webhook_token_hash, created_at)
        values ($1, $2, $3, $4, $5) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(channel).bind(webhook_key)
        .bind(webhook_token_hash).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(ConnectionId(id))
}

/// Finds a connection by the key in its webhook address. A platform query: the account is not known yet.
pub async fn by_webhook_key(tx: &mut Tx, webhook_key: &str) -> Result<Option<Connection>> {
    let text = "select account_id, id, channel, webhook_token_hash from int_connections where webhook_key = $1";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(webhook_key).fetch_optional(c).await)?;
    Ok(row.map(Connection::from))
}

/// A connection by its id.
pub async fn get(tx: &mut Tx, account: AccountId, id: ConnectionId) -> Result<Connection> {
    let text = "select account_id, id, channel, webhook_token_hash from int_connections
        where account_id = $1 and id = $2";
    let row: Row = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_one(c).await)?;
    Ok(row.into())
}

/// Stores an encrypted field of a credential, replacing the old value.
pub async fn keep_credential(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (slot, field): (&str, &str),
    sealed: &EncryptedCredential,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_credentials
            (account_id, connection_id, slot, field, key_id, ciphertext, expires_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (account_id, connection_id, slot, field) do update set
            key_id = excluded.key_id, ciphertext = excluded.ciphertext,
            expires_at = excluded.expires_at, updated_at = excluded.updated_at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(slot).bind(field).bind(&sealed.key_id)
        .bind(&sealed.ciphertext).bind(sealed.expires_at).bind(Time::from(now)).execute(c).await.map(drop))
}

/// An encrypted field of a credential.
pub async fn credential(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (slot, field): (&str, &str),
) -> Result<Option<EncryptedCredential>> {
    let text = "select key_id, ciphertext, expires_at from int_credentials
        where account_id = $1 and connection_id = $2 and slot = $3 and field = $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(connection.0).bind(slot).bind(field).fetch_optional(c).await)
}

/// Counts a refused credential and returns the number of consecutive refusals.
pub async fn count_refusal(tx: &mut Tx, account: AccountId, id: ConnectionId) -> Result<i64> {
    let text =
        "update int_connections set refusals = refusals + 1 where account_id = $1 and id = $2 returning refusals";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).fetch_one(c).await)
}

/// Resets the refusals after an accepted call.
pub async fn reset_refusals(tx: &mut Tx, account: AccountId, id: ConnectionId) -> Result<()> {
    let text = "update int_connections set refusals = 0 where account_id = $1 and id = $2 and refusals > 0";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Marks a stored field as expired.
pub async fn expire_credential(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (slot, field): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    let text = "update int_credentials set expires_at = $5
        where account_id = $1 and connection_id = $2 and slot = $3 and field = $4";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(slot).bind(field).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// A stored field of a credential, without its value.
#[derive(Debug, Clone, FromRow)]
pub struct StoredCredential {
    /// The slot.
    pub slot: String,
    /// The field.
    pub field: String,
    /// When it expires, if known.
    pub expires_at: Option<Time>,
    /// When it was last written.
    pub updated_at: Time,
}

/// The stored fields of a connection.
pub async fn credentials(tx: &mut Tx, account: AccountId, connection: ConnectionId) -> Result<Vec<StoredCredential>> {
    let text = "select slot, field, expires_at, updated_at from int_credentials
        where account_id = $1 and connection_id = $2 order by slot, field";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(connection.0).fetch_all(c).await)
}

/// Deletes all credentials of a connection.
pub async fn forget_credentials(tx: &mut Tx, account: AccountId, connection: ConnectionId) -> Result<()> {
    let text = "delete from int_credentials where account_id = $1 and connection_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).execute(c).await.map(drop))
}

/// A credential slot that was not written for a while.
#[derive(Debug, Clone, FromRow)]
pub struct IdleCredential {
    /// The tenant.
    pub account_id: i64,
    /// The connection.
    pub connection_id: i64,
    /// The plugin.
    pub channel: String,
    /// The slot.
    pub slot: String,
    /// When something was last written to it.
    pub updated_at: Time,
}

/// Slots whose newest field is older. A platform query.
pub async fn idle_since(tx: &mut Tx, before: Timestamp) -> Result<Vec<IdleCredential>> {
    let text = "select c.account_id, c.connection_id, n.channel, c.slot, max(c.updated_at) as updated_at
        from int_credentials c
        join int_connections n on n.account_id = c.account_id and n.id = c.connection_id
        group by c.account_id, c.connection_id, n.channel, c.slot having max(c.updated_at) < $1
        order by c.account_id, c.connection_id, c.slot";
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).fetch_all(c).await)
}

/// Acquires the renewal lease of a connection, unless another holder has it.
pub async fn acquire_lease(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    holder: &str,
    Lease { now, until }: Lease,
) -> Result<bool> {
    let text = "update int_connections set renewing_by = $3, renewing_until = $5
        where account_id = $1 and id = $2 and (renewing_until is null or renewing_until <= $4)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(holder).bind(Time::from(now))
        .bind(Time::from(until)).execute(c).await.map(|held| held.rows_affected() > 0))
}

/// Releases the lease; returns false if it had expired and another holder may have it.
pub async fn release_lease(tx: &mut Tx, account: AccountId, connection: ConnectionId, holder: &str) -> Result<bool> {
    let text = "update int_connections set renewing_by = null, renewing_until = null
        where account_id = $1 and id = $2 and renewing_by = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(holder).execute(c).await
        .map(|held| held.rows_affected() > 0))
}

/// A consent that was started and not completed.
#[derive(Debug, Clone, FromRow)]
pub struct PendingConsent {
    /// The tenant.
    pub account_id: i64,
    /// The source to connect.
    pub source_id: i64,
    /// The connection that receives the tokens.
    pub connection_id: i64,
    /// The credential slot.
    pub slot: String,
    /// When it expires.
    pub expires_at: Time,
}

/// Stores a started consent and deletes expired ones.
pub async fn begin_consent(tx: &mut Tx, state_hash: &str, consent: &PendingConsent, now: Timestamp) -> Result<()> {
    let text = "delete from int_consents where account_id = $1 and expires_at <= $2";
    on!(&mut *tx, c => sqlx::query(text).bind(consent.account_id).bind(Time::from(now)).execute(c).await.map(drop))?;
    let text = "insert into int_consents (account_id, state_hash, source_id, connection_id, slot, expires_at)
        values ($1, $2, $3, $4, $5, $6)";
    on!(tx, c => sqlx::query(text).bind(consent.account_id).bind(state_hash).bind(consent.source_id)
        .bind(consent.connection_id).bind(&consent.slot).bind(consent.expires_at).execute(c).await.map(drop))
}

/// Finds a consent by its state. A platform query: the account is not known yet.
pub async fn pending_consent(tx: &mut Tx, state_hash: &str, now: Timestamp) -> Result<Option<PendingConsent>> {
    let text = "select account_id, source_id, connection_id, slot, expires_at from int_consents
        where state_hash = $1 and expires_at > $2";
    on!(tx, c => sqlx::query_as(text).bind(state_hash).bind(Time::from(now)).fetch_optional(c).await)
}

/// Consumes a consent; returns false if it was consumed before.
pub async fn complete_consent(tx: &mut Tx, account: AccountId, state_hash: &str) -> Result<bool> {
    let text = "delete from int_consents where account_id = $1 and state_hash = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(state_hash).execute(c).await.map(|gone| gone.rows_affected() > 0))
}

/// Cancels all consents of a connection.
pub async fn cancel_consents(tx: &mut Tx, account: AccountId, connection: ConnectionId) -> Result<()> {
    let text = "delete from int_consents where account_id = $1 and connection_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).execute(c).await.map(drop))
}

/// Breaks the renewal lease of a connection, so that the holder's result is discarded.
pub async fn break_lease(tx: &mut Tx, account: AccountId, connection: ConnectionId) -> Result<()> {
    let text = "update int_connections set renewing_by = null, renewing_until = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).execute(c).await.map(drop))
}

/// Records a webhook call about bookings and resets the count of unannounced polls.
pub async fn record_webhook(
    tx: &mut Tx,
    account: AccountId,
    id: ConnectionId,
    (now, before): (Timestamp, Timestamp),
) -> Result<()> {
    // Not at every call: concurrent calls would wait for each other.
    let text = "update int_connections set last_webhook_at = $3, unannounced_polls = 0, unannounced_since = null
        where account_id = $1 and id = $2
            and (last_webhook_at is null or last_webhook_at < $4 or unannounced_polls > 0)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).bind(Time::from(before)).execute(c)
        .await.map(drop))
}

/// Counts a poll that found booking changes without a webhook. Channels that never called are ignored.
pub async fn count_unannounced_poll(tx: &mut Tx, account: AccountId, id: ConnectionId, now: Timestamp) -> Result<()> {
    let text = "update int_connections set unannounced_polls = unannounced_polls + 1, unannounced_since = coalesce(unannounced_since, $3)
        where account_id = $1 and id = $2 and last_webhook_at is not null";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Webhook activity of a connection.
#[derive(Debug, Clone, FromRow)]
pub struct WebhookActivity {
    /// The key in its webhook address.
    pub webhook_key: String,
    /// The last webhook about bookings.
    pub last_webhook_at: Option<Time>,
    /// Polls since then that found booking changes without a webhook.
    pub unannounced_polls: i64,
    /// Since when.
    pub unannounced_since: Option<Time>,
}

/// The webhook activity of a connection.
pub async fn webhook_activity(tx: &mut Tx, account: AccountId, id: ConnectionId) -> Result<WebhookActivity> {
    let text = "select webhook_key, last_webhook_at, unannounced_polls, unannounced_since from int_connections
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_one(c).await)
}

/// A channel whose webhooks have stopped: polls find changes that no webhook announced.
#[derive(Debug, Clone, FromRow)]
pub struct SilentChannel {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The last webhook about bookings.
    pub last_webhook_at: Time,
    /// Polls since then that found booking changes without a webhook.
    pub unannounced_polls: i64,
    /// Since when.
    pub since: Time,
}

/// Unannounced polls after which a channel counts as silent.
pub const MAX_UNANNOUNCED_POLLS: i64 = 3;

/// Channels with unannounced polls, the first of them before `before`, so that late webhooks have arrived since. A
/// platform query.
pub async fn silent_channels(tx: &mut Tx, before: Timestamp) -> Result<Vec<SilentChannel>> {
    let text = "select s.account_id, s.id as source_id, s.source_name, c.last_webhook_at, c.unannounced_polls,
            c.unannounced_since as since
        from int_connections c join int_sources s on s.account_id = c.account_id and s.connection_id = c.id
        where c.unannounced_polls >= $2 and c.unannounced_since <= $1 and c.last_webhook_at is not null
            and s.status in ('active', 'error')
        order by s.account_id, s.id";
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).bind(MAX_UNANNOUNCED_POLLS).fetch_all(c).await)
}
