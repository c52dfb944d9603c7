//! Requests and responses about plugins.

use gassync_domain::Timestamp;
use gassync_runtime::{PermissionRequest, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::plugins::PluginStatus;

gassync_domain::words! {
    /// Where a plugin stands.
    pub enum PluginState {
        /// It may be called.
        Enabled = "enabled",
        /// An operator disabled it.
        Disabled = "disabled",
        /// Its version failed for many accounts.
        Quarantined = "quarantined",
        /// No version is active.
        Removed = "removed",
        /// No version was ever active.
        Refused = "refused",
    }
}

gassync_domain::words! {
    /// Where a version stands.
    pub enum VersionState {
        /// It is active.
        Serving = "serving",
        /// Every process prepares it.
        Preparing = "preparing",
        /// It waits for a grant.
        Waiting = "waiting",
        /// It failed for many accounts.
        Quarantined = "quarantined",
        /// It cannot be activated.
        Refused = "refused",
        /// It was active.
        Former = "former",
        /// It can be activated.
        Ready = "ready",
    }
}

gassync_domain::words! {
    /// What is done with a plugin.
    pub enum PluginAct {
        /// It may be called again; its quarantine ends.
        Enable = "enable",
        /// It may not be called.
        Disable = "disable",
        /// The version before becomes active, or a pending activation is cancelled.
        Rollback = "rollback",
        /// No version is active, and permissions are forgotten.
        Remove = "remove",
    }
}

impl From<PluginStatus> for PluginState {
    fn from(status: PluginStatus) -> Self {
        match status {
            PluginStatus::Enabled => Self::Enabled,
            PluginStatus::Disabled => Self::Disabled,
            PluginStatus::Quarantined => Self::Quarantined,
        }
    }
}

/// A plugin and its status.
#[derive(Debug, Serialize, Deserialize)]
pub struct PluginResponse {
    /// The channel.
    pub id: String,
    /// Where it stands.
    pub status: PluginState,
    /// Active version, from its manifest.
    pub version: Option<String>,
    /// SHA-256 of that version.
    pub hash: Option<String>,
    /// Whether it is loaded in this process.
    pub loaded: bool,
    /// Why the newest version or the file in the folder is not active.
    pub problem: Option<String>,
}

/// A plugin with its versions.
#[derive(Debug, Serialize, Deserialize)]
pub struct PluginDetail {
    /// Status.
    #[serde(flatten)]
    pub plugin: PluginResponse,
    /// Newest first.
    pub versions: Vec<PluginVersionResponse>,
}

/// A plugin version and its status.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginVersionResponse {
    /// By its manifest.
    pub version: String,
    /// SHA-256 of the component.
    pub hash: String,
    /// Version of the plugin contract.
    pub contract: String,
    /// Where it stands.
    pub status: VersionState,
    /// Why it cannot be activated.
    pub problem: Option<String>,
    /// Its permissions; `None` until approved.
    pub allowance: Option<Permissions>,
    /// Missing permissions, as options of `plugin grant`.
    pub lacks: Vec<String>,
    /// Installation details: `by` folder or operator, `bytes`, `readyMillis`.
    pub receipt: Value,
    /// Installation time.
    pub installed_at: Timestamp,
    /// When it was last activated.
    pub activated_at: Option<Timestamp>,
}

/// The result of an installation.
#[derive(Debug, Serialize, Deserialize)]
pub struct InstalledPlugin {
    /// The plugin.
    pub id: String,
    /// By its manifest.
    pub version: String,
    /// SHA-256 of the component.
    pub hash: String,
    /// Where the version stands.
    pub status: VersionState,
    /// Missing permissions, as options of `plugin grant`.
    pub lacks: Vec<String>,
}

/// Permissions granted or revoked by an operator.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    /// The version by its hash or a prefix of it. Default: the waiting version, otherwise the active one.
    pub hash: Option<String>,
    /// Grant everything that it asks for.
    pub all: bool,
    /// Permissions to grant.
    pub give: PermissionList,
    /// Permissions to revoke.
    pub take: PermissionList,
}

/// Permissions, named as in the manifest.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PermissionList {
    /// Hosts that it may call.
    pub hosts: Vec<String>,
    /// Slots, each with a host that may receive its secrets.
    pub secrets: Vec<(String, String)>,
    /// Memory limit of a call, in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: Option<u32>,
    /// Routes that may be called without authentication.
    pub open_routes: Vec<String>,
}

impl PermissionList {
    /// As requests.
    pub(super) fn wishes(self) -> Vec<PermissionRequest> {
        let hosts = self.hosts.into_iter().map(PermissionRequest::Host);
        let secrets = self.secrets.into_iter().map(|(slot, host)| PermissionRequest::Secret(slot, host));
        let routes = self.open_routes.into_iter().map(PermissionRequest::OpenRoute);
        hosts.chain(secrets).chain(self.memory_mib.map(PermissionRequest::Memory)).chain(routes).collect()
    }
}
