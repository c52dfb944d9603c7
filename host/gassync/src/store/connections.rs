//! Connections and their sealed credentials.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// One set of credentials at a channel, and the door its calls come in by.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The tenant that owns it.
    pub account: AccountId,
    /// Its key.
    pub id: ConnectionId,
    /// Which plugin speaks for it.
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
pub struct Sealed {
    /// Which key sealed it.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub ciphertext: Vec<u8>,
    /// When it stops working.
    pub expires_at: Option<Time>,
}

/// Makes a connection.
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

/// By the key in the address a channel calls. A platform query: nobody is known before it.
pub async fn by_webhook_key(tx: &mut Tx, webhook_key: &str) -> Result<Option<Connection>> {
    let text = "select account_id, id, channel, webhook_token_hash from int_connections where webhook_key = $1";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(webhook_key).fetch_optional(c).await)?;
    Ok(row.map(Connection::from))
}

/// By its key.
pub async fn get(tx: &mut Tx, account: AccountId, id: ConnectionId) -> Result<Connection> {
    let text = "select account_id, id, channel, webhook_token_hash from int_connections
        where account_id = $1 and id = $2";
    let row: Row = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_one(c).await)?;
    Ok(row.into())
}

/// Keeps one sealed field of a credential, over what was there.
pub async fn keep_credential(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (slot, field): (&str, &str),
    sealed: &Sealed,
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

/// One sealed field of a credential.
pub async fn credential(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (slot, field): (&str, &str),
) -> Result<Option<Sealed>> {
    let text = "select key_id, ciphertext, expires_at from int_credentials
        where account_id = $1 and connection_id = $2 and slot = $3 and field = $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(connection.0).bind(slot).bind(field).fetch_optional(c).await)
}
