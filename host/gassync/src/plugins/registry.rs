//! Activates versions. Each process prepares a requested version; the one that finds all processes ready activates it, and the
//! others notice within [`PERIOD`]. Running calls finish on their version.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use gassync_runtime::{Adapter, Interface, LoadError};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{Plugin, PluginRegistry, quarantine};
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

/// The file in the data folder that names the running process.
const PROCESS_FILE: &str = "host.process";
/// Polling interval of the registry.
const PERIOD: Duration = Duration::from_millis(500);
/// Heartbeat interval.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// Time without a heartbeat after which a process counts as dead.
const DEAD: SignedDuration = SignedDuration::from_secs(10);
/// Time after which its rows are deleted.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(1);
/// A version that killed this many processes is not tried again.
const MAX_DEATHS: i64 = 2;

/// A version that is compiled and tested in this process.
pub(super) struct PreparedVersion {
    adapter: Arc<dyn Adapter>,
    /// True if the state is published to other processes.
    announced: bool,
}

/// Why a version could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The component does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Preparing it killed processes before; it is not tried again.
    #[error("{0} processes died while preparing it")]
    Deadly(i64),
    /// Its component was deleted meanwhile.
    #[error("its component has been deleted")]
    Gone,
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Follows the registry until shutdown.
pub async fn run(registry: Arc<PluginRegistry>, shutdown: CancellationToken) {
    let mut known = None;
    while !shutdown.is_cancelled() {
        if let Err(error) = poll(&registry, &mut known).await {
            tracing::error!(%error, "plugin registry could not be read");
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

/// Registers this process: from now on versions are activated only once it has prepared them. The previous process on this
/// data folder counts as dead, killed by whatever it was preparing.
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

/// Sends heartbeats until shutdown, then unregisters the process.
pub async fn heartbeat(registry: Arc<PluginRegistry>, shutdown: CancellationToken) {
    let Some(process) = registry.process.get() else { return };
    while !shutdown.is_cancelled() {
        if let Err(error) = record_heartbeat(&registry, process).await {
            tracing::error!(%error, "process heartbeat failed");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
        }
    }
    if let Err(error) = unregister(&registry, process).await {
        tracing::error!(%error, "process could not be unregistered");
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

/// Prepares requested versions, activates those that all processes have ready, and loads the active ones.
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
            // Retried later: it is still requested.
            Err(PrepareError::Load(LoadError::Busy(why))) => {
                tracing::warn!(plugin = plugin.id, why, "plugin version deferred")
            }
            Err(error) => {
                tracing::error!(plugin = plugin.id, hash = wanted, %error, "plugin version rejected");
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
        tracing::info!(plugin = manifest.id, version = manifest.version, hash, "plugin version activated");
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
            // Keep the previous version prepared, for a fast rollback.
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
                tracing::error!(plugin = plugin.id, hash, %error, "active plugin version could not be prepared");
                if !matches!(error, PrepareError::Load(LoadError::Busy(_))) {
                    refuse(registry, &plugin.id, &hash, &error).await?;
                }
                broken.insert(plugin.id.clone(), error.to_string());
                // Keep the version that is loaded.
                if let Some(former) = former {
                    serving.insert(plugin.id, Arc::clone(former));
                }
            }
        }
    }
    registry.serving.store(Arc::new(serving));
    *registry.broken.lock() = broken;
    unload(registry, &needed).await
}

/// Unloads unneeded versions, after publishing that, so that other processes do not rely on them.
async fn unload(registry: &PluginRegistry, needed: &[String]) -> store::Result<()> {
    let unneeded: Vec<String> = registry.ready.lock().keys().filter(|hash| !needed.contains(hash)).cloned().collect();
    if let Some(process) = registry.process.get().filter(|_| !unneeded.is_empty()) {
        let mut tx = registry.db.platform_write().await?;
        for hash in &unneeded {
            processes::record_unloaded(&mut tx, process, hash).await?;
        }
        tx.commit().await?;
    }
    registry.ready.lock().retain(|hash, _| !unneeded.contains(hash));
    Ok(())
}

/// Returns the prepared component with this hash, preparing it from the bytes of `wasm` if needed. The start is published first,
/// so that other processes know if it kills this one.
pub(super) async fn prepare(
    registry: &PluginRegistry,
    hash: &str,
    wasm: impl AsyncFnOnce() -> Result<Vec<u8>, PrepareError>,
) -> Result<Arc<dyn Adapter>, PrepareError> {
    let at_hand = registry.ready.lock().get(hash).map(|ready| (Arc::clone(&ready.adapter), ready.announced));
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
            registry.ready.lock().insert(hash.to_owned(), ready);
            announce(registry, hash, InstanceState::Ready).await?;
            Ok(adapter)
        }
        Err(error) => {
            announce(registry, hash, InstanceState::Failed).await?;
            Err(error)
        }
    }
}

/// Publishes the preparation state of this process; unregistered processes such as the command line publish nothing.
async fn announce(registry: &PluginRegistry, hash: &str, state: InstanceState) -> store::Result<()> {
    let Some(process) = registry.process.get() else { return Ok(()) };
    let mut tx = registry.db.platform_write().await?;
    if state == InstanceState::Ready {
        processes::clear_deaths(&mut tx, hash).await?;
    }
    processes::record_preparation(&mut tx, process, (hash, state), registry.now()).await?;
    tx.commit().await?;
    if let Some(ready) = registry.ready.lock().get_mut(hash) {
        ready.announced = state == InstanceState::Ready;
    }
    Ok(())
}

async fn bytes(registry: &PluginRegistry, id: &str, hash: &str) -> Result<Vec<u8>, PrepareError> {
    let mut tx = registry.db.platform_read().await?;
    plugins::component(&mut tx, id, hash).await?.ok_or(PrepareError::Gone)
}
