//! What the registry says becomes what serves. Each process gets a wanted version ready by itself; the one that finds all
//! ready activates it, and every other sees that within [`PERIOD`]. Calls that run end with the version they began with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use gassync_runtime::{Adapter, Interface, LoadError};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Plugin, PluginRegistry, locked, quarantine};
use crate::{
    schedule,
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
pub(super) struct PreparedVersion {
    adapter: Arc<dyn Adapter>,
    /// Whether the other processes know.
    announced: bool,
}

/// Why a version cannot be got ready here.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
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
pub async fn run(registry: Arc<PluginRegistry>, shutdown: CancellationToken) {
    let mut known = None;
    while !shutdown.is_cancelled() {
        if let Err(error) = poll(&registry, &mut known).await {
            tracing::error!(%error, "the registry of plugins cannot be read");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn poll(registry: &PluginRegistry, known: &mut Option<Vec<plugins::PluginRow>>) -> store::Result<()> {
    let mut tx = registry.db.platform_read().await?;
    let listed = plugins::all(&mut tx).await?;
    drop(tx);
    if listed.iter().any(|plugin| plugin.wanted.is_some()) || known.as_ref() != Some(&listed) {
        reconcile(registry).await?;
        registry.wake.notify_waiters();
        *known = Some(listed);
    }
    Ok(())
}

/// This process takes part from now on: nothing is activated that it has not ready. The one that was here before it is no
/// more: whatever it was at, it died of.
pub async fn register(registry: &PluginRegistry) -> anyhow::Result<()> {
    let mut bytes = [0; 8];
    (registry.random)(&mut bytes);
    let process = registry.process.get_or_init(|| hex::encode(bytes));
    let file = registry.data_dir.join(PROCESS_FILE);
    let before = std::fs::read_to_string(&file).ok();
    std::fs::write(&file, process).with_context(|| format!("{} cannot be written", file.display()))?;
    let mut tx = registry.db.platform_write().await?;
    if let Some(before) = before {
        processes::record_death(&mut tx, before.trim()).await?;
    }
    processes::heartbeat(&mut tx, process, registry.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Says that this process lives, whatever else it does, until it is told to stop; and then that it does no more.
pub async fn heartbeat(registry: Arc<PluginRegistry>, shutdown: CancellationToken) {
    let Some(process) = registry.process.get() else { return };
    while !shutdown.is_cancelled() {
        if let Err(error) = record_heartbeat(&registry, process).await {
            tracing::error!(%error, "the other processes may take this one for dead");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    if let Err(error) = unregister(&registry, process).await {
        tracing::error!(%error, "the other processes will take this one for dead");
    }
}

async fn record_heartbeat(registry: &PluginRegistry, process: &str) -> store::Result<()> {
    let now = registry.now();
    let mut tx = registry.db.platform_write().await?;
    processes::heartbeat(&mut tx, process, now).await?;
    processes::forget_before(&mut tx, now - FORGOTTEN).await?;
    tx.commit().await
}

async fn unregister(registry: &PluginRegistry, process: &str) -> store::Result<()> {
    let mut tx = registry.db.platform_write().await?;
    processes::unregister(&mut tx, process).await?;
    tx.commit().await
}

/// Gets ready what is wanted, activates what all have ready, and serves with what the registry says.
pub async fn reconcile(registry: &PluginRegistry) -> store::Result<()> {
    let _one_at_a_time = registry.changing.lock().await;
    let mut tx = registry.db.platform_read().await?;
    let listed = plugins::all(&mut tx).await?;
    drop(tx);
    for plugin in listed {
        let Some(wanted) = plugin.wanted else { continue };
        match prepare(registry, &wanted, async || bytes(registry, &plugin.id, &wanted).await).await {
            Ok(adapter) => activate(registry, &*adapter).await?,
            Err(PrepareError::Store(error)) => return Err(error),
            // Another time: it is still wanted.
            Err(PrepareError::Load(LoadError::Busy(why))) => tracing::warn!(plugin = plugin.id, why, "a version waits"),
            Err(error) => {
                tracing::error!(plugin = plugin.id, hash = wanted, %error, "a version cannot serve");
                refuse(registry, &plugin.id, &wanted, &error).await?;
            }
        }
    }
    serve(registry).await
}

async fn activate(registry: &PluginRegistry, adapter: &dyn Adapter) -> store::Result<()> {
    let (manifest, hash, now) = (adapter.manifest(), adapter.hash(), registry.now());
    let mut tx = registry.db.platform_write().await?;
    if processes::all_ready(&mut tx, hash, now - DEAD).await?
        && plugins::activate(&mut tx, &manifest.id, hash, now).await?
    {
        let pushes = adapter.exports().contains(&Interface::PushCalendar);
        schedule::begin_new_polls(&mut tx, manifest, pushes, now).await?;
        schedule::retry_all_set_aside(&mut tx, adapter, now).await?;
        tx.commit().await?;
        tracing::info!(plugin = manifest.id, version = manifest.version, hash, "a version is activated");
    }
    Ok(())
}

async fn refuse(registry: &PluginRegistry, id: &str, hash: &str, error: &PrepareError) -> store::Result<()> {
    let now = registry.now();
    let mut tx = registry.db.platform_write().await?;
    plugins::refuse(&mut tx, id, hash, &error.to_string(), now).await?;
    if matches!(error, PrepareError::Deadly(_)) {
        quarantine::quarantine(&mut tx, id, hash, &error.to_string(), now).await?;
    }
    tx.commit().await
}

async fn serve(registry: &PluginRegistry) -> store::Result<()> {
    let mut tx = registry.db.platform_read().await?;
    let listed = plugins::all(&mut tx).await?;
    let mut needed = Vec::new();
    for plugin in &listed {
        needed.extend(plugin.serving.iter().chain(&plugin.wanted).cloned());
        if let Some(serving) = &plugin.serving {
            // So that going back takes no longer than going on.
            needed.extend(plugins::former(&mut tx, &plugin.id, serving).await?);
        }
    }
    drop(tx);
    let before = registry.serving.load_full();
    let (mut serving, mut broken) = (BTreeMap::new(), BTreeMap::new());
    for plugin in listed {
        let (Some(hash), Some(allowance)) = (plugin.serving, plugin.allowance) else { continue };
        let former = before.get(&plugin.id);
        match prepare(registry, &hash, async || bytes(registry, &plugin.id, &hash).await).await {
            Ok(adapter) => {
                let same = former.filter(|former| former.hash() == hash && *former.allowance() == allowance.0);
                let now = same.cloned().unwrap_or_else(|| Arc::new(Plugin::new(adapter, allowance.0)));
                serving.insert(plugin.id, now);
            }
            Err(PrepareError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::error!(plugin = plugin.id, hash, %error, "the version that serves cannot serve here");
                if !matches!(error, PrepareError::Load(LoadError::Busy(_))) {
                    refuse(registry, &plugin.id, &hash, &error).await?;
                }
                broken.insert(plugin.id.clone(), error.to_string());
                // What serves here goes on, rather than nothing.
                if let Some(former) = former {
                    serving.insert(plugin.id, Arc::clone(former));
                }
            }
        }
    }
    registry.serving.store(Arc::new(serving));
    *locked(&registry.broken) = broken;
    unload(registry, &needed).await
}

/// Drops what nobody needs, and says so before: the others must not count on it.
async fn unload(registry: &PluginRegistry, needed: &[String]) -> store::Result<()> {
    let unneeded: Vec<String> = locked(&registry.ready).keys().filter(|hash| !needed.contains(hash)).cloned().collect();
    if let Some(process) = registry.process.get().filter(|_| !unneeded.is_empty()) {
        let mut tx = registry.db.platform_write().await?;
        for hash in &unneeded {
            processes::record_unloaded(&mut tx, process, hash).await?;
        }
        tx.commit().await?;
    }
    locked(&registry.ready).retain(|hash, _| !unneeded.contains(hash));
    Ok(())
}

/// The component with this hash, compiled and tried in this process, if need be with the bytes that `wasm` gets. That it
/// begins is written first: should the process die of it, the others, and the next, know.
pub(super) async fn prepare(
    registry: &PluginRegistry,
    hash: &str,
    wasm: impl AsyncFnOnce() -> Result<Vec<u8>, PrepareError>,
) -> Result<Arc<dyn Adapter>, PrepareError> {
    let at_hand = locked(&registry.ready).get(hash).map(|ready| (Arc::clone(&ready.adapter), ready.announced));
    if let Some((adapter, announced)) = at_hand {
        if !announced {
            announce(registry, hash, InstanceState::Ready).await?;
        }
        return Ok(adapter);
    }
    if let Some(process) = registry.process.get() {
        let mut tx = registry.db.platform_read().await?;
        let deaths = processes::deaths(&mut tx, process, hash, registry.now() - DEAD).await?;
        drop(tx);
        if deaths >= MAX_DEATHS {
            return Err(PrepareError::Deadly(deaths));
        }
    }
    announce(registry, hash, InstanceState::Begun).await?;
    let loaded = match wasm().await {
        Ok(wasm) => registry.engine.load(wasm).await.map_err(PrepareError::from),
        Err(error) => Err(error),
    };
    match loaded {
        Ok(adapter) => {
            let ready = PreparedVersion { adapter: Arc::clone(&adapter), announced: false };
            locked(&registry.ready).insert(hash.to_owned(), ready);
            announce(registry, hash, InstanceState::Ready).await?;
            Ok(adapter)
        }
        Err(error) => {
            announce(registry, hash, InstanceState::Failed).await?;
            Err(error)
        }
    }
}

/// Tells the other processes how far this one is. One that only looks in, as the command line does, has nobody to tell.
async fn announce(registry: &PluginRegistry, hash: &str, state: InstanceState) -> store::Result<()> {
    let Some(process) = registry.process.get() else { return Ok(()) };
    let mut tx = registry.db.platform_write().await?;
    if state == InstanceState::Ready {
        processes::clear_deaths(&mut tx, hash).await?;
    }
    processes::record_preparation(&mut tx, process, (hash, state), registry.now()).await?;
    tx.commit().await?;
    if let Some(ready) = locked(&registry.ready).get_mut(hash) {
        ready.announced = state == InstanceState::Ready;
    }
    Ok(())
}

async fn bytes(registry: &PluginRegistry, id: &str, hash: &str) -> Result<Vec<u8>, PrepareError> {
    let mut tx = registry.db.platform_read().await?;
    plugins::component(&mut tx, id, hash).await?.ok_or(PrepareError::Gone)
}
