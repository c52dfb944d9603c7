//! A version that is set aside, and the one before it, which serves again.

use gassync_domain::Timestamp;

use crate::store::{
    self, Tx,
    plugins::{self, faults, processes},
};

/// Sets a version aside. If it serves, its forerunner shall; where there is none the plugin waits, and messages are kept.
pub(super) async fn quarantine(tx: &mut Tx, id: &str, hash: &str, why: &str, now: Timestamp) -> store::Result<()> {
    tracing::error!(plugin = id, hash, why, "a version of a plugin is set aside: somebody must look at it");
    plugins::quarantine(tx, id, hash, Some((why, now))).await?;
    let Some(plugin) = plugins::get(tx, id).await?.filter(|plugin| plugin.serving.as_deref() == Some(hash)) else {
        return Ok(());
    };
    // Somebody has sent a mend already: that one is to serve, and none before it.
    if plugin.wanted.is_some_and(|wanted| wanted != hash) {
        return Ok(());
    }
    match plugins::former(tx, id, hash).await? {
        Some(former) => plugins::want(tx, id, Some(&former), now).await,
        None => plugins::set_status(tx, id, "quarantined", now).await.map(drop),
    }
}

/// A version counts as if it had never broken.
pub(super) async fn clear_faults(tx: &mut Tx, id: &str, hash: &str) -> store::Result<()> {
    plugins::quarantine(tx, id, hash, None).await?;
    faults::clear(tx, id, hash).await?;
    processes::clear_deaths(tx, hash).await
}
