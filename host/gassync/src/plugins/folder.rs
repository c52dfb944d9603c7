//! Installs plugins from the folder. At start only components unknown to the registry are installed, since the registry decides
//! what is active; later every change of a file is installed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use gassync_runtime::{LoadError, MAX_COMPONENT_BYTES};
use notify::Watcher;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    InstallError, InstalledBy, PluginRegistry, install,
    registry::{self, PrepareError},
};
use crate::store::{self, plugins};

/// How long the folder must be unchanged before it is read, since files are written in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// Retry delay for files that could not be read or stored.
const AGAIN: Duration = Duration::from_secs(5);

/// The folder's content at the last read, by channel; `None` before the first.
pub(super) type SeenComponents = Option<BTreeMap<String, SeenComponent>>;

/// A file as last read.
#[derive(Debug, Clone, Default)]
pub(super) struct SeenComponent {
    /// SHA-256 of its bytes; `None` if it could not be read or stored and must be retried.
    hash: Option<String>,
    /// Hash of the last version read from it that is usable.
    taken: Option<String>,
    /// Why the file was rejected.
    problem: Option<String>,
}

/// Installs changes of the folder. Returns false if something must be retried.
pub async fn read(registry: &PluginRegistry) -> anyhow::Result<bool> {
    let former = registry.folder.lock().clone();
    let mut now = BTreeMap::new();
    for path in components(&registry.dir)? {
        let channel = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let before = former.as_ref().map(|known| known.get(&channel).cloned().unwrap_or_default());
        let seen = check(registry, &path, &channel, before).await;
        if let Some(why) = &seen.problem {
            tracing::warn!(plugin = channel, error = why, "plugin file rejected");
        }
        now.insert(channel, seen);
    }
    for (channel, seen) in former.iter().flatten().filter(|(channel, _)| !now.contains_key(*channel)) {
        record_gone(registry, channel, seen.taken.as_deref()).await?;
    }
    let done = now.values().all(|seen| seen.hash.is_some());
    *registry.folder.lock() = Some(now);
    Ok(done)
}

/// Problems of the files, by channel.
pub(super) fn problems(known: &SeenComponents) -> impl Iterator<Item = (String, String)> {
    known.iter().flatten().filter_map(|(channel, seen)| Some((channel.clone(), seen.problem.clone()?)))
}

/// Checks a file; `before` is its last known state.
async fn check(registry: &PluginRegistry, path: &Path, channel: &str, before: Option<SeenComponent>) -> SeenComponent {
    let at_start = before.is_none();
    let before = before.unwrap_or_default();
    let taken = before.taken.clone();
    let wasm = match load(path).await {
        Ok(wasm) => wasm,
        Err(why) => return SeenComponent { hash: None, taken, problem: Some(why) },
    };
    let hash = hex::encode(Sha256::digest(&wasm));
    if before.hash.as_ref() == Some(&hash) {
        return before;
    }
    let again = |why: String| SeenComponent { hash: None, taken: taken.clone(), problem: Some(why) };
    match is_installed(registry, channel, &hash).await {
        Err(error) => return again(format!("the database: {error}")),
        Ok(true) if at_start => return SeenComponent { taken: Some(hash.clone()), hash: Some(hash), problem: None },
        Ok(_) => {}
    }
    match install(registry, wasm, Some(channel), InstalledBy::Folder).await {
        Ok(installed) => SeenComponent { taken: Some(installed.hash), hash: Some(hash), problem: None },
        Err(
            error @ (InstallError::Store(_)
            | InstallError::Unprepared(PrepareError::Store(_) | PrepareError::Load(LoadError::Busy(_)))),
        ) => again(error.to_string()),
        Err(error) => SeenComponent { hash: Some(hash), taken, problem: Some(error.to_string()) },
    }
}

async fn load(path: &Path) -> Result<Vec<u8>, String> {
    let unread = |error: std::io::Error| format!("the file cannot be read: {error}");
    let size = tokio::fs::metadata(path).await.map_err(unread)?.len();
    if size > MAX_COMPONENT_BYTES as u64 {
        return Err(format!("has {size} bytes; the limit is {MAX_COMPONENT_BYTES}"));
    }
    tokio::fs::read(path).await.map_err(unread)
}

async fn is_installed(registry: &PluginRegistry, channel: &str, hash: &str) -> store::Result<bool> {
    let mut tx = registry.db.platform_read().await?;
    Ok(plugins::version(&mut tx, channel, hash).await?.is_some())
}

/// Handles a removed file: deactivates its version.
async fn record_gone(registry: &PluginRegistry, channel: &str, taken: Option<&str>) -> store::Result<()> {
    let mut tx = registry.db.platform_write().await?;
    let serves = plugins::get(&mut tx, channel).await?.and_then(|plugin| plugin.wanted.or(plugin.serving));
    if serves.is_none() || serves.as_deref() != taken {
        return Ok(());
    }
    plugins::stop_serving(&mut tx, channel, registry.now()).await?;
    tx.commit().await?;
    tracing::info!(plugin = channel, "plugin removed from folder");
    registry::reconcile(registry).await
}

fn components(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Watches the folder until shutdown.
pub async fn watch(registry: Arc<PluginRegistry>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (sender, mut changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A full channel already says that something changed.
        if event.is_ok_and(|e| !e.kind.is_access()) {
            let _full_or_gone = sender.try_send(());
        }
    })?;
    watcher.watch(&registry.dir, notify::RecursiveMode::NonRecursive)?;
    // Read again: changes made before the watch began were not reported.
    loop {
        while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
        let done = read(&registry).await.unwrap_or_else(|error| {
            tracing::error!(%error, "plugin folder could not be read");
            false
        });
        registry.wake.notify_waiters();
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            change = changes.recv() => if change.is_none() { return Ok(()) },
            () = tokio::time::sleep(AGAIN), if !done => {}
        }
    }
}
