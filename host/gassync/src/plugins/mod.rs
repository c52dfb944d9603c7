//! Which version of which plugin serves here. The database is the registry: what comes in by the folder or by an operator
//! is kept there ([`install`]), got ready by every process and activated by all at once ([`registry`]), and set aside when
//! it breaks too often ([`faults`], [`quarantine`]).

mod calls;
mod faults;
mod folder;
mod install;
mod quarantine;
mod registry;

use std::{
    collections::BTreeMap,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwap;
use gassync_domain::{Clock, Timestamp};
use gassync_runtime::{Adapter, Budget, Engine, Grant, Permissions};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;

pub use self::{
    calls::{CallDetail, DetailedRequest, detail_of, keep_call},
    faults::{record_fault, release},
    folder::{read as read_folder, watch},
    install::{InstallError, Installed, InstalledBy, install},
    registry::{PrepareError, heartbeat, reconcile, register, run},
};

use crate::{store::Db, vault::Random};

/// No version of a channel's plugin is loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plugin {0} is not loaded")]
pub struct NotLoaded(pub String);

/// An active version with its permissions.
pub struct Plugin {
    adapter: Arc<dyn Adapter>,
    allowance: Permissions,
}

impl Deref for Plugin {
    type Target = dyn Adapter;

    fn deref(&self) -> &Self::Target {
        &*self.adapter
    }
}

impl Plugin {
    /// A version and what it may do.
    pub fn new(adapter: Arc<dyn Adapter>, allowance: Permissions) -> Self {
        Self { adapter, allowance }
    }

    /// What it may do.
    pub fn allowance(&self) -> &Permissions {
        &self.allowance
    }

    /// The network grant of a call for a source. `secret` returns addresses that are secrets; `private` are the private addresses
    /// that the operator allows.
    pub fn grant(
        &self,
        settings: &Value,
        secret: impl Fn(&str, &str) -> Option<String>,
        private: Vec<(String, u16)>,
    ) -> Grant {
        self.allowance.grant(self.manifest(), settings, secret, private)
    }

    /// The resource budget of a call.
    pub fn budget(&self, ordinary: Budget) -> Budget {
        Budget { memory_bytes: self.allowance.memory_bytes(self.manifest()), ..ordinary }
    }
}

/// The plugins of this process.
pub struct PluginRegistry {
    engine: Engine,
    db: Db,
    clock: Clock,
    random: Random,
    dir: PathBuf,
    data_dir: PathBuf,
    /// Notified when work may have become possible.
    wake: Arc<Notify>,
    /// The id of this process; unset until it is registered.
    process: OnceLock<String>,
    serving: ArcSwap<BTreeMap<String, Arc<Plugin>>>,
    /// Prepared versions, by hash.
    ready: Mutex<BTreeMap<String, registry::PreparedVersion>>,
    folder: Mutex<folder::SeenComponents>,
    /// Versions that this process cannot load, by plugin.
    broken: Mutex<BTreeMap<String, String>>,
    changing: tokio::sync::Mutex<()>,
}

/// The dependencies of the registry.
pub struct RegistryParts {
    /// Compiles components.
    pub engine: Engine,
    /// Where versions are kept.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
    /// Where the name of this process comes from.
    pub random: Random,
    /// The plugin folder.
    pub dir: PathBuf,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Notified when work may have become possible.
    pub wake: Arc<Notify>,
}

impl PluginRegistry {
    /// None are loaded yet.
    pub fn new(RegistryParts { engine, db, clock, random, dir, data_dir, wake }: RegistryParts) -> Self {
        Self {
            engine,
            db,
            clock,
            random,
            dir,
            data_dir,
            wake,
            process: OnceLock::new(),
            serving: ArcSwap::default(),
            ready: Mutex::default(),
            folder: Mutex::default(),
            broken: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Takes "now" from elsewhere, before anything runs.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The active version of a channel. A running call keeps its version.
    pub fn get(&self, channel: &str) -> Option<Arc<Plugin>> {
        self.serving.load().get(channel).cloned()
    }

    /// The active version of a channel, which must be loaded.
    pub fn require(&self, channel: &str) -> Result<Arc<Plugin>, NotLoaded> {
        self.get(channel).ok_or_else(|| NotLoaded(channel.to_owned()))
    }

    /// All that serve.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        self.serving.load().values().cloned().collect()
    }

    /// Problems of plugin files and versions, by plugin.
    pub fn problems(&self) -> BTreeMap<String, String> {
        let mut problems = self.broken.lock().clone();
        problems.extend(folder::problems(&self.folder.lock()));
        problems
    }
}
