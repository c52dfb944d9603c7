//! Installs components as versions: prepares and stores them, and requests activation unless they need new permissions.

use std::time::Instant;

use gassync_runtime::{Adapter, MAX_COMPONENT_BYTES, PermissionRequest, Permissions};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    PluginRegistry, quarantine,
    registry::{self, PrepareError},
};
use crate::store::{self, Tx, plugins};

/// Versions kept per plugin, for rollback.
const KEPT_VERSIONS: i64 = 5;

/// How a component was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstalledBy {
    /// From the plugin folder.
    Folder,
    /// By an operator.
    Operator,
}

impl InstalledBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Operator => "operator",
        }
    }
}

/// An installed version.
#[derive(Debug)]
pub struct Installed {
    /// The plugin.
    pub id: String,
    /// The version in its manifest.
    pub version: String,
    /// SHA-256 of the component.
    pub hash: String,
    /// Requested permissions that the previous version does not have. If not empty, the version awaits approval.
    pub lacks: Vec<PermissionRequest>,
}

/// Why a component is rejected.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The component is too large.
    #[error("the component has {0} bytes; the limit is {MAX_COMPONENT_BYTES}")]
    TooLarge(usize),
    /// The component does not load.
    #[error(transparent)]
    Unprepared(#[from] PrepareError),
    /// The file belongs to another channel.
    #[error("the manifest names the plugin {0}, the file {1}")]
    Name(String, String),
    /// The version was quarantined earlier.
    #[error("version {0} is in quarantine: {1}; `gassync plugin install` retries it")]
    Quarantined(String, String),
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Installs a component; `file` is the plugin name its file requires. Returns when this process has prepared it; it is
/// activated once all processes have.
pub async fn install(
    registry: &PluginRegistry,
    wasm: Vec<u8>,
    file: Option<&str>,
    by: InstalledBy,
) -> Result<Installed, InstallError> {
    if wasm.len() > MAX_COMPONENT_BYTES {
        return Err(InstallError::TooLarge(wasm.len()));
    }
    let hash = hex::encode(Sha256::digest(&wasm));
    if by == InstalledBy::Operator {
        // An operator installs it again: earlier faults no longer count.
        let mut tx = registry.db.platform_write().await?;
        plugins::processes::clear_deaths(&mut tx, &hash).await?;
        tx.commit().await?;
    }
    let began = Instant::now();
    let adapter = registry::prepare(registry, &hash, async || Ok(wasm.clone())).await?;
    let manifest = adapter.manifest();
    if let Some(file) = file.filter(|file| *file != manifest.id) {
        return Err(InstallError::Name(manifest.id.clone(), file.to_owned()));
    }
    let receipt = json!({
        "by": by.as_str(),
        "bytes": wasm.len(),
        "readyMillis": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let now = registry.now();
    let mut tx = registry.db.platform_write().await?;
    if by == InstalledBy::Operator {
        quarantine::clear_faults(&mut tx, &manifest.id, &hash).await?;
    }
    let (allowance, lacks) = prepare_version(&mut tx, &*adapter, &hash).await?;
    let new = plugins::NewVersionRow {
        manifest,
        hash: &hash,
        component: &wasm,
        allowance: allowance.as_ref(),
        receipt: &receipt,
    };
    plugins::keep(&mut tx, &new, now).await?;
    if let Some(allowance) = &allowance {
        plugins::allow(&mut tx, &manifest.id, &hash, allowance).await?;
        plugins::want(&mut tx, &manifest.id, Some(&hash), now).await?;
    }
    plugins::forget_old(&mut tx, &manifest.id, KEPT_VERSIONS).await?;
    tx.commit().await?;
    let waits = !lacks.is_empty();
    tracing::info!(
        plugin = manifest.id,
        version = manifest.version,
        hash = &hash[..12],
        waits,
        "plugin version installed"
    );
    registry::reconcile(registry).await?;
    Ok(Installed { id: manifest.id.clone(), version: manifest.version.clone(), hash, lacks })
}

/// Determines the permissions of a version: its own from an earlier installation, else those of the previous version,
/// else (for a new plugin) those it requests, since an operator has reviewed it. `None` if it requests more than the
/// previous version has; the missing permissions are returned beside it.
async fn prepare_version(
    tx: &mut Tx,
    adapter: &dyn Adapter,
    hash: &str,
) -> Result<(Option<Permissions>, Vec<PermissionRequest>), InstallError> {
    let manifest = adapter.manifest();
    let known = plugins::version(tx, &manifest.id, hash).await?;
    if let Some(version) = known.as_ref().filter(|version| version.quarantined_at.is_some()) {
        let why = version.problem.clone().unwrap_or_default();
        return Err(InstallError::Quarantined(version.version.clone(), why));
    }
    if let Some(said) = known.and_then(|version| version.allowance) {
        return Ok((Some(said.0), Vec::new()));
    }
    let Some(held) = held_permissions(tx, &manifest.id).await? else {
        return Ok((Some(Permissions::as_requested(manifest)), Vec::new()));
    };
    let lacks = held.missing(manifest);
    Ok((lacks.is_empty().then_some(held), lacks))
}

/// The permissions last granted to the plugin.
async fn held_permissions(tx: &mut Tx, id: &str) -> store::Result<Option<Permissions>> {
    if let Some(allowance) = plugins::get(tx, id).await?.and_then(|plugin| plugin.allowance) {
        return Ok(Some(allowance.0));
    }
    let mut versions = plugins::versions(tx, id).await?.into_iter();
    Ok(versions.find_map(|version| version.allowance).map(|allowance| allowance.0))
}
