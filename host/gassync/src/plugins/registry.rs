//! What the registry says becomes what serves. Each process gets a wanted version ready by itself; the one that finds all
//! ready activates it, and every other sees that within [`PERIOD`]. Calls that run end with the version they began with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use gassync_runtime::{Adapter, Interface, LoadError};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Plugin, locked, quarantine};
use crate::{
    app::App,
    inbound::set_aside,
    jobs,
    store::{
        self,
        plugins::{
            self,
            processes::{self, InstanceState},
        },
    },
};

/// Names, in the data folder, the process that runs on it.
const PROCESS_FILE: &str = "host.process";
/// How often a process looks at the registry.
const PERIOD: Duration = Duration::from_millis(500);
/// How often it says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// After how long without that it is taken for dead.
const DEAD: SignedDuration = SignedDuration::from_secs(10);
/// After how long it is forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// A version that so many processes died of is not tried again.
const MAX_DEATHS: i64 = 2;

/// A version that is compiled and tried in this process.
pub(super) struct Ready {
    adapter: Arc<dyn Adapter>,
    /// Whether the other processes know.
    told: bool,
}

/// Why a version cannot be got ready here.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// It does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is not even tried.
    #[error("{0} processes died while they got it ready")]
    Deadly(i64),
    /// It was forgotten meanwhile.
    #[error("its bytes are gone")]
    Gone,
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
}

/// Takes part in the registry until it is told to stop.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut known = None;
    while !shutdown.is_cancelled() {
        if let Err(error) = look(&app, &mut known).await {
            tracing::error!(%error, "the registry of plugins cannot be read");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn look(app: &App, known: &mut Option<Vec<plugins::Plugin>>) -> store::Result<()> {
    let mut tx = app.db.platform_read().await?;
    let registry = plugins::all(&mut tx).await?;
    drop(tx);
    if registry.iter().any(|plugin| plugin.wanted.is_some()) || known.as_ref() != Some(&registry) {
        settle(app).await?;
        app.wake.notify_waiters();
        *known = Some(registry);
    }
    Ok(())
}

/// This process takes part from now on: nothing is activated that it has not ready. The one that was here before it is no
/// more: whatever it was at, it died of.
pub async fn join(app: &App) -> anyhow::Result<()> {
    let mut bytes = [0; 8];
    (app.random)(&mut bytes);
    let process = app.plugins.process.get_or_init(|| hex::encode(bytes));
    let file = app.config.data.dir.join(PROCESS_FILE);
    let before = std::fs::read_to_string(&file).ok();
    std::fs::write(&file, process).with_context(|| format!("{} cannot be written", file.display()))?;
    let mut tx = app.db.platform_write().await?;
    if let Some(before) = before {
        processes::died(&mut tx, before.trim()).await?;
    }
    processes::seen(&mut tx, process, app.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Says that this process lives, whatever else it does, until it is told to stop; and then that it does no more.
pub async fn live(app: Arc<App>, shutdown: CancellationToken) {
    let Some(process) = app.plugins.process.get() else { return };
    while !shutdown.is_cancelled() {
        if let Err(error) = beat(&app, process).await {
            tracing::error!(%error, "the other processes may take this one for dead");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    if let Err(error) = end(&app, process).await {
        tracing::error!(%error, "the other processes will take this one for dead");
    }
}

async fn beat(app: &App, process: &str) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    processes::seen(&mut tx, process, now).await?;
    processes::forget_before(&mut tx, now - FORGOTTEN).await?;
    tx.commit().await
}

async fn end(app: &App, process: &str) -> store::Result<()> {
    let mut tx = app.db.platform_write().await?;
    processes::ended(&mut tx, process).await?;
    tx.commit().await
}

/// Gets ready what is wanted, activates what all have ready, and serves with what the registry says.
pub async fn settle(app: &App) -> store::Result<()> {
    let _one_at_a_time = app.plugins.changing.lock().await;
    let mut tx = app.db.platform_read().await?;
    let registry = plugins::all(&mut tx).await?;
    drop(tx);
    for plugin in registry {
        let Some(wanted) = plugin.wanted else { continue };
        match ready(app, &wanted, async || bytes(app, &plugin.id, &wanted).await).await {
            Ok(adapter) => activate(app, &*adapter).await?,
            Err(Unready::Store(error)) => return Err(error),
            // Another time: it is still wanted.
            Err(Unready::Load(LoadError::Busy(why))) => tracing::warn!(plugin = plugin.id, why, "a version waits"),
            Err(error) => {
                tracing::error!(plugin = plugin.id, hash = wanted, %error, "a version cannot serve");
                refuse(app, &plugin.id, &wanted, &error).await?;
            }
        }
    }
    serve(app).await
}

async fn activate(app: &App, adapter: &dyn Adapter) -> store::Result<()> {
    let (manifest, hash, now) = (adapter.manifest(), adapter.hash(), app.now());
    let mut tx = app.db.platform_write().await?;
    if processes::all_ready(&mut tx, hash, now - DEAD).await?
        && plugins::activate(&mut tx, &manifest.id, hash, now).await?
    {
        let pushes = adapter.exports().contains(&Interface::PushCalendar);
        jobs::begin_new_polls(&mut tx, manifest, pushes, now).await?;
        set_aside::retry_all(&mut tx, adapter, now).await?;
        tx.commit().await?;
        tracing::info!(plugin = manifest.id, version = manifest.version, hash, "a version is activated");
    }
    Ok(())
}

async fn refuse(app: &App, id: &str, hash: &str, error: &Unready) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    plugins::refuse(&mut tx, id, hash, &error.to_string(), now).await?;
    if matches!(error, Unready::Deadly(_)) {
        quarantine::set_aside(&mut tx, id, hash, &error.to_string(), now).await?;
    }
    tx.commit().await
}

async fn serve(app: &App) -> store::Result<()> {
    let mut tx = app.db.platform_read().await?;
    let registry = plugins::all(&mut tx).await?;
    let mut needed = Vec::new();
    for plugin in &registry {
        needed.extend(plugin.serving.iter().chain(&plugin.wanted).cloned());
        if let Some(serving) = &plugin.serving {
            // So that going back takes no longer than going on.
            needed.extend(plugins::former(&mut tx, &plugin.id, serving).await?);
        }
    }
    drop(tx);
    let before = app.plugins.serving.load_full();
    let (mut serving, mut broken) = (BTreeMap::new(), BTreeMap::new());
    for plugin in registry {
        let (Some(hash), Some(allowance)) = (plugin.serving, plugin.allowance) else { continue };
        let former = before.get(&plugin.id);
        match ready(app, &hash, async || bytes(app, &plugin.id, &hash).await).await {
            Ok(adapter) => {
                let same = former.filter(|former| former.hash() == hash && *former.allowance() == allowance.0);
                let now = same.cloned().unwrap_or_else(|| Arc::new(Plugin::new(adapter, allowance.0)));
                serving.insert(plugin.id, now);
            }
            Err(Unready::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(plugin = plugin.id, hash, %error, "the version that serves cannot serve here");
                if !matches!(error, Unready::Load(LoadError::Busy(_))) {
                    refuse(app, &plugin.id, &hash, &error).await?;
                }
                broken.insert(plugin.id.clone(), error.to_string());
                // What serves here goes on, rather than nothing.
                if let Some(former) = former {
                    serving.insert(plugin.id, Arc::clone(former));
                }
            }
        }
    }
    app.plugins.serving.store(Arc::new(serving));
    *locked(&app.plugins.broken) = broken;
    put_away(app, &needed).await
}

/// Drops what nobody needs, and says so before: the others must not count on it.
async fn put_away(app: &App, needed: &[String]) -> store::Result<()> {
    let unneeded: Vec<String> =
        locked(&app.plugins.ready).keys().filter(|hash| !needed.contains(hash)).cloned().collect();
    if let Some(process) = app.plugins.process.get().filter(|_| !unneeded.is_empty()) {
        let mut tx = app.db.platform_write().await?;
        for hash in &unneeded {
            processes::put_away(&mut tx, process, hash).await?;
        }
        tx.commit().await?;
    }
    locked(&app.plugins.ready).retain(|hash, _| !unneeded.contains(hash));
    Ok(())
}

/// The component with this hash, compiled and tried in this process, if need be with the bytes that `wasm` gets. That it
/// begins is written first: should the process die of it, the others, and the next, know.
pub(super) async fn ready(
    app: &App,
    hash: &str,
    wasm: impl AsyncFnOnce() -> Result<Vec<u8>, Unready>,
) -> Result<Arc<dyn Adapter>, Unready> {
    let at_hand = locked(&app.plugins.ready).get(hash).map(|ready| (Arc::clone(&ready.adapter), ready.told));
    if let Some((adapter, told)) = at_hand {
        if !told {
            tell(app, hash, InstanceState::Ready).await?;
        }
        return Ok(adapter);
    }
    if let Some(process) = app.plugins.process.get() {
        let mut tx = app.db.platform_read().await?;
        let deaths = processes::deaths(&mut tx, process, hash, app.now() - DEAD).await?;
        drop(tx);
        if deaths >= MAX_DEATHS {
            return Err(Unready::Deadly(deaths));
        }
    }
    tell(app, hash, InstanceState::Begun).await?;
    let loaded = match wasm().await {
        Ok(wasm) => app.plugins.engine.load(wasm).await.map_err(Unready::from),
        Err(error) => Err(error),
    };
    match loaded {
        Ok(adapter) => {
            let ready = Ready { adapter: Arc::clone(&adapter), told: false };
            locked(&app.plugins.ready).insert(hash.to_owned(), ready);
            tell(app, hash, InstanceState::Ready).await?;
            Ok(adapter)
        }
        Err(error) => {
            tell(app, hash, InstanceState::Failed).await?;
            Err(error)
        }
    }
}

/// Tells the other processes how far this one is. One that only looks in, as the command line does, has nobody to tell.
async fn tell(app: &App, hash: &str, state: InstanceState) -> store::Result<()> {
    let Some(process) = app.plugins.process.get() else { return Ok(()) };
    let mut tx = app.db.platform_write().await?;
    if state == InstanceState::Ready {
        processes::forgive(&mut tx, hash).await?;
    }
    processes::prepared(&mut tx, process, (hash, state), app.now()).await?;
    tx.commit().await?;
    if let Some(ready) = locked(&app.plugins.ready).get_mut(hash) {
        ready.told = state == InstanceState::Ready;
    }
    Ok(())
}

async fn bytes(app: &App, id: &str, hash: &str) -> Result<Vec<u8>, Unready> {
    let mut tx = app.db.platform_read().await?;
    plugins::component(&mut tx, id, hash).await?.ok_or(Unready::Gone)
}
