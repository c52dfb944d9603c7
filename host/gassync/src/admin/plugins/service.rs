//! What is done with plugins.

use gassync_domain::Timestamp;
use gassync_runtime::{Manifest, PermissionRequest};

use super::dto::{
    Grants, InstalledPlugin, PluginAct, PluginDetail, PluginResponse, PluginState, PluginVersionResponse, VersionState,
};
use crate::{
    app::App,
    http::{ApiError, Problem},
    plugins::{self, InstallError, InstalledBy, PrepareError},
    store::{
        self, Tx,
        plugins::{PluginRow, PluginStatus, VersionRow},
    },
};

/// All plugins, and the files that never became active.
pub(super) async fn list(app: &App) -> Result<Vec<PluginResponse>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let mut shown = Vec::new();
    for plugin in store::plugins::all(&mut tx).await? {
        let versions = store::plugins::versions(&mut tx, &plugin.id).await?;
        shown.push(summary(app, plugin, &versions));
    }
    let known: Vec<&String> = shown.iter().map(|plugin| &plugin.id).collect();
    // List files that never became active, too, with their problem.
    let strangers = app.plugins.problems().into_iter().filter(|(id, _)| !known.contains(&id));
    let strangers: Vec<PluginResponse> = strangers.map(|(id, problem)| refused(id, problem)).collect();
    shown.extend(strangers);
    Ok(shown)
}

/// A plugin with its versions.
pub(super) async fn show(app: &App, id: &str) -> Result<PluginDetail, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let plugin = store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, id).await?;
    let shown = versions.iter().map(|version| version_shown(&plugin, version)).collect();
    Ok(PluginDetail { versions: shown, plugin: summary(app, plugin, &versions) })
}

fn summary(app: &App, plugin: PluginRow, versions: &[VersionRow]) -> PluginResponse {
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

fn version_shown(plugin: &PluginRow, version: &VersionRow) -> PluginVersionResponse {
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

/// Stores a version; it is activated once every process has prepared it.
pub(super) async fn install(app: &App, component: Vec<u8>) -> Result<InstalledPlugin, ApiError> {
    let installed =
        plugins::install(&app.plugins, component, None, InstalledBy::Operator).await.map_err(install_problem)?;
    app.wake.notify_waiters();
    let (plugin, version) = version_of(app, &installed.id, Some(&installed.hash)).await?;
    Ok(InstalledPlugin {
        id: installed.id,
        version: installed.version,
        hash: installed.hash,
        status: version_shown(&plugin, &version).status,
        lacks: grant_options(&installed.lacks),
    })
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
pub(super) async fn grant(app: &App, id: &str, grants: Grants) -> Result<PluginVersionResponse, ApiError> {
    let (give, take) = (grants.give.wishes(), grants.take.wishes());
    if let Some(problem) = give.iter().find_map(PermissionRequest::problem) {
        return Err(Problem::Malformed(problem).into());
    }
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let plugin = store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, id).await?;
    let only_takes = give.is_empty() && !grants.all && !take.is_empty();
    let meant = select_version(&plugin, &versions, grants.hash.as_deref(), only_takes).ok_or(Problem::NotFound)?;
    for wish in &take {
        if !take_from_all(&mut tx, id, &versions, wish).await? {
            return Err(Problem::Malformed(format!("nothing to revoke: {wish} is not granted")).into());
        }
    }
    if !only_takes {
        let known = store::plugins::version(&mut tx, id, &meant.hash).await?.and_then(|version| version.allowance);
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
        store::plugins::allow(&mut tx, id, &meant.hash, &allowance).await?;
        if meant.allowance.is_none() && meant.quarantined_at.is_none() {
            store::plugins::want(&mut tx, id, Some(&meant.hash), now).await?;
        }
    }
    tx.commit().await?;
    plugins::reconcile(&app.plugins).await?;
    let (plugin, version) = version_of(app, id, Some(&meant.hash)).await?;
    Ok(version_shown(&plugin, &version))
}

/// The named version; otherwise the one that waits for permissions, unless permissions are only revoked; otherwise the
/// active one.
fn select_version<'a>(
    plugin: &PluginRow,
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
async fn version_of(app: &App, id: &str, hash: Option<&str>) -> Result<(PluginRow, VersionRow), ApiError> {
    let mut tx = app.db.platform_read().await?;
    let plugin = store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let versions = store::plugins::versions(&mut tx, id).await?;
    let named = |version: &VersionRow| hash.is_none_or(|hash| version.hash.starts_with(hash));
    let version = versions.into_iter().find(named).ok_or(Problem::NotFound)?;
    Ok((plugin, version))
}

/// Enables, disables, rolls back or removes a plugin.
pub(super) async fn act(app: &App, id: &str, act: PluginAct) -> Result<(), ApiError> {
    match act {
        PluginAct::Enable => plugins::release(&app.plugins, id).await?.then_some(()).ok_or(Problem::NotFound)?,
        PluginAct::Disable => {
            let mut tx = app.db.platform_write().await?;
            let known = store::plugins::set_status(&mut tx, id, PluginStatus::Disabled, app.now()).await?;
            known.then_some(()).ok_or(Problem::NotFound)?;
            tx.commit().await?;
        }
        PluginAct::Rollback => roll_back(app, id).await?,
        PluginAct::Remove => {
            let mut tx = app.db.platform_write().await?;
            store::plugins::get(&mut tx, id).await?.ok_or(Problem::NotFound)?;
            store::plugins::stop_serving(&mut tx, id, app.now()).await?;
            store::plugins::forget_allowances(&mut tx, id).await?;
            tx.commit().await?;
            plugins::reconcile(&app.plugins).await?;
        }
    }
    // Process the messages stored meanwhile.
    app.wake.notify_waiters();
    Ok(())
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
