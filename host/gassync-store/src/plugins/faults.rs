//! Faults of plugin versions.

use gassync_domain::{AccountId, ConnectionId, Timestamp};

use super::super::{Result, Time, Tx, on};

/// Records a fault at a call for this connection.
pub async fn record(
    tx: &mut Tx,
    account: AccountId,
    connection: ConnectionId,
    (plugin, hash): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_plugin_faults (account_id, plugin_id, hash, connection_id, at)
        values ($1, $2, $3, $4, $5)
        on conflict (account_id, plugin_id, hash, connection_id) do update set at = excluded.at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(plugin).bind(hash).bind(connection.0).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// The number of connections and of accounts with faults of a version since then. A platform query.
pub async fn counts(tx: &mut Tx, plugin: &str, hash: &str, since: Timestamp) -> Result<(i64, i64)> {
    let text = "select count(*), count(distinct account_id) from int_plugin_faults
        where plugin_id = $1 and hash = $2 and at >= $3";
    on!(tx, c => sqlx::query_as(text).bind(plugin).bind(hash).bind(Time::from(since)).fetch_one(c).await)
}

/// Clears the faults of a version. A platform query.
pub async fn clear(tx: &mut Tx, plugin: &str, hash: &str) -> Result<()> {
    let text = "delete from int_plugin_faults where plugin_id = $1 and hash = $2";
    on!(tx, c => sqlx::query(text).bind(plugin).bind(hash).execute(c).await.map(drop))
}
