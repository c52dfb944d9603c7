//! Raw messages, stored before anything else is done with them, and their queue.

use gassync_domain::{AccountId, ConnectionId, HttpRequest, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{Lease, Result, Time, Tx, on};

gassync_domain::words! {
    /// The kind of a message.
    pub enum MessageKind {
        /// A call by a channel.
        Call = "call",
        /// A channel's response to our request.
        Answer = "answer",
    }
}

gassync_domain::words! {
    /// How far a message is.
    pub enum MessageState {
        /// Waits to be processed.
        Received = "received",
        /// Done with.
        Applied = "applied",
        /// Given up until somebody fixes the cause.
        Failed = "failed",
    }
}

/// A message to process.
#[derive(Debug)]
pub struct InboxMessage {
    /// The tenant.
    pub account: AccountId,
    /// The message's id.
    pub id: i64,
    /// The connection that received it.
    pub connection: ConnectionId,
    /// The masked request; its body is encrypted if there is a `key_id`.
    pub request: HttpRequest,
    /// The key that encrypted the body.
    pub key_id: Option<String>,
    /// Number of earlier attempts.
    pub attempts: u32,
    /// Number of times it crashed the plugin that decoded it.
    pub faults: u32,
    /// Time of arrival.
    pub received_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    connection_id: i64,
    method: String,
    url: String,
    headers: Json<Vec<(String, String)>>,
    body: Vec<u8>,
    key_id: Option<String>,
    attempts: i64,
    faults: i64,
    received_at: Time,
}

/// Stores a message before anything else is done with it. Workers ignore it until the end of the lease, while its
/// receiver processes it; if that process dies, a worker takes over afterwards.
pub async fn keep(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    kind: MessageKind,
    (request, key_id): (&HttpRequest, Option<&str>),
    Lease { now, until }: Lease,
) -> Result<i64> {
    let state = match kind {
        MessageKind::Call => MessageState::Received,
        // An answer is applied by the pull that requested it; on failure it is requested again.
        MessageKind::Answer => MessageState::Applied,
    };
    let text = "insert into int_inbox (account_id, connection_id, kind, method, url, headers, body, state, attempts,
            available_at, received_at, key_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(connection.0).bind(kind.as_str())
        .bind(&request.method).bind(&request.url).bind(Json(&request.headers)).bind(request.body.as_deref().unwrap_or_default())
        .bind(state.as_str()).bind(Time::from(until)).bind(Time::from(now)).bind(key_id).fetch_one(c).await)
}

/// Whether a message may be due. A platform query.
pub async fn is_waiting(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let text = "select exists (select 1 from int_inbox where state = 'received' and available_at <= $1)";
    on!(tx, c => sqlx::query_scalar(text).bind(Time::from(now)).fetch_one(c).await)
}

/// Claims due messages, oldest first, until the end of the lease. Skips messages for disabled plugins, and for sources
/// that are disabled or not active yet. A platform query.
pub async fn claim(tx: &mut Tx, Lease { now, until }: Lease, limit: i64) -> Result<Vec<InboxMessage>> {
    let text = tx.dialect(
        "update int_inbox set available_at = $2, attempts = attempts + 1 where (account_id, id) in (
            select i.account_id, i.id from int_inbox i
            join int_connections c on c.account_id = i.account_id and c.id = i.connection_id
            join int_plugins p on p.id = c.channel and p.status = 'enabled' and p.serving is not null
            where i.state = 'received' and i.available_at <= $1 and exists (
                select 1 from int_sources s where s.account_id = c.account_id and s.connection_id = c.id
                    and s.status in ('active', 'paused', 'error', 'expired', 'disconnected'))
            order by i.id limit $3)
        returning account_id, id, connection_id, method, url, headers, body, key_id, attempts, faults, received_at",
        "update int_inbox set available_at = $2, attempts = attempts + 1 where (account_id, id) in (
            select i.account_id, i.id from int_inbox i
            join int_connections c on c.account_id = i.account_id and c.id = i.connection_id
            join int_plugins p on p.id = c.channel and p.status = 'enabled' and p.serving is not null
            where i.state = 'received' and i.available_at <= $1 and exists (
                select 1 from int_sources s where s.account_id = c.account_id and s.connection_id = c.id
                    and s.status in ('active', 'paused', 'error', 'expired', 'disconnected'))
            order by i.id limit $3
            for update of i skip locked)
        returning account_id, id, connection_id, method, url, headers, body, key_id, attempts, faults, received_at",
    );
    let mut rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(Time::from(now)).bind(Time::from(until)).bind(limit)
        .fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows.into_iter().map(InboxMessage::from).collect())
}

impl From<Row> for InboxMessage {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: row.id,
            connection: ConnectionId(row.connection_id),
            request: HttpRequest {
                method: row.method,
                url: row.url,
                headers: row.headers.0,
                body: (!row.body.is_empty()).then_some(row.body),
            },
            key_id: row.key_id,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            faults: u32::try_from(row.faults).unwrap_or(u32::MAX),
            received_at: row.received_at.into(),
        }
    }
}

/// Marks a message as applied, with the outcome.
pub async fn applied(tx: &mut Tx, account: AccountId, id: i64, outcome: &str, now: Timestamp) -> Result<()> {
    finish(tx, account, id, (MessageState::Applied, None, Some(outcome)), now).await
}

/// Marks a message as failed until somebody fixes the cause; it is kept and can be replayed.
pub async fn failed(tx: &mut Tx, account: AccountId, id: i64, why: &str, now: Timestamp) -> Result<()> {
    finish(tx, account, id, (MessageState::Failed, Some(why), None), now).await
}

async fn finish(
    tx: &mut Tx,
    account: AccountId,
    id: i64,
    (state, why, outcome): (MessageState, Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<()> {
    let text = "update int_inbox set state = $3, error = $4, outcome = $5, finished_at = $6
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(state.as_str()).bind(why).bind(outcome)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Schedules another attempt after a failure.
pub async fn retry(tx: &mut Tx, account: AccountId, id: i64, why: &str, at: Timestamp) -> Result<()> {
    let text = "update int_inbox set available_at = $3, error = $4 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(at)).bind(why).execute(c).await.map(drop))
}

/// Postpones a message that was not attempted; this attempt is not counted.
pub async fn postpone(tx: &mut Tx, account: AccountId, id: i64, why: &str, at: Timestamp) -> Result<()> {
    let text = "update int_inbox set available_at = $3, error = $4,
            attempts = case when attempts > 0 then attempts - 1 else 0 end
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(at)).bind(why).execute(c).await.map(drop))
}

/// Counts a crash of the plugin that decoded the message.
pub async fn fault(tx: &mut Tx, account: AccountId, id: i64) -> Result<()> {
    let text = "update int_inbox set faults = faults + 1 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).execute(c).await.map(drop))
}

/// A message as listed, without headers and body.
#[derive(Debug, Clone, FromRow)]
pub struct ListedMessage {
    /// The tenant.
    pub account_id: i64,
    /// The message's id.
    pub id: i64,
    /// The connection that received it.
    pub connection_id: i64,
    /// Its kind.
    #[sqlx(try_from = "String")]
    pub kind: MessageKind,
    /// HTTP method.
    pub method: String,
    /// Path, with the query if it contains no secret.
    pub url: String,
    /// How far it is.
    #[sqlx(try_from = "String")]
    pub state: MessageState,
    /// Number of attempts.
    pub attempts: i64,
    /// Error of the last attempt.
    pub error: Option<String>,
    /// Outcome, once applied: `1 created, 2 parked`.
    pub outcome: Option<String>,
    /// Time of arrival.
    pub received_at: Time,
    /// Time of completion.
    pub finished_at: Option<Time>,
}

/// Messages of every account before a row, newest first, optionally in one state. A platform query.
pub async fn list(tx: &mut Tx, state: Option<MessageState>, before: i64, limit: i64) -> Result<Vec<ListedMessage>> {
    let text =
        "select account_id, id, connection_id, kind, method, url, state, attempts, error, outcome, received_at, finished_at
        from int_inbox where id < $1 and ($2 is null or state = $2) order by id desc limit $3";
    on!(tx, c => sqlx::query_as(text).bind(before).bind(state.map(MessageState::as_str)).bind(limit).fetch_all(c).await)
}

/// One message with headers and body. A platform query.
pub async fn find(tx: &mut Tx, id: i64) -> Result<Option<(ListedMessage, InboxMessage)>> {
    let text =
        "select account_id, id, connection_id, kind, method, url, state, attempts, error, outcome, received_at, finished_at
        from int_inbox where id = $1";
    let listed: Option<ListedMessage> = on!(&mut *tx, c => sqlx::query_as(text).bind(id).fetch_optional(c).await)?;
    let text = "select account_id, id, connection_id, method, url, headers, body, key_id, attempts, faults, received_at
        from int_inbox where id = $1";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(id).fetch_optional(c).await)?;
    Ok(listed.zip(row.map(InboxMessage::from)))
}

/// Puts a message back in the queue with its attempts reset.
pub async fn replay(tx: &mut Tx, account: AccountId, id: i64, now: Timestamp) -> Result<()> {
    let text =
        "update int_inbox set state = 'received', attempts = 0, faults = 0, available_at = $3, error = null, outcome = null, finished_at = null
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Puts the failed messages of a source's connection back in the queue; returns their number.
pub async fn replay_failed(tx: &mut Tx, account: AccountId, connection: ConnectionId, now: Timestamp) -> Result<u64> {
    let text = "update int_inbox set state = 'received', attempts = 0, faults = 0, available_at = $3, error = null,
            outcome = null, finished_at = null
        where account_id = $1 and connection_id = $2 and state = 'failed'";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(Time::from(now)).execute(c).await
        .map(|done| done.rows_affected()))
}

/// Marks the failed messages of a source's connection as applied: a person has decided that they are not needed.
pub async fn dismiss_failed(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    outcome: &str,
    now: Timestamp,
) -> Result<u64> {
    let text = "update int_inbox set state = 'applied', outcome = $3, finished_at = $4
        where account_id = $1 and connection_id = $2 and state = 'failed'";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(outcome).bind(Time::from(now))
        .execute(c).await.map(|done| done.rows_affected()))
}
