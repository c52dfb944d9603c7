//! Records of plugin calls.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use sqlx::FromRow;

use super::super::{Result, Time, Tx, on};

/// A stored call.
#[derive(Debug, Clone, FromRow)]
pub struct StoredCall {
    /// The tenant.
    pub account_id: i64,
    /// The call's id.
    pub id: i64,
    /// The connection.
    pub connection_id: i64,
    /// The channel.
    pub plugin_id: String,
    /// SHA-256 of the called version.
    pub hash: String,
    /// The called version, by its manifest.
    pub version: String,
    /// The called function, such as `inbound.decode`.
    pub entry: String,
    /// The subject of the call, such as `message-12`.
    pub subject: String,
    /// `ok`, the name of the channel's error, `trap`, or the limit that ended it.
    pub outcome: String,
    /// Wall-clock time, in microseconds.
    pub wall_micros: i64,
    /// CPU time, in microseconds, in whole ticks.
    pub processor_micros: i64,
    /// Peak memory, in bytes.
    pub peak_memory_bytes: i64,
    /// Bytes sent in bodies.
    pub sent_bytes: i64,
    /// Bytes received in bodies.
    pub received_bytes: i64,
    /// Requests and log, encrypted for the account; `None` if not requested.
    pub detail: Option<Vec<u8>>,
    /// Time of completion.
    pub created_at: Time,
}

/// A completed call.
#[derive(Debug)]
#[expect(missing_docs, reason = "the same fields as of `Call`")]
pub struct NewStoredCall<'a> {
    pub plugin_id: &'a str,
    pub hash: &'a str,
    pub version: &'a str,
    pub entry: &'a str,
    pub subject: &'a str,
    pub outcome: &'a str,
    pub wall_micros: i64,
    pub processor_micros: i64,
    pub peak_memory_bytes: i64,
    pub sent_bytes: i64,
    pub received_bytes: i64,
    pub detail: &'a [u8],
}

/// Stores a call with its resource use.
pub async fn keep(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    call: &NewStoredCall<'_>,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_plugin_calls
            (account_id, connection_id, plugin_id, hash, version, entry, subject, outcome, wall_micros,
             processor_micros, peak_memory_bytes, sent_bytes, received_bytes, detail, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(connection.0).bind(call.plugin_id).bind(call.hash)
        .bind(call.version).bind(call.entry).bind(call.subject).bind(call.outcome).bind(call.wall_micros)
        .bind(call.processor_micros).bind(call.peak_memory_bytes).bind(call.sent_bytes).bind(call.received_bytes)
        .bind(call.detail).bind(Time::from(now)).execute(c).await.map(drop))
}

macro_rules! of_plugin {
    ($detail:literal, $order:literal) => {
        concat!(
            "select account_id, id, connection_id, plugin_id, hash, version, entry, subject, outcome, wall_micros,
                processor_micros, peak_memory_bytes, sent_bytes, received_bytes, ",
            $detail,
            " as detail, created_at from int_plugin_calls where plugin_id = $1 and id > $2 order by id",
            $order,
            " limit $3"
        )
    };
}

/// Calls of a plugin after this id, oldest first; without an id the newest, newest first. A platform query.
pub async fn of_plugin(
    tx: &mut Tx,
    plugin: &str,
    (after, limit): (Option<i64>, i64),
    with_detail: bool,
) -> Result<Vec<StoredCall>> {
    let text = match (with_detail, after) {
        (true, Some(_)) => of_plugin!("detail", ""),
        (true, None) => of_plugin!("detail", " desc"),
        (false, Some(_)) => of_plugin!("null", ""),
        (false, None) => of_plugin!("null", " desc"),
    };
    on!(tx, c => sqlx::query_as(text).bind(plugin).bind(after.unwrap_or(0)).bind(limit).fetch_all(c).await)
}
