//! State of plugins per source. Values are encrypted, so they cannot be searched.

use gassync_domain::{SourceKey, Timestamp};

use super::{Result, Time, Tx, on};

/// All values of a source, by key.
pub async fn all(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<(String, Vec<u8>)>> {
    let text = "select key, value from int_plugin_state where account_id = $1 and source_id = $2 order by key";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)
}

/// Stores a value under a key, replacing the old one.
pub async fn set(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (key, value): (&str, &[u8]),
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_plugin_state (account_id, source_id, key, value, updated_at)
        values ($1, $2, $3, $4, $5)
        on conflict (account_id, source_id, key) do update set
            value = excluded.value, updated_at = excluded.updated_at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(key).bind(value).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Deletes a key.
pub async fn forget(tx: &mut Tx, SourceKey { account, source }: SourceKey, key: &str) -> Result<()> {
    let text = "delete from int_plugin_state where account_id = $1 and source_id = $2 and key = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(key).execute(c).await.map(drop))
}
