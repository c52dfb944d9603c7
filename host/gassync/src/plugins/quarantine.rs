//! Quarantines a version and reactivates the previous one.

use gassync_domain::Timestamp;

use crate::store::{
    self, Tx,
    plugins::{self, PluginStatus, faults, processes},
};

/// Quarantines a version. If it is active, the previous one is requested; without one the plugin is quarantined and messages
/// stay queued.
pub(super) async fn quarantine(tx: &mut Tx, id: &str, hash: &str, why: &str, now: Timestamp) -> store::Result<()> {
    tracing::error!(plugin = id, hash, why, "plugin version quarantined");
    plugins::quarantine(tx, id, hash, Some((why, now))).await?;
    let Some(plugin) = plugins::get(tx, id).await?.filter(|plugin| plugin.serving.as_deref() == Some(hash)) else {
        return Ok(());
    };
    // A newer version is already requested.
    if plugin.wanted.is_some_and(|wanted| wanted != hash) {
        return Ok(());
    }
    match plugins::former(tx, id, hash).await? {
        Some(former) => plugins::want(tx, id, Some(&former), now).await,
        None => plugins::set_status(tx, id, PluginStatus::Quarantined, now).await.map(drop),
    }
}

/// Clears the faults of a version.
pub(super) async fn clear_faults(tx: &mut Tx, id: &str, hash: &str) -> store::Result<()> {
    plugins::quarantine(tx, id, hash, None).await?;
    faults::clear(tx, id, hash).await?;
    processes::clear_deaths(tx, hash).await
}
