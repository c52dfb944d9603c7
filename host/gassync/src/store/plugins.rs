//! What is known of each plugin.

use gassync_domain::Timestamp;
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// What the database knows of a plugin.
#[derive(Debug, Clone, FromRow)]
pub struct Plugin {
    /// The channel.
    pub id: String,
    /// `enabled` or `disabled`.
    pub status: String,
    /// SHA-256 of the component.
    pub hash: String,
    /// By its manifest.
    pub version: String,
}

/// Notes which artefact serves a channel. A new plugin is enabled; a known one stays what it was.
pub async fn loaded(tx: &mut Tx, id: &str, hash: &str, version: &str, now: Timestamp) -> Result<()> {
    let text = "insert into int_plugins (id, status, hash, version, changed_at)
        values ($1, 'enabled', $2, $3, $4)
        on conflict (id) do update set hash = excluded.hash, version = excluded.version, changed_at = excluded.changed_at
        where int_plugins.hash <> excluded.hash";
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(version).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Enables or disables; false when there is no such plugin.
pub async fn set_status(tx: &mut Tx, id: &str, status: &str, now: Timestamp) -> Result<bool> {
    let text = "update int_plugins set status = $2, changed_at = $3 where id = $1";
    on!(tx, c => sqlx::query(text).bind(id).bind(status).bind(Time::from(now)).execute(c).await.map(|r| r.rows_affected() > 0))
}

/// All plugins, by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<Plugin>> {
    let text = "select id, status, hash, version from int_plugins order by id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Whether a channel's plugin may work.
pub async fn is_enabled(tx: &mut Tx, id: &str) -> Result<bool> {
    let text = "select exists (select 1 from int_plugins where id = $1 and status = 'enabled')";
    on!(tx, c => sqlx::query_scalar(text).bind(id).fetch_one(c).await)
}
