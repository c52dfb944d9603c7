//! OAuth consent: sends a person to the channel with a single-use state, and handles the callback.

use std::sync::Arc;

use anyhow::Context;
use axum::{
    Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use gassync_domain::{AccountId, ConnectionId, SourceId, SourceKey};
use gassync_runtime::{Secret, consent_url};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{ConnectionSecrets, lifecycle::StepSecrets, listening::Listening};
use crate::{
    app::App,
    http::{ApiError, Problem},
    schedule,
    store::{
        Time,
        connections::{self, PendingConsent},
        sources::{self, Source, SourceState},
    },
    vault::{self, fingerprint},
};

/// The callback path.
const CALLBACK: &str = "/oauth/callback";
/// How long a consent may take.
const MAX_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// The callback route.
pub fn router() -> Router<Arc<App>> {
    Router::new().route(CALLBACK, get(callback))
}

fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.public_url())
}

/// Starts a consent and returns the address to open.
pub async fn begin(app: &Arc<App>, source: &Source, slot: &str) -> anyhow::Result<String> {
    let connection = source.connection.context("the source has no connection")?;
    let plugin = app.plugins.require(&source.source_type)?;
    let known = plugin.manifest().slot(slot).with_context(|| format!("the plugin has no credential {slot}"))?;
    let authorize =
        known.authorize.as_ref().context("the plugin declares no consent address for this credential")?.clone();
    let settings = plugin.manifest().with_defaults(&source.config);
    let secrets = ConnectionSecrets::new(Arc::clone(app), source.account, connection, plugin, source.config.clone());
    let state = vault::token(&app.random, "");
    let typed = |slot: &str, field: &str| {
        let slot = secrets.plugin.manifest().slot(slot);
        slot.is_some_and(|slot| slot.inputs.iter().any(|input| input.field == field) && !slot.brings(field))
    };
    let (step_secrets, grant) = (StepSecrets::stored(&secrets), secrets.grant().await?);
    let redirect_uri = redirect_uri(app);
    let url = consent_url(&authorize, &settings, &step_secrets, (&grant, &typed), (&redirect_uri, &state)).await?;
    let consent = PendingConsent {
        account_id: source.account.0,
        source_id: source.id.0,
        connection_id: connection.0,
        slot: slot.to_owned(),
        expires_at: Time::from(app.now() + MAX_WAIT),
    };
    let mut tx = app.db.write(source.account).await?;
    connections::begin_consent(&mut tx, &fingerprint(&state), &consent, app.now()).await?;
    tx.commit().await?;
    Ok(url.into())
}

#[derive(Debug, Deserialize)]
struct Brought {
    state: String,
    code: Option<String>,
    error: Option<String>,
}

async fn callback(State(app): State<Arc<App>>, Query(brought): Query<Brought>) -> Result<Response, ApiError> {
    let state = fingerprint(&brought.state);
    let mut tx = app.db.platform_read().await?;
    let consent = connections::pending_consent(&mut tx, &state, app.now()).await?.ok_or(Problem::NotFound)?;
    drop(tx);
    let account = AccountId(consent.account_id);
    let mut tx = app.db.write(account).await?;
    if !connections::complete_consent(&mut tx, account, &state).await? {
        return Err(Problem::NotFound.into());
    }
    tx.commit().await?;
    let mut tx = app.db.read(account).await?;
    let source = sources::get(&mut tx, SourceKey { account, source: SourceId(consent.source_id) })
        .await?
        .ok_or(Problem::NotFound)?;
    drop(tx);
    let Some(code) = brought.code else {
        let why = brought.error.unwrap_or_default();
        let why: String = why.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect();
        tracing::warn!(source = %source.id, why, "consent denied");
        return Ok(page(StatusCode::OK, "The channel says that you did not consent. Nothing was changed."));
    };
    if let Err(error) = connect(&app, &source, &consent, code).await {
        tracing::warn!(source = %source.id, error = format!("{error:#}"), "consent exchange failed");
        return Ok(page(StatusCode::BAD_GATEWAY, "The channel did not issue the tokens. Try to connect again."));
    }
    Ok(page(StatusCode::OK, "The source is connected. You may close this page."))
}

/// Connects the source after a consent; returns whether it works now.
async fn connect(app: &Arc<App>, source: &Source, consent: &PendingConsent, code: String) -> anyhow::Result<bool> {
    let connection = ConnectionId(consent.connection_id);
    let plugin = app.plugins.require(&source.source_type)?;
    let slot = plugin.manifest().slot(&consent.slot).context("the plugin has no such credential now")?.clone();
    let secrets =
        ConnectionSecrets::new(Arc::clone(app), source.account, connection, Arc::clone(&plugin), source.config.clone());
    let brought = [("code".to_owned(), Secret::new(code)), ("redirectUri".to_owned(), Secret::new(redirect_uri(app)))];
    let listening = Listening::begin(app, source).await?;
    if let Err(error) = secrets.set_up_with(slot, brought).await {
        listening.end(app).await?;
        return Err(error);
    }
    if !secrets.slots_without_consent().await?.is_empty() {
        return Ok(false);
    }
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    sources::set_status(&mut tx, source.key(), SourceState::Active).await?;
    schedule::begin_polls(&mut tx, source.key(), plugin.manifest(), now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(true)
}

fn page(status: StatusCode, text: &str) -> Response {
    let body = format!("<!doctype html><meta charset=utf-8><title>GasSync</title><p>{text}</p>");
    let policy = [(header::CONTENT_SECURITY_POLICY, "default-src 'none'"), (header::REFERRER_POLICY, "no-referrer")];
    (status, policy, Html(body)).into_response()
}
