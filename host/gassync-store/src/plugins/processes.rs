//! The processes that share the database, and their prepared plugin versions. Platform queries.

use gassync_domain::Timestamp;

use super::super::{Result, Time, Tx, on};

/// The preparation state of a component in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Being compiled, linked and tested.
    Begun,
    /// Ready to serve.
    Ready,
    /// Preparation failed.
    Failed,
}

impl InstanceState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// Records a heartbeat.
pub async fn heartbeat(tx: &mut Tx, process: &str, now: Timestamp) -> Result<()> {
    let text = "insert into int_processes (id, seen_at) values ($1, $2)
        on conflict (id) do update set seen_at = excluded.seen_at";
    on!(tx, c => sqlx::query(text).bind(process).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Removes a process that ends normally.
pub async fn unregister(tx: &mut Tx, process: &str) -> Result<()> {
    let text = "delete from int_plugin_instances where process_id = $1";
    on!(&mut *tx, c => sqlx::query(text).bind(process).execute(c).await.map(drop))?;
    let text = "delete from int_processes where id = $1";
    on!(tx, c => sqlx::query(text).bind(process).execute(c).await.map(drop))
}

/// Records that a process died.
pub async fn record_death(tx: &mut Tx, process: &str) -> Result<()> {
    let text = "delete from int_processes where id = $1";
    on!(tx, c => sqlx::query(text).bind(process).execute(c).await.map(drop))
}

/// Records that a process unloaded a component.
pub async fn record_unloaded(tx: &mut Tx, process: &str, hash: &str) -> Result<()> {
    let text = "delete from int_plugin_instances where process_id = $1 and hash = $2 and state <> 'begun'";
    on!(tx, c => sqlx::query(text).bind(process).bind(hash).execute(c).await.map(drop))
}

/// Deletes processes without a recent heartbeat. Unfinished preparations are kept, since they may be the cause of
/// death.
pub async fn forget_before(tx: &mut Tx, before: Timestamp) -> Result<()> {
    let text = "delete from int_processes where seen_at < $1";
    on!(&mut *tx, c => sqlx::query(text).bind(Time::from(before)).execute(c).await.map(drop))?;
    let text = "delete from int_plugin_instances where state <> 'begun'
        and not exists (select 1 from int_processes p where p.id = int_plugin_instances.process_id)";
    on!(tx, c => sqlx::query(text).execute(c).await.map(drop))
}

/// Records the preparation state of a component.
pub async fn record_preparation(
    tx: &mut Tx,
    process: &str,
    (hash, state): (&str, InstanceState),
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_plugin_instances (hash, process_id, state, changed_at) values ($1, $2, $3, $4)
        on conflict (hash, process_id) do update set state = excluded.state, changed_at = excluded.changed_at";
    on!(tx, c => sqlx::query(text).bind(hash).bind(process).bind(state.as_str()).bind(Time::from(now)).execute(c).await
        .map(drop))
}

/// Whether all live processes have prepared a component.
pub async fn all_ready(tx: &mut Tx, hash: &str, since: Timestamp) -> Result<bool> {
    let text = "select not exists (select 1 from int_processes p where p.seen_at >= $2
        and not exists (select 1 from int_plugin_instances r
            where r.hash = $1 and r.process_id = p.id and r.state = 'ready'))";
    on!(tx, c => sqlx::query_scalar(text).bind(hash).bind(Time::from(since)).fetch_one(c).await)
}

/// The number of other processes that died while preparing a component.
pub async fn deaths(tx: &mut Tx, process: &str, hash: &str, since: Timestamp) -> Result<i64> {
    let text = "select count(*) from int_plugin_instances r
        where r.hash = $1 and r.state = 'begun' and r.process_id <> $3
        and not exists (select 1 from int_processes p where p.id = r.process_id and p.seen_at >= $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(hash).bind(Time::from(since)).bind(process).fetch_one(c).await)
}

/// Clears the deaths attributed to a component.
pub async fn clear_deaths(tx: &mut Tx, hash: &str) -> Result<()> {
    let text = "delete from int_plugin_instances where hash = $1 and state = 'begun'";
    on!(tx, c => sqlx::query(text).bind(hash).execute(c).await.map(drop))
}
