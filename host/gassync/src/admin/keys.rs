use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{AccountId, SourceId, SourceKey, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{find::account_of, paths};
use crate::{
    app::App,
    http::{
        ApiError, Body, Operator, Problem,
        scope::{self, SCOPES},
    },
    store::{
        Tx,
        keys::{self, ApiKey},
        sources,
    },
    vault::{self, fingerprint},
};

/// Length of the stored plain prefix that identifies a key.
const PREFIX_CHARS: usize = 12;
/// Maximum active keys of one name: the current one and its replacement.
const ALIVE_AT_ONCE: i64 = 2;
/// Default grace period of a rotation in seconds.
const GRACE_SECONDS: u32 = 24 * 60 * 60;
/// Maximum grace period in seconds.
const MAX_GRACE_SECONDS: u32 = 30 * 24 * 60 * 60;

/// A new key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Account name; created if it does not exist.
    pub account: String,
    /// Name of the key; without `source` also the name of its partner source.
    pub name: String,
    /// The source it writes as.
    #[serde(default)]
    pub source: Option<String>,
    /// Scopes; empty: all partner scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether invalid values are rejected instead of mended.
    #[serde(default)]
    pub strict: bool,
    /// Expiry; None: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A created key. It is shown only in this response.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedKey {
    /// For `Authorization: Bearer …`.
    pub key: String,
    /// The source it writes as.
    pub source: String,
    /// Whether the source creates core entities or only links to them.
    pub creates: bool,
}

/// Options of a key rotation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRotation {
    /// Grace period of the previous key in seconds. Default: one day.
    #[serde(default)]
    pub grace_seconds: Option<u32>,
}

/// A key without its secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyResponse {
    /// Prefix that identifies the key.
    pub prefix: String,
    /// Name.
    pub name: String,
    /// Account.
    pub account_id: i64,
    /// The source it writes as.
    pub source: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Whether invalid values are rejected instead of mended.
    #[serde(default)]
    pub strict: bool,
    /// Whether the key is active.
    pub alive: bool,
    /// Creation time.
    pub created_at: Timestamp,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
    /// Time of revocation.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::KEYS, get(list).post(create))
        .route(paths::KEY_ROTATE, post(rotate))
        .route(paths::KEY_REVOKE, post(revoke))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<KeyResponse>>, ApiError> {
    let now = app.now();
    let mut tx = app.db.platform_read().await?;
    let names: BTreeMap<i64, String> =
        sources::all(&mut tx).await?.into_iter().map(|source| (source.id.0, source.name)).collect();
    let shown = keys::all(&mut tx).await?.into_iter().map(|key| KeyResponse {
        alive: key.is_active(now),
        prefix: key.prefix,
        name: key.name,
        account_id: key.account_id,
        source: names.get(&key.source_id).cloned().unwrap_or_default(),
        scopes: key.scopes.0,
        strict: key.strict,
        created_at: key.created_at.into(),
        expires_at: key.expires_at.map(Timestamp::from),
        revoked_at: key.revoked_at.map(Timestamp::from),
        last_used_at: key.last_used_at.map(Timestamp::from),
    });
    Ok(Json(shown.collect()))
}

async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    if let Some(word) = scope::unknown(&new.scopes) {
        let known: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
        return Err(Problem::Malformed(format!("scopes: {word} is not one of {}", known.join(", "))).into());
    }
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let account = account_of(&mut tx, &new.account, now).await?;
    let name = new.source.as_deref().unwrap_or(&new.name);
    let known = sources::named(&mut tx, name).await?.into_iter().find(|source| source.account == account);
    let (source, creates) = match (known, &new.source) {
        (Some(source), _) => (source.id, source.creates),
        (None, Some(name)) => return Err(Problem::Malformed(format!("there is no source named {name}")).into()),
        (None, None) => {
            let creates = !sources::has_creating(&mut tx, account).await?;
            let config = serde_json::json!({});
            let source =
                sources::NewSourceRecord { connection: None, source_type: "partner", name, config: &config, creates };
            (sources::create(&mut tx, account, &source, now).await?, creates)
        }
    };
    let scopes = if new.scopes.is_empty() { vec![scope::ALL.to_owned()] } else { new.scopes };
    let key =
        make(&app, &mut tx, SourceKey { account, source }, &new.name, (&scopes, new.strict), new.expires_at).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedKey { key, source: name.to_owned(), creates })))
}

/// Rotates a key; the previous one stays valid for the grace period.
async fn rotate(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(prefix): Path<String>,
    Body(KeyRotation { grace_seconds }): Body<KeyRotation>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    let grace = grace_seconds.unwrap_or(GRACE_SECONDS);
    if grace > MAX_GRACE_SECONDS {
        let text = format!("graceSeconds: is {grace}; the limit is {MAX_GRACE_SECONDS}");
        return Err(Problem::Malformed(text).into());
    }
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let former = find_key(&mut tx, &prefix).await?;
    if !former.is_active(now) {
        return Err(Problem::Conflict(format!("the key {prefix}… has ended: create a new one")).into());
    }
    let source = SourceKey { account: AccountId(former.account_id), source: SourceId(former.source_id) };
    if keys::count_active(&mut tx, source, &former.name, now).await? >= ALIVE_AT_ONCE {
        let text = format!("{ALIVE_AT_ONCE} keys named {} are already active: revoke one first", former.name);
        return Err(Problem::Conflict(text).into());
    }
    let held = sources::get(&mut tx, source).await?.ok_or(Problem::NotFound)?;
    let key = make(&app, &mut tx, source, &former.name, (&former.scopes.0, former.strict), None).await?;
    keys::expire(&mut tx, source.account, former.id, now + SignedDuration::from_secs(i64::from(grace))).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CreatedKey { key, source: held.name, creates: held.creates })))
}

async fn revoke(State(app): State<Arc<App>>, _: Operator, Path(prefix): Path<String>) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.platform_write().await?;
    let key = find_key(&mut tx, &prefix).await?;
    keys::revoke(&mut tx, AccountId(key.account_id), key.id, app.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find_key(tx: &mut Tx, prefix: &str) -> Result<ApiKey, ApiError> {
    Ok(keys::by_prefix(tx, prefix).await?.ok_or(Problem::NotFound)?)
}

async fn make(
    app: &App,
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    name: &str,
    (scopes, strict): (&[String], bool),
    expires_at: Option<Timestamp>,
) -> Result<String, ApiError> {
    let key = vault::token(&app.random, "gsk_");
    let kept = keys::NewApiKey {
        source,
        name,
        prefix: &key[..PREFIX_CHARS],
        hash: &fingerprint(&key),
        scopes,
        strict,
        expires_at,
    };
    keys::create(tx, account, &kept, app.now()).await?;
    Ok(key)
}
