//! Quarantines a version that fails for many accounts. One tenant's messages cannot cause that: each connection counts
//! once, and several connections of several accounts must be affected.

use gassync_domain::{AccountId, ConnectionId};
use jiff::SignedDuration;

use super::{Plugin, PluginRegistry, quarantine, reconcile};
use crate::store::{
    self,
    plugins::{self, PluginStatus, faults},
};

/// Time window for counting faults.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Minimum number of affected connections …
const MIN_CONNECTIONS: i64 = 3;
/// … and of affected accounts.
const MIN_ACCOUNTS: i64 = 2;

/// Records a fault of a version at a verified message or at a response of a granted host.
pub async fn record_fault(
    registry: &PluginRegistry,
    plugin: &Plugin,
    account: AccountId,
    connection: ConnectionId,
    why: &str,
) -> store::Result<()> {
    let (id, hash, now) = (&plugin.manifest().id, plugin.hash(), registry.now());
    let mut tx = registry.db.write(account).await?;
    faults::record(&mut tx, account, connection, (id, hash), now).await?;
    tx.commit().await?;
    // Reading first avoids the writer lock.
    let mut tx = registry.db.platform_read().await?;
    let (connections, accounts) = faults::counts(&mut tx, id, hash, now - WINDOW).await?;
    let known = plugins::version(&mut tx, id, hash).await?;
    drop(tx);
    let aside = known.is_none_or(|version| version.quarantined_at.is_some());
    if aside || connections < MIN_CONNECTIONS || accounts < MIN_ACCOUNTS {
        return Ok(());
    }
    let mut tx = registry.db.platform_write().await?;
    let why = format!("failed at {connections} connections of {accounts} accounts within ten minutes, last: {why}");
    quarantine::quarantine(&mut tx, id, hash, &why, now).await?;
    tx.commit().await?;
    reconcile(registry).await
}

/// Releases a plugin from quarantine; returns false if there is none.
pub async fn release(registry: &PluginRegistry, id: &str) -> store::Result<bool> {
    let now = registry.now();
    let mut tx = registry.db.platform_write().await?;
    let Some(plugin) = plugins::get(&mut tx, id).await? else { return Ok(false) };
    if let Some(hash) = &plugin.serving {
        quarantine::clear_faults(&mut tx, id, hash).await?;
    }
    plugins::set_status(&mut tx, id, PluginStatus::Enabled, now).await?;
    tx.commit().await?;
    reconcile(registry).await?;
    Ok(true)
}
