//! What is done with sources.

use std::sync::Arc;

use gassync_domain::{Authority, FieldError, SourceKey, Timestamp};
use gassync_runtime::Verification;
use serde_json::Value;

use super::dto::{
    ConnectResponse, CreatedSource, CredentialResponse, DisconnectResponse, FailingPollResponse,
    InboundWebhookResponse, NewCredentials, NewSourceRequest, SourceDetail, SourceResponse,
};
use crate::{
    admin::{find::account_of, time_zones},
    app::App,
    credentials::{ConnectionSecrets, Listening, SetupResult, consent},
    http::{ApiError, Problem},
    inbound::verify::TOKEN_PARAMETER,
    plugins::Plugin,
    schedule,
    store::{
        self, connections,
        poll_failures::{self, PollFailure},
        sources::{self, Source, SourceState},
    },
    vault::{self, fingerprint},
};

/// Sets the authority of a source.
pub(super) async fn set_authority(app: &App, source: &Source, authority: Authority) -> Result<(), ApiError> {
    let mut tx = app.db.write(source.account).await?;
    sources::set_authority(&mut tx, source.key(), authority).await?;
    // Re-evaluate its records under the new authority.
    schedule::linked(&mut tx, source.key(), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(())
}

/// All sources.
pub(super) async fn list(app: &App) -> Result<Vec<SourceResponse>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    Ok(sources::all(&mut tx).await?.iter().map(shown).collect())
}

fn shown(source: &Source) -> SourceResponse {
    SourceResponse {
        id: source.id.0,
        account_id: source.account.0,
        channel: source.source_type.clone(),
        name: source.name.clone(),
        status: source.status,
        listening: source.listening_since.is_some(),
        last_sync_at: source.last_successful_sync_at,
    }
}

/// A source with its credentials, polls and webhook.
pub(super) async fn show(app: &App, source: &Source) -> Result<SourceDetail, ApiError> {
    let mut tx = app.db.read(source.account).await?;
    let stored = match source.connection {
        Some(connection) => connections::credentials(&mut tx, source.account, connection).await?,
        None => Vec::new(),
    };
    let time_zone = store::time_zones::kept(&mut tx, source.key()).await?;
    let failing = poll_failures::of_source(&mut tx, source.key()).await?;
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
    Ok(SourceDetail {
        credentials: credentials.collect(),
        error: source.error_message.clone().filter(|_| source.error_count > 0),
        time_zone,
        failing: failing.into_iter().map(failing_poll).collect(),
        webhook: calls.map(|calls| InboundWebhookResponse {
            url: webhook_url(app, &calls.webhook_key),
            header,
            last_at: calls.last_webhook_at.map(Timestamp::from),
            unannounced_polls: calls.unannounced_polls,
        }),
        settings: source.config.clone(),
        source: shown(source),
    })
}

fn failing_poll(failure: PollFailure) -> FailingPollResponse {
    let PollFailure { poll, failures, first_failed_at, message, .. } = failure;
    FailingPollResponse { poll, failures, since: first_failed_at.into(), message }
}

fn webhook_url(app: &App, key: &str) -> String {
    format!("{}/webhooks/{key}", app.public_url())
}

/// The header that carries the token, if the channel supports one.
fn header_of(plugin: &Plugin) -> Option<String> {
    plugin.manifest().routes.iter().find_map(|route| match &route.verification {
        Verification::StaticHeader { header } => Some(header.clone()),
        _ => None,
    })
}

/// Reconnects a source that has expired, was disconnected, or waits for consent.
pub(super) async fn connect(app: &Arc<App>, source: &Source, new: NewCredentials) -> Result<ConnectResponse, ApiError> {
    let (secrets, plugin) = secrets_of(app, source)?;
    // The new credentials may be for another property: push nothing before that is known.
    let listening = Listening::begin(app, source).await?;
    let set_up = match secrets.set_up(new.credentials).await {
        Ok(set_up) if !set_up.done.is_empty() || !set_up.consents.is_empty() => set_up,
        Ok(set_up) => {
            listening.end(app).await?;
            set_up
        }
        Err(error) => {
            listening.end(app).await?;
            return Err(refused(error));
        }
    };
    if set_up.done.is_empty() && set_up.consents.is_empty() {
        return Err(Problem::Malformed("no credential of the plugin was given".to_owned()).into());
    }
    begin(app, source, (&secrets, &plugin), set_up).await
}

/// Revokes access at the channel and deletes the credentials.
pub(super) async fn disconnect(app: &Arc<App>, source: &Source) -> Result<DisconnectResponse, ApiError> {
    let (secrets, _) = secrets_of(app, source)?;
    let problems = secrets.revoke().await.map_err(refused)?;
    Ok(DisconnectResponse { problems })
}

fn secrets_of(app: &Arc<App>, source: &Source) -> Result<(ConnectionSecrets, Arc<Plugin>), ApiError> {
    let nobody = || Problem::Conflict("the source has no channel to connect to".to_owned());
    let connection = source.connection.ok_or_else(nobody)?;
    let plugin = app.plugins.require(&source.source_type)?;
    let app = Arc::clone(app);
    let settings = source.config.clone();
    Ok((ConnectionSecrets::new(app, source.account, connection, Arc::clone(&plugin), settings), plugin))
}

fn refused(error: anyhow::Error) -> ApiError {
    Problem::Channel(format!("{error:#}")).into()
}

/// Starts a source with working credentials; one that needs consent stays pending.
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
    let status = if open.is_empty() { SourceState::Active } else { SourceState::Pending };
    let mut tx = app.db.write(source.account).await?;
    sources::set_status(&mut tx, source.key(), status).await?;
    if open.is_empty() {
        schedule::begin_polls(&mut tx, source.key(), plugin.manifest(), app.now()).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(ConnectResponse { status, consent_url })
}

/// Adds a source, and its account if there is none of this name. A source whose credentials do not work is not added.
pub(super) async fn create(app: &Arc<App>, new: NewSourceRequest) -> Result<CreatedSource, ApiError> {
    let plugin = app
        .plugins
        .get(&new.channel)
        .ok_or_else(|| Problem::Malformed(format!("there is no plugin for the channel {}", new.channel)))?;
    time_zones::check(new.time_zone.as_deref())?;
    let settings = Value::Object(new.settings.into_iter().collect());
    let wrong = plugin.manifest().wrong_settings(&settings);
    if !wrong.is_empty() {
        let named = |(place, problem)| FieldError::new(format!("settings.{place}"), problem);
        return Err(Problem::Invalid(wrong.into_iter().map(named).collect()).into());
    }
    let (key, token) = (vault::token(&app.random, "")[..32].to_owned(), vault::token(&app.random, "gsw_"));
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let account = account_of(&mut tx, &new.account, now).await?;
    if sources::named(&mut tx, &new.name).await?.iter().any(|source| source.account == account) {
        return Err(Problem::Conflict(format!("the account already has a source named {}", new.name)).into());
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
        store::time_zones::keep(&mut tx, SourceKey { account, source: id }, zone).await?;
    }
    // Stays pending until its credentials work.
    sources::set_status(&mut tx, SourceKey { account, source: id }, SourceState::Pending).await?;
    tx.commit().await?;
    let mut tx = app.db.read(account).await?;
    let source = sources::get(&mut tx, SourceKey { account, source: id }).await?.ok_or(Problem::Internal)?;
    drop(tx);
    let (secrets, _) = secrets_of(app, &source)?;
    let connected = match secrets.set_up(new.credentials).await {
        Ok(set_up) => begin(app, &source, (&secrets, &plugin), set_up).await,
        Err(error) => Err(refused(error)),
    };
    let connected = match connected {
        Ok(connected) => connected,
        Err(error) => {
            let mut tx = app.db.write(account).await?;
            sources::discard(&mut tx, SourceKey { account, source: id }, connection).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    let made = made(app, &plugin, (id.0, creates), (&key, token), connected.consent_url);
    let missing = secrets.empty_slots().await.map_err(refused)?;
    Ok(CreatedSource { missing, time_zone: new.time_zone, ..made })
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
