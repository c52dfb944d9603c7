//! The plugin registry: plugins, versions and permissions. All functions are platform queries.

pub mod calls;
pub mod faults;
pub mod processes;

use gassync_domain::Timestamp;
use gassync_runtime::{Manifest, Permissions};
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use super::{Result, Time, Tx, on};

gassync_domain::words! {
    /// Whether a plugin may be called.
    pub enum PluginStatus {
        /// It may.
        Enabled = "enabled",
        /// An operator disabled it.
        Disabled = "disabled",
        /// Its version failed for many accounts, and there is none to go back to.
        Quarantined = "quarantined",
    }
}

/// A plugin and its active version.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct PluginRow {
    /// The channel.
    pub id: String,
    /// Whether it may be called.
    #[sqlx(try_from = "String")]
    pub status: PluginStatus,
    /// SHA-256 of the active version.
    pub serving: Option<String>,
    /// SHA-256 of the requested version, activated once every process has prepared it.
    pub wanted: Option<String>,
    /// Permissions of the active version.
    pub allowance: Option<Json<Permissions>>,
}

/// A version of a plugin, without its bytes.
#[derive(Debug, Clone, FromRow)]
pub struct VersionRow {
    /// SHA-256 of the component.
    pub hash: String,
    /// By its manifest.
    pub version: String,
    /// By its manifest.
    pub contract: String,
    /// Its description and requested permissions.
    pub manifest: Json<Value>,
    /// Its permissions; `None` until approved.
    pub allowance: Option<Json<Permissions>>,
    /// Details of the installation.
    pub receipt: Json<Value>,
    /// Why it cannot be activated.
    pub problem: Option<String>,
    /// When it was quarantined.
    pub quarantined_at: Option<Time>,
    /// Time of installation.
    pub installed_at: Time,
    /// When it was last activated.
    pub activated_at: Option<Time>,
}

/// A version to store.
#[derive(Debug)]
pub struct NewVersionRow<'a> {
    /// Its manifest, which contains the plugin's id.
    pub manifest: &'a Manifest,
    /// SHA-256 of the component.
    pub hash: &'a str,
    /// The component.
    pub component: &'a [u8],
    /// Its permissions, if already approved.
    pub allowance: Option<&'a Permissions>,
    /// Details of the installation.
    pub receipt: &'a Value,
}

macro_rules! version_columns {
    () => {
        "hash, version, contract, manifest, allowance, receipt, problem, quarantined_at, installed_at, activated_at"
    };
}

/// All plugins, by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<PluginRow>> {
    let text = "select p.id, p.status, p.serving, p.wanted, v.allowance from int_plugins p
        left join int_plugin_versions v on v.plugin_id = p.id and v.hash = p.serving order by p.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// A plugin by its name.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<PluginRow>> {
    let text = "select p.id, p.status, p.serving, p.wanted, v.allowance from int_plugins p
        left join int_plugin_versions v on v.plugin_id = p.id and v.hash = p.serving where p.id = $1";
    on!(tx, c => sqlx::query_as(text).bind(id).fetch_optional(c).await)
}

/// Whether a channel's plugin is enabled.
pub async fn is_enabled(tx: &mut Tx, id: &str) -> Result<bool> {
    let text = "select exists (select 1 from int_plugins where id = $1 and status = 'enabled')";
    on!(tx, c => sqlx::query_scalar(text).bind(id).fetch_one(c).await)
}

/// Sets whether it may be called; false if there is no such plugin.
pub async fn set_status(tx: &mut Tx, id: &str, status: PluginStatus, now: Timestamp) -> Result<bool> {
    let text = "update int_plugins set status = $2, changed_at = $3 where id = $1";
    on!(tx, c => sqlx::query(text).bind(id).bind(status.as_str()).bind(Time::from(now)).execute(c).await
        .map(|done| done.rows_affected() > 0))
}

/// The versions of a plugin, newest first.
pub async fn versions(tx: &mut Tx, id: &str) -> Result<Vec<VersionRow>> {
    let text = concat!(
        "select ",
        version_columns!(),
        " from int_plugin_versions where plugin_id = $1 order by installed_at desc, hash"
    );
    on!(tx, c => sqlx::query_as(text).bind(id).fetch_all(c).await)
}

/// A version by its hash.
pub async fn version(tx: &mut Tx, id: &str, hash: &str) -> Result<Option<VersionRow>> {
    let text = concat!("select ", version_columns!(), " from int_plugin_versions where plugin_id = $1 and hash = $2");
    on!(tx, c => sqlx::query_as(text).bind(id).bind(hash).fetch_optional(c).await)
}

/// The bytes of a version.
pub async fn component(tx: &mut Tx, id: &str, hash: &str) -> Result<Option<Vec<u8>>> {
    let text = "select component from int_plugin_versions where plugin_id = $1 and hash = $2";
    on!(tx, c => sqlx::query_scalar(text).bind(id).bind(hash).fetch_optional(c).await)
}

/// The version to roll back to: the newest installed before this one, else the last active one.
pub async fn former(tx: &mut Tx, id: &str, hash: &str) -> Result<Option<String>> {
    let text = "select v.hash from int_plugin_versions v
        left join int_plugin_versions n on n.plugin_id = v.plugin_id and n.hash = $2
        where v.plugin_id = $1 and v.hash <> $2 and v.activated_at is not null and v.allowance is not null
            and v.quarantined_at is null
        order by case when v.installed_at <= n.installed_at then 0 else 1 end,
            case when v.installed_at <= n.installed_at then v.installed_at else v.activated_at end desc limit 1";
    on!(tx, c => sqlx::query_scalar(text).bind(id).bind(hash).fetch_optional(c).await)
}

/// Stores a version. A new plugin is enabled; an existing version is unchanged.
pub async fn keep(tx: &mut Tx, new: &NewVersionRow<'_>, now: Timestamp) -> Result<()> {
    let text =
        "insert into int_plugins (id, status, changed_at) values ($1, 'enabled', $2) on conflict (id) do nothing";
    let id = &new.manifest.id;
    on!(&mut *tx, c => sqlx::query(text).bind(id).bind(Time::from(now)).execute(c).await.map(drop))?;
    let text = "insert into int_plugin_versions
            (plugin_id, hash, version, contract, manifest, component, allowance, receipt, installed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (plugin_id, hash) do update set problem = null";
    on!(tx, c => sqlx::query(text).bind(id).bind(new.hash).bind(&new.manifest.version).bind(&new.manifest.contract)
        .bind(Json(new.manifest)).bind(new.component).bind(new.allowance.map(Json)).bind(Json(new.receipt))
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Sets the permissions of a version.
pub async fn allow(tx: &mut Tx, id: &str, hash: &str, allowance: &Permissions) -> Result<()> {
    let text = "update int_plugin_versions set allowance = $3 where plugin_id = $1 and hash = $2";
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(Json(allowance)).execute(c).await.map(drop))
}

/// Requests a version (or none), to be activated once every process has prepared it.
pub async fn want(tx: &mut Tx, id: &str, hash: Option<&str>, now: Timestamp) -> Result<()> {
    let text = "update int_plugins set wanted = $2, changed_at = $3 where id = $1";
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Activates the requested version; returns false if another was requested meanwhile.
pub async fn activate(tx: &mut Tx, id: &str, hash: &str, now: Timestamp) -> Result<bool> {
    // A quarantine applied to the former version, not to the plugin; a plugin disabled by a person stays disabled.
    let text = "update int_plugins set serving = wanted, wanted = null, changed_at = $3,
            status = case when status = 'quarantined' then 'enabled' else status end
        where id = $1 and wanted = $2";
    let done = on!(&mut *tx, c => sqlx::query(text).bind(id).bind(hash).bind(Time::from(now)).execute(c).await
        .map(|done| done.rows_affected()))?;
    let text = "update int_plugin_versions set activated_at = $3, problem = null where plugin_id = $1 and hash = $2";
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(Time::from(now)).execute(c).await.map(drop))?;
    Ok(done > 0)
}

/// Rejects a version; the active one stays.
pub async fn refuse(tx: &mut Tx, id: &str, hash: &str, problem: &str, now: Timestamp) -> Result<()> {
    let text = "update int_plugins set wanted = null, changed_at = $3 where id = $1 and wanted = $2";
    on!(&mut *tx, c => sqlx::query(text).bind(id).bind(hash).bind(Time::from(now)).execute(c).await.map(drop))?;
    let text = "update int_plugin_versions set problem = $3 where plugin_id = $1 and hash = $2";
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(problem).execute(c).await.map(drop))
}

/// Quarantines a version, or releases it if no instant is given.
pub async fn quarantine(tx: &mut Tx, id: &str, hash: &str, why: Option<(&str, Timestamp)>) -> Result<()> {
    let text = "update int_plugin_versions set problem = $3, quarantined_at = $4 where plugin_id = $1 and hash = $2";
    let (problem, at) = (why.map(|(problem, _)| problem), why.map(|(_, at)| Time::from(at)));
    on!(tx, c => sqlx::query(text).bind(id).bind(hash).bind(problem).bind(at).execute(c).await.map(drop))
}

/// Deactivates the channel's plugin.
pub async fn stop_serving(tx: &mut Tx, id: &str, now: Timestamp) -> Result<()> {
    let text = "update int_plugins set serving = null, wanted = null, changed_at = $2 where id = $1";
    on!(tx, c => sqlx::query(text).bind(id).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Deletes the permissions of a plugin's versions.
pub async fn forget_allowances(tx: &mut Tx, id: &str) -> Result<()> {
    let text = "update int_plugin_versions set allowance = null where plugin_id = $1";
    on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop))
}

/// Deletes old versions, except the newest, the last active, the active and the requested one.
pub async fn forget_old(tx: &mut Tx, id: &str, keep: i64) -> Result<()> {
    let text = "delete from int_plugin_versions where plugin_id = $1
        and hash not in (select hash from int_plugin_versions where plugin_id = $1
            order by installed_at desc limit $2)
        and hash not in (select hash from int_plugin_versions where plugin_id = $1 and activated_at is not null
            order by activated_at desc limit $2)
        and not exists (select 1 from int_plugins p where p.id = $1
            and (p.serving = int_plugin_versions.hash or p.wanted = int_plugin_versions.hash))";
    on!(tx, c => sqlx::query(text).bind(id).bind(keep).execute(c).await.map(drop))
}
