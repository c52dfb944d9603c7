use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::Timestamp;
use gassync_runtime::{MAX_COMPONENT_BYTES, Manifest, PermissionRequest, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    plugins::{self, InstallError, InstalledBy, PrepareError},
    store::{
        self, Tx,
        plugins::{PluginStatus, VersionRow},
    },
};

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
    fn wishes(self) -> Vec<PermissionRequest> {
        let hosts = self.hosts.into_iter().map(PermissionRequest::Host);
        let secrets = self.secrets.into_iter().map(|(slot, host)| PermissionRequest::Secret(slot, host));
        let routes = self.open_routes.into_iter().map(PermissionRequest::OpenRoute);
        hosts.chain(secrets).chain(self.memory_mib.map(PermissionRequest::Memory)).chain(routes).collect()
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    let component = DefaultBodyLimit::max(MAX_COMPONENT_BYTES);
    Router::new()
        .route("/admin/v1/plugins", get(list).post(install).layer(component))
        .route("/admin/v1/plugins/{id}", get(show))
        .route("/admin/v1/plugins/{id}/grant", post(grant))
        .route("/admin/v1/plugins/{id}/{act}", post(act))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<PluginResponse>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let mut shown = Vec::new();
    for plugin in store::plugins::all(&mut tx).await? {
        let versions = store::plugins::versions(&mut tx, &plugin.id).await?;
        shown.push(summary(&app, plugin, &versions));
    }
    let known: Vec<&String> = shown.iter().map(|plugin| &plugin.id).collect();
    // List files that never became active, too, with their problem.
    let strangers = app.plugins.problems().into_iter().filter(|(id, _)| !known.contains(&id));
    let strangers: Vec<PluginResponse> = strangers.map(|(id, problem)| refused(id, problem)).collect();
    shown.extend(strangers);
    Ok(Json(shown))
}

async fn show(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Json<PluginDetail>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let plugin = store::plugins::get(&mut tx, &id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, &id).await?;
    let shown = versions.iter().map(|version| version_shown(&plugin, version)).collect();
    Ok(Json(PluginDetail { versions: shown, plugin: summary(&app, plugin, &versions) }))
}

fn summary(app: &App, plugin: store::plugins::PluginRow, versions: &[VersionRow]) -> PluginResponse {
    let serving = versions.iter().find(|version| Some(&version.hash) == plugin.serving.as_ref());
    let newest = versions.first().filter(|newest| Some(&newest.hash) != plugin.serving.as_ref());
    let in_the_way = || {
        let version = serving.filter(|serving| serving.problem.is_some()).or(newest)?;
        let shown = version_shown(&plugin, version);
        match shown.status {
            VersionState::Waiting if plugin.serving.is_some() => {
                let options = shown.lacks.join(" ");
                Some(format!("version {} asks for more: gassync plugin grant {} {options}", shown.version, plugin.id))
            }
            VersionState::Preparing => Some(format!("version {} is being prepared by every process", shown.version)),
            _ => Some(format!("version {}: {}", shown.version, shown.problem?)),
        }
    };
    let problem = app.plugins.problems().remove(&plugin.id).or_else(in_the_way);
    PluginResponse {
        status: if plugin.serving.is_some() { plugin.status.into() } else { PluginState::Removed },
        version: serving.map(|serving| serving.version.clone()),
        hash: plugin.serving,
        loaded: app.plugins.get(&plugin.id).is_some(),
        problem,
        id: plugin.id,
    }
}

fn refused(id: String, problem: String) -> PluginResponse {
    PluginResponse {
        id,
        status: PluginState::Refused,
        version: None,
        hash: None,
        loaded: false,
        problem: Some(problem),
    }
}

fn version_shown(plugin: &store::plugins::PluginRow, version: &VersionRow) -> PluginVersionResponse {
    let is = |hash: &Option<String>| hash.as_ref() == Some(&version.hash);
    let status = if version.quarantined_at.is_some() {
        VersionState::Quarantined
    } else if is(&plugin.serving) {
        VersionState::Serving
    } else if is(&plugin.wanted) {
        VersionState::Preparing
    } else if version.problem.is_some() {
        VersionState::Refused
    } else if version.allowance.is_none() {
        VersionState::Waiting
    } else if version.activated_at.is_some() {
        VersionState::Former
    } else {
        VersionState::Ready
    };
    let held = version.allowance.as_ref().or(plugin.allowance.as_ref());
    // A manifest that this host can no longer parse requests nothing.
    let manifest = Manifest::parse(&version.manifest.to_string()).ok();
    let lacks = manifest.zip(held).map(|(manifest, held)| grant_options(&held.missing(&manifest)));
    PluginVersionResponse {
        version: version.version.clone(),
        hash: version.hash.clone(),
        contract: version.contract.clone(),
        status,
        problem: version.problem.clone(),
        allowance: version.allowance.as_ref().map(|allowance| allowance.0.clone()),
        lacks: lacks.unwrap_or_default(),
        receipt: version.receipt.0.clone(),
        installed_at: version.installed_at.into(),
        activated_at: version.activated_at.map(Timestamp::from),
    }
}

fn grant_options(wishes: &[PermissionRequest]) -> Vec<String> {
    wishes.iter().map(ToString::to_string).collect()
}

async fn install(
    State(app): State<Arc<App>>,
    _: Operator,
    component: Bytes,
) -> Result<(StatusCode, Json<InstalledPlugin>), ApiError> {
    let installed = plugins::install(&app.plugins, component.to_vec(), None, InstalledBy::Operator)
        .await
        .map_err(install_problem)?;
    app.wake.notify_waiters();
    let (plugin, version) = version_of(&app, &installed.id, Some(&installed.hash)).await?;
    let shown = InstalledPlugin {
        id: installed.id,
        version: installed.version,
        hash: installed.hash,
        status: version_shown(&plugin, &version).status,
        lacks: grant_options(&installed.lacks),
    };
    Ok((StatusCode::CREATED, Json(shown)))
}

fn install_problem(error: InstallError) -> ApiError {
    match error {
        InstallError::Store(error) | InstallError::Unprepared(PrepareError::Store(error)) => error.into(),
        InstallError::TooLarge(_) => Problem::TooLarge(error.to_string()).into(),
        InstallError::Quarantined(..) => Problem::Conflict(error.to_string()).into(),
        InstallError::Unprepared(_) | InstallError::Name(..) => Problem::Malformed(error.to_string()).into(),
    }
}

/// Changes the permissions of a plugin. Grants apply to one version, by default the waiting one, which is then
/// activated. Revocations apply to all versions.
async fn grant(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<String>,
    Json(grants): Json<Grants>,
) -> Result<Json<PluginVersionResponse>, ApiError> {
    let (give, take) = (grants.give.wishes(), grants.take.wishes());
    if let Some(problem) = give.iter().find_map(PermissionRequest::problem) {
        return Err(Problem::Malformed(problem).into());
    }
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let plugin = store::plugins::get(&mut tx, &id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, &id).await?;
    let only_takes = give.is_empty() && !grants.all && !take.is_empty();
    let meant = select_version(&plugin, &versions, grants.hash.as_deref(), only_takes).ok_or(Problem::NotFound)?;
    for wish in &take {
        if !take_from_all(&mut tx, &id, &versions, wish).await? {
            return Err(Problem::Malformed(format!("nothing to revoke: {wish} is not granted")).into());
        }
    }
    if !only_takes {
        let known = store::plugins::version(&mut tx, &id, &meant.hash).await?.and_then(|version| version.allowance);
        let mut allowance = known.or(plugin.allowance).map(|held| held.0).unwrap_or_default();
        for wish in &take {
            allowance.take(wish);
        }
        if grants.all {
            let manifest = Manifest::parse(&meant.manifest.to_string());
            let manifest = manifest.map_err(|error| Problem::Conflict(error.to_string()))?;
            allowance.missing(&manifest).into_iter().for_each(|wish| allowance.give(wish));
        }
        give.into_iter().for_each(|wish| allowance.give(wish));
        store::plugins::allow(&mut tx, &id, &meant.hash, &allowance).await?;
        if meant.allowance.is_none() && meant.quarantined_at.is_none() {
            store::plugins::want(&mut tx, &id, Some(&meant.hash), now).await?;
        }
    }
    tx.commit().await?;
    plugins::reconcile(&app.plugins).await?;
    let (plugin, version) = version_of(&app, &id, Some(&meant.hash)).await?;
    Ok(Json(version_shown(&plugin, &version)))
}

/// The named version; otherwise the one that waits for permissions, unless permissions are only revoked; otherwise the
/// active one.
fn select_version<'a>(
    plugin: &store::plugins::PluginRow,
    versions: &'a [VersionRow],
    hash: Option<&str>,
    only_takes: bool,
) -> Option<&'a VersionRow> {
    if let Some(hash) = hash {
        return versions.iter().find(|version| version.hash.starts_with(hash));
    }
    let waits = |version: &&VersionRow| version.allowance.is_none() && version.quarantined_at.is_none();
    let waiting = versions.iter().find(waits).filter(|_| !only_takes);
    waiting.or_else(|| versions.iter().find(|version| Some(&version.hash) == plugin.serving.as_ref()))
}

async fn take_from_all(
    tx: &mut Tx,
    id: &str,
    versions: &[VersionRow],
    wish: &PermissionRequest,
) -> store::Result<bool> {
    let mut had = false;
    for version in versions {
        // An earlier revocation may have changed it.
        let now = store::plugins::version(tx, id, &version.hash).await?.and_then(|version| version.allowance);
        let Some(mut allowance) = now else { continue };
        if allowance.0.take(wish) {
            had = true;
            store::plugins::allow(tx, id, &version.hash, &allowance.0).await?;
        }
    }
    Ok(had)
}

/// A version by a prefix of its hash, or the newest.
async fn version_of(
    app: &App,
    id: &str,
    hash: Option<&str>,
) -> Result<(store::plugins::PluginRow, VersionRow), ApiError> {
    let mut tx = app.db.platform_read().await?;
    let plugin = store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, id).await?;
    let named = |version: &VersionRow| hash.is_none_or(|hash| version.hash.starts_with(hash));
    let version = versions.into_iter().find(named).ok_or(Problem::NotFound)?;
    Ok((plugin, version))
}

async fn act(
    State(app): State<Arc<App>>,
    _: Operator,
    Path((id, act)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    match act.as_str() {
        "enable" => plugins::release(&app.plugins, &id).await?.then_some(()).ok_or(Problem::NotFound)?,
        "disable" => {
            let mut tx = app.db.platform_write().await?;
            let known = store::plugins::set_status(&mut tx, &id, PluginStatus::Disabled, app.now()).await?;
            known.then_some(()).ok_or(Problem::NotFound)?;
            tx.commit().await?;
        }
        "rollback" => roll_back(&app, &id).await?,
        "remove" => {
            let mut tx = app.db.platform_write().await?;
            store::plugins::get(&mut tx, &id).await?.ok_or(Problem::NotFound)?;
            store::plugins::stop_serving(&mut tx, &id, app.now()).await?;
            store::plugins::forget_allowances(&mut tx, &id).await?;
            tx.commit().await?;
            plugins::reconcile(&app.plugins).await?;
        }
        _ => return Err(Problem::NotFound.into()),
    }
    // Process the messages stored meanwhile.
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

/// Activates the previous version, or cancels a pending activation.
async fn roll_back(app: &App, id: &str) -> Result<(), ApiError> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let plugin = store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    if plugin.wanted.is_some() && plugin.serving.is_some() {
        store::plugins::want(&mut tx, id, None, now).await?;
    } else {
        let former = store::plugins::former(&mut tx, id, &plugin.serving.unwrap_or_default()).await?;
        let former =
            former.ok_or_else(|| Problem::Conflict("there is no previous version to roll back to".to_owned()))?;
        store::plugins::want(&mut tx, id, Some(&former), now).await?;
    }
    tx.commit().await?;
    plugins::reconcile(&app.plugins).await?;
    Ok(())
}
