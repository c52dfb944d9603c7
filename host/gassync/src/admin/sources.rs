use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{AccountId, Authority, FieldError, Query, Timestamp};
use gassync_runtime::Verification;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{source_steering::ensure_may_sync, time_zones};
use crate::{
    app::App,
    credentials::{ConnectionSecrets, Listening, SetupResult, consent},
    http::{ApiError, Operator, Problem},
    inbound::{fetch::OutcomeCounts, poll_run, verify::TOKEN_PARAMETER},
    plugins::PluginRow,
    schedule,
    store::{
        self, Tx, accounts, connections,
        poll_failures::{self, PollFailure},
        sources::{self, Source},
    },
    vault::{self, fingerprint},
};

/// The time zone of an account nobody has said more of.
const DEFAULT_TIME_ZONE: &str = "UTC";

/// A source to be made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSourceRequest {
    /// The account; made when there is none of this name.
    pub account: String,
    /// The channel, which is the plugin's id.
    pub channel: String,
    /// What people call it.
    pub name: String,
    /// Its settings, by the plugin's manifest.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// What the credential slots of the manifest ask for, by field.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
    /// The time zone of its houses whose channel tells none, as IANA calls it.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A source that was made. The token is shown this once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSource {
    /// Its key.
    pub id: i64,
    /// Whether it creates core entities or only links them.
    pub creates: bool,
    /// What the channel calls.
    pub webhook_url: String,
    /// The header that must come with each call, where the channel can send one.
    pub webhook_header: Option<String>,
    /// What stands in that header, or in the query parameter `token`.
    pub webhook_token: String,
    /// What a person must open to consent, where the channel wants that: the source waits for it.
    #[serde(default)]
    pub consent_url: Option<String>,
    /// Credentials that the plugin asks for and nobody has given, by their labels.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The time zone that was given for its houses; without one a day begins early wherever the channel tells none.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A poll that has not succeeded since it failed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailingPollResponse {
    /// What is polled.
    pub poll: String,
    /// How often in a row it has failed.
    pub failures: i64,
    /// Since when.
    pub since: Timestamp,
    /// Why it failed last.
    pub message: String,
}

/// How the channel calls.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InboundWebhookResponse {
    /// What the channel is to call.
    pub url: String,
    /// The header that must come with each call, where the channel can send one: the token stands there, and otherwise in the
    /// query parameter `token`.
    pub header: Option<String>,
    /// When it last told of bookings.
    pub last_at: Option<Timestamp>,
    /// Polls since then that brought changes of bookings that no call had told.
    pub unannounced_polls: i64,
}

/// What the credential slots of a source ask for, once more.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredentials {
    /// By field, or by `slot.field`.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectResponse {
    /// `active`, or `pending` while a person must consent.
    pub status: String,
    /// What that person must open, within a quarter of an hour.
    pub consent_url: Option<String>,
}

/// What was said when a source was disconnected: its secrets are forgotten here in any case.
#[derive(Debug, Serialize, Deserialize)]
pub struct DisconnectResponse {
    /// What channels said against it.
    pub problems: Vec<String>,
}

/// A source with what is known of its credentials.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceDetail {
    /// Where it stands.
    #[serde(flatten)]
    pub source: SourceResponse,
    /// Its settings.
    pub settings: Value,
    /// Why the last attempt failed, where it did.
    pub error: Option<String>,
    /// What is stored for it; never what it says.
    pub credentials: Vec<CredentialResponse>,
    /// The time zone of its houses whose channel tells none.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Its polls that fail.
    #[serde(default)]
    pub failing: Vec<FailingPollResponse>,
    /// How its channel calls, where it has one.
    #[serde(default)]
    pub webhook: Option<InboundWebhookResponse>,
}

/// A stored field of a credential.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialResponse {
    /// The slot.
    pub slot: String,
    /// The field.
    pub field: String,
    /// When it stops working; none where that is not known.
    pub expires_at: Option<Timestamp>,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Whether the host renews it by itself.
    pub renews: bool,
}

/// A source and where it stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceResponse {
    /// Its key.
    pub id: i64,
    /// The tenant.
    pub account_id: i64,
    /// The channel.
    pub channel: String,
    /// What people call it.
    pub name: String,
    /// `active`, `expired`, …
    pub status: String,
    /// Whether it listens: nothing is told to its channel before somebody has it go live.
    #[serde(default)]
    pub listening: bool,
    /// When something last went well with its channel or its partner, either way; to ten seconds.
    pub last_sync_at: Option<Timestamp>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/admin/v1/sources", get(list).post(create))
        .route("/admin/v1/sources/{name}", get(show))
        .route("/admin/v1/sources/{name}/connect", post(connect))
        .route("/admin/v1/sources/{name}/disconnect", post(disconnect))
        .route("/admin/v1/sources/{name}/sync", post(sync))
        .route("/admin/v1/sources/{name}/authority", post(set_authority))
}

/// Says what a source has the say over.
async fn set_authority(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(authority): Json<Authority>,
) -> Result<StatusCode, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    sources::set_authority(&mut tx, source.account, source.id, authority).await?;
    // What it has shown counts by the new word.
    schedule::linked(&mut tx, source.account, source.id, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<SourceResponse>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    Ok(Json(sources::all(&mut tx).await?.iter().map(shown).collect()))
}

fn shown(source: &Source) -> SourceResponse {
    SourceResponse {
        id: source.id.0,
        account_id: source.account.0,
        channel: source.source_type.clone(),
        name: source.name.clone(),
        status: source.status.clone(),
        listening: source.listening_since.is_some(),
        last_sync_at: source.last_successful_sync_at,
    }
}

async fn show(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<SourceDetail>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let stored = match source.connection {
        Some(connection) => connections::credentials(&mut tx, source.account, connection).await?,
        None => Vec::new(),
    };
    let time_zone = store::time_zones::kept(&mut tx, source.account, source.id).await?;
    let failing = poll_failures::of_source(&mut tx, source.account, source.id).await?;
    let calls = match source.connection {
        Some(connection) => Some(connections::webhook_activity(&mut tx, source.account, connection).await?),
        None => None,
    };
    drop(tx);
    let plugin = app.plugins.get(&source.source_type);
    let header = plugin.as_ref().and_then(|plugin| header_of(plugin));
    let renews = |slot: &str, field: &str| {
        let renewal = plugin.as_ref().and_then(|plugin| plugin.manifest().slot(slot)?.renewal());
        renewal.is_some_and(|step| step.captures.iter().any(|capture| capture.field == field))
    };
    let credentials = stored.into_iter().map(|stored| CredentialResponse {
        renews: renews(&stored.slot, &stored.field),
        slot: stored.slot,
        field: stored.field,
        expires_at: stored.expires_at.map(Timestamp::from),
        updated_at: stored.updated_at.into(),
    });
    Ok(Json(SourceDetail {
        credentials: credentials.collect(),
        error: source.error_message.clone().filter(|_| source.error_count > 0),
        time_zone,
        failing: failing.into_iter().map(failing_poll).collect(),
        webhook: calls.map(|calls| InboundWebhookResponse {
            url: webhook_url(&app, &calls.webhook_key),
            header,
            last_at: calls.last_webhook_at.map(Timestamp::from),
            unannounced_polls: calls.unannounced_polls,
        }),
        settings: source.config.clone(),
        source: shown(&source),
    }))
}

fn failing_poll(failure: PollFailure) -> FailingPollResponse {
    let PollFailure { poll, failures, first_failed_at, message, .. } = failure;
    FailingPollResponse { poll, failures, since: first_failed_at.into(), message }
}

fn webhook_url(app: &App, key: &str) -> String {
    format!("{}/webhooks/{key}", app.public_url())
}

/// The header that comes with each call, where the channel can send one.
fn header_of(plugin: &Plugin) -> Option<String> {
    plugin.manifest().routes.iter().find_map(|route| match &route.verification {
        Verification::StaticHeader { header } => Some(header.clone()),
        _ => None,
    })
}

/// Connects a source anew: one that has expired, that was disconnected, or that waits for consent.
async fn connect(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Json(new): Json<NewCredentials>,
) -> Result<Json<ConnectResponse>, ApiError> {
    let source = find_source(&app, &name).await?;
    let (secrets, plugin) = secrets_of(&app, &source)?;
    // What the new ones show may be another house: nothing is told to it before that is known.
    let listening = Listening::begin(&app, &source).await?;
    let set_up = match secrets.set_up(new.credentials).await {
        Ok(set_up) if !set_up.done.is_empty() || !set_up.consents.is_empty() => set_up,
        Ok(set_up) => {
            listening.end(&app).await?;
            set_up
        }
        Err(error) => {
            listening.end(&app).await?;
            return Err(refused(error));
        }
    };
    if set_up.done.is_empty() && set_up.consents.is_empty() {
        return Err(Problem::Malformed("nothing was given that the plugin's credentials ask for".to_owned()).into());
    }
    begin(&app, &source, (&secrets, &plugin), set_up).await.map(Json)
}

async fn disconnect(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<DisconnectResponse>, ApiError> {
    let source = find_source(&app, &name).await?;
    let (secrets, _) = secrets_of(&app, &source)?;
    let problems = secrets.revoke().await.map_err(refused)?;
    Ok(Json(DisconnectResponse { problems }))
}

fn secrets_of(app: &Arc<App>, source: &Source) -> Result<(ConnectionSecrets, Arc<Plugin>), ApiError> {
    let nobody = || Problem::Conflict("the source has no channel to be connected with".to_owned());
    let connection = source.connection.ok_or_else(nobody)?;
    let plugin = app.plugins.get(&source.source_type);
    let plugin =
        plugin.ok_or_else(|| Problem::Malformed(format!("the plugin {} is not loaded", source.source_type)))?;
    let app = Arc::clone(app);
    let settings = source.config.clone();
    Ok((ConnectionSecrets::new(app, source.account, connection, Arc::clone(&plugin), settings), plugin))
}

fn refused(error: anyhow::Error) -> ApiError {
    Problem::Channel(format!("{error:#}")).into()
}

/// A source whose credentials work begins; one that a person must consent to waits, unless it works already.
async fn begin(
    app: &Arc<App>,
    source: &Source,
    (secrets, plugin): (&ConnectionSecrets, &Plugin),
    set_up: SetupResult,
) -> Result<ConnectResponse, ApiError> {
    let open = secrets.slots_without_consent().await.map_err(refused)?;
    let consent_url = match open.first().or(set_up.consents.first()) {
        Some(slot) => Some(consent::begin(app, source, slot).await.map_err(refused)?),
        None => None,
    };
    let status = if open.is_empty() { "active" } else { "pending" };
    let mut tx = app.db.write(source.account).await?;
    sources::set_status(&mut tx, source.account, source.id, status).await?;
    if open.is_empty() {
        schedule::begin_polls(&mut tx, source, plugin.manifest(), app.now()).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(ConnectResponse { status: status.to_owned(), consent_url })
}

async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Json(new): Json<NewSourceRequest>,
) -> Result<(StatusCode, Json<CreatedSource>), ApiError> {
    let plugin = app
        .plugins
        .get(&new.channel)
        .ok_or_else(|| Problem::Malformed(format!("there is no plugin for the channel {}", new.channel)))?;
    time_zones::check(new.time_zone.as_deref())?;
    let settings = Value::Object(new.settings.into_iter().collect());
    let wrong = plugin.manifest().wrong_settings(&settings);
    if !wrong.is_empty() {
        let named = |(place, problem)| FieldError { path: format!("settings.{place}"), problem };
        return Err(Problem::Invalid(wrong.into_iter().map(named).collect()).into());
    }
    let (key, token) = (vault::token(&app.random, "")[..32].to_owned(), vault::token(&app.random, "gsw_"));
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let account = account_of(&mut tx, &new.account, now).await?;
    if sources::named(&mut tx, &new.name).await?.iter().any(|source| source.account == account) {
        return Err(Problem::Conflict(format!("the account has a source named {} already", new.name)).into());
    }
    let connection = connections::create(&mut tx, account, &new.channel, &key, &fingerprint(&token), now).await?;
    let creates = !sources::has_creating(&mut tx, account).await?;
    let source = sources::NewSourceRecord {
        connection: Some(connection),
        source_type: &new.channel,
        name: &new.name,
        config: &settings,
        creates,
    };
    let id = sources::create(&mut tx, account, &source, now).await?;
    if let Some(zone) = &new.time_zone {
        store::time_zones::keep(&mut tx, account, id, zone).await?;
    }
    // Not active before its credential works: nothing may be fetched in vain.
    sources::set_status(&mut tx, account, id, "pending").await?;
    tx.commit().await?;
    let mut tx = app.db.read(account).await?;
    let source = sources::get(&mut tx, account, id).await?.ok_or(Problem::Internal)?;
    drop(tx);
    let (secrets, _) = secrets_of(&app, &source)?;
    let connected = match secrets.set_up(new.credentials).await {
        Ok(set_up) => begin(&app, &source, (&secrets, &plugin), set_up).await,
        Err(error) => Err(refused(error)),
    };
    let connected = match connected {
        Ok(connected) => connected,
        Err(error) => {
            let mut tx = app.db.write(account).await?;
            sources::discard(&mut tx, account, id, connection).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let made = made(&app, &plugin, (id.0, creates), (&key, token), connected.consent_url);
    let missing = secrets.empty_slots().await.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(CreatedSource { missing, time_zone: new.time_zone, ..made })))
}

fn made(
    app: &App,
    plugin: &Plugin,
    (id, creates): (i64, bool),
    (key, webhook_token): (&str, String),
    consent_url: Option<String>,
) -> CreatedSource {
    let header = header_of(plugin);
    let url = webhook_url(app, key);
    let webhook_url = if header.is_some() { url } else { format!("{url}?{TOKEN_PARAMETER}={webhook_token}") };
    CreatedSource {
        id,
        creates,
        webhook_url,
        webhook_header: header,
        webhook_token,
        consent_url,
        missing: Vec::new(),
        time_zone: None,
    }
}

/// Fetches all that the plugin polls, now, and says what became of it. Stays on the line until it is done.
async fn sync(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<BTreeMap<String, BTreeMap<String, i64>>>, ApiError> {
    let source = find_source(&app, &name).await?;
    ensure_may_sync(&source, true)?;
    let plugin = app
        .plugins
        .get(&source.source_type)
        .ok_or_else(|| Problem::Malformed(format!("the plugin {} is not loaded", source.source_type)))?;
    let mut polls = plugin.manifest().polls.clone();
    polls.sort_by_key(|poll| poll.entity);
    let mut report = BTreeMap::new();
    for poll in polls {
        let selection = poll_run::selection(&app, &source, &poll).await?;
        let outcomes: OutcomeCounts = poll_run::run(&app, &source, &poll, Query::new(poll.entity, selection))
            .await
            .map_err(|error| Problem::Channel(format!("{}: {error}", poll.entity.as_str())))?;
        let outcomes = outcomes.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
        report.insert(poll.entity.as_str().to_owned(), outcomes);
    }
    Ok(Json(report))
}

/// The source of this name, or of this number where several accounts have one of the name.
pub(super) async fn find_source(app: &App, name: &str) -> Result<Source, ApiError> {
    let mut tx = app.db.platform_read().await?;
    if let Ok(id) = name.parse::<i64>()
        && let Some(source) = sources::all(&mut tx).await?.into_iter().find(|source| source.id.0 == id)
    {
        return Ok(source);
    }
    let mut named = sources::named(&mut tx, name).await?;
    match (named.pop(), named.len()) {
        (Some(source), 0) => Ok(source),
        (None, _) => Err(Problem::NotFound.into()),
        (Some(_), _) => {
            Err(Problem::Conflict(format!("several accounts have a source named {name}: say its number")).into())
        }
    }
}

/// The account of this name, made where there is none.
pub(super) async fn account_of(tx: &mut Tx, name: &str, now: Timestamp) -> store::Result<AccountId> {
    match accounts::find(tx, name).await? {
        Some(account) => Ok(account),
        None => accounts::create(tx, name, DEFAULT_TIME_ZONE, now).await,
    }
}
