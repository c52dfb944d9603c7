//! A version that breaks for many is set aside, and the one before it serves again. One tenant's messages cannot bring that
//! about: connections count once, and there must be several, of several accounts.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use jiff::SignedDuration;

use super::{Plugin, settle};
use crate::{
    app::App,
    store::{
        self, Tx,
        plugins::{self, faults, processes},
    },
};

/// Within how long faults count together.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// At so many connections a version must break …
const MIN_CONNECTIONS: i64 = 3;
/// … of so many accounts.
const MIN_ACCOUNTS: i64 = 2;

/// A version broke at a verified message, or at the answer of a granted host.
pub async fn struck(
    app: &App,
    plugin: &Plugin,
    account: AccountId,
    connection: ConnectionId,
    why: &str,
) -> store::Result<()> {
    let (id, hash, now) = (&plugin.manifest().id, plugin.hash(), app.now());
    let mut tx = app.db.write(account).await?;
    faults::note(&mut tx, account, connection, (id, hash), now).await?;
    tx.commit().await?;
    // Looking first costs those who write nothing.
    let mut tx = app.db.platform_read().await?;
    let (connections, accounts) = faults::struck(&mut tx, id, hash, now - WINDOW).await?;
    let known = plugins::version(&mut tx, id, hash).await?;
    drop(tx);
    let aside = known.is_none_or(|version| version.quarantined_at.is_some());
    if aside || connections < MIN_CONNECTIONS || accounts < MIN_ACCOUNTS {
        return Ok(());
    }
    let mut tx = app.db.platform_write().await?;
    let why = format!("broke at {connections} connections of {accounts} accounts within ten minutes, last: {why}");
    set_aside(&mut tx, id, hash, &why, now).await?;
    tx.commit().await?;
    settle(app).await
}

/// Sets a version aside. If it serves, its forerunner shall; where there is none the plugin waits, and messages are kept.
pub(super) async fn set_aside(tx: &mut Tx, id: &str, hash: &str, why: &str, now: Timestamp) -> store::Result<()> {
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
pub(super) async fn forgive(tx: &mut Tx, id: &str, hash: &str) -> store::Result<()> {
    plugins::quarantine(tx, id, hash, None).await?;
    faults::forget(tx, id, hash).await?;
    processes::forgive(tx, hash).await
}

/// A person lets a plugin work again, whatever it did before; false when there is no such plugin.
pub async fn release(app: &App, id: &str) -> store::Result<bool> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let Some(plugin) = plugins::get(&mut tx, id).await? else { return Ok(false) };
    if let Some(hash) = &plugin.serving {
        forgive(&mut tx, id, hash).await?;
    }
    plugins::set_status(&mut tx, id, "enabled", now).await?;
    tx.commit().await?;
    settle(app).await?;
    Ok(true)
}
