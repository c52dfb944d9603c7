//! Which adapter serves which channel. The folder is watched: a new file is compiled away from the calls that run, and
//! takes over between two of them; one that cannot serve leaves its forerunner where it is, and says why.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use gassync_runtime::{Adapter, Engine};
use notify::Watcher;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{app::App, store};

/// How long the folder must be quiet before it is read: a file is seldom written in one go.
const QUIET: Duration = Duration::from_millis(200);
/// The largest component, in bytes.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// The plugins of this process.
pub struct Plugins {
    engine: Engine,
    dir: PathBuf,
    loaded: ArcSwap<BTreeMap<String, Arc<dyn Adapter>>>,
    problems: Mutex<BTreeMap<String, String>>,
    reading: tokio::sync::Mutex<()>,
}

impl Plugins {
    /// None are loaded yet.
    pub fn new(engine: Engine, dir: PathBuf) -> Self {
        Self {
            engine,
            dir,
            loaded: ArcSwap::default(),
            problems: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The adapter that serves a channel now. A call keeps it to its end, whatever is swapped meanwhile.
    pub fn get(&self, channel: &str) -> Option<Arc<dyn Adapter>> {
        self.loaded.load().get(channel).cloned()
    }

    /// All that serve.
    pub fn all(&self) -> Vec<Arc<dyn Adapter>> {
        self.loaded.load().values().cloned().collect()
    }

    /// Files that cannot serve, by name, and why.
    pub fn problems(&self) -> BTreeMap<String, String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Brings what is loaded in line with the folder.
    pub async fn read_folder(&self, app: &App) -> anyhow::Result<()> {
        let _one_at_a_time = self.reading.lock().await;
        let mut serving = BTreeMap::new();
        let mut problems = BTreeMap::new();
        for path in components(&self.dir)? {
            let channel = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let former = self.get(&channel);
            match self.take(app, &path, &channel, former.as_ref()).await {
                Ok(adapter) => {
                    serving.insert(channel, adapter);
                }
                Err(error) => {
                    tracing::warn!(plugin = channel, %error, "a plugin file cannot serve");
                    problems.insert(channel.clone(), error.to_string());
                    if let Some(former) = former {
                        serving.insert(channel, former);
                    }
                }
            }
        }
        self.loaded.store(Arc::new(serving));
        *self.problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
        Ok(())
    }

    async fn take(
        &self,
        app: &App,
        path: &Path,
        channel: &str,
        former: Option<&Arc<dyn Adapter>>,
    ) -> anyhow::Result<Arc<dyn Adapter>> {
        let size = tokio::fs::metadata(path).await?.len();
        anyhow::ensure!(size <= MAX_COMPONENT_BYTES, "has {size} bytes; the limit is {MAX_COMPONENT_BYTES}");
        let wasm = tokio::fs::read(path).await?;
        let hash = hex::encode(Sha256::digest(&wasm));
        if let Some(former) = former.filter(|adapter| adapter.hash() == hash) {
            return Ok(Arc::clone(former));
        }
        let adapter = self.engine.load(wasm).await?;
        let manifest = adapter.manifest();
        anyhow::ensure!(manifest.id == channel, "its manifest says {}, its file {channel}", manifest.id);
        let mut tx = app.db.platform_write().await?;
        store::plugins::loaded(&mut tx, channel, &hash, &manifest.version, app.now()).await?;
        tx.commit().await?;
        tracing::info!(plugin = channel, version = manifest.version, hash = &hash[..12], "a plugin serves");
        Ok(adapter)
    }
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

/// Reads the folder whenever it changed and is quiet again, until it is told to stop.
pub async fn watch(app: Arc<App>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (sender, mut changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A full channel already says that something changed.
        if event.is_ok_and(|e| !e.kind.is_access()) {
            let _full_or_gone = sender.try_send(());
        }
    })?;
    watcher.watch(&app.plugins.dir, notify::RecursiveMode::NonRecursive)?;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            change = changes.recv() => if change.is_none() { return Ok(()) },
        }
        while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
        if let Err(error) = app.plugins.read_folder(&app).await {
            tracing::error!(%error, "the plugin folder cannot be read");
        }
        app.wake.notify_waiters();
    }
}
