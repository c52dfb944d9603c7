//! Creates, validates, changes and deletes subscriptions.

use std::sync::Arc;

use gassync_domain::{AccountId, EventFilter, EventName, FieldError, SourceKey, Timestamp, WebhookId};
use jiff::SignedDuration;
use url::Url;

use super::{
    dto::{CreatedWebhook, NewWebhook, SecretRotation, WebhookChange, WebhookResponse},
    fan_out, headers, message,
    signing::SigningSecret,
};
use crate::{
    app::App,
    http::{ApiError, Problem, scope},
    store::{
        Tx,
        mappings::{self, EntityKind},
        webhooks::{self, SealedSecret, Signing, SubscriptionSpec, Webhook, WebhookPayload},
    },
    vault::fingerprint,
};

/// Maximum subscriptions per source.
pub const MAX_WEBHOOKS: i64 = 200;
/// Default period during which messages carry both signatures.
const GRACE_SECONDS: u32 = 24 * 60 * 60;
/// Maximum of that period.
const MAX_GRACE_SECONDS: u32 = 7 * 24 * 60 * 60;
/// Maximum URL length in characters.
const MAX_URL_CHARS: usize = 2_048;
/// Maximum description length in characters.
const MAX_DESCRIPTION_CHARS: usize = 500;
/// Maximum properties in a filter.
const MAX_PROPERTIES: usize = 200;
/// Maximum and default number of attempts.
const MAX_ATTEMPTS: u32 = 10;
/// Maximum and default response timeout in seconds.
const MAX_TIMEOUT_SECONDS: u32 = 15;

/// Who makes the request.
#[derive(Debug, Clone, Copy)]
pub enum Requester<'a> {
    /// The operator of this host.
    Operator,
    /// A partner key with these scopes.
    Key(&'a [String]),
}

/// Why a subscription is disabled automatically.
pub(crate) struct DisableReason {
    /// The revision that the deliveries used.
    pub revision: i64,
    /// Human-readable reason.
    pub why: String,
}

/// Creates a subscription. A partner key needs the read scopes of the requested records.
pub async fn create(
    app: &Arc<App>,
    by: Requester<'_>,
    source: SourceKey,
    new: NewWebhook,
) -> Result<CreatedWebhook, ApiError> {
    let mut errors = Vec::new();
    let signing = new.signing.unwrap_or_default();
    let secret = read_or_generate_secret(app, signing, new.secret.as_deref(), "/secret", &mut errors);
    let headers = headers::validate(&new.headers, (new.bearer.as_deref(), new.basic.as_deref()), &mut errors);
    let mut tx = app.db.read(source.account).await?;
    let properties = resolve_properties(&mut tx, source, &new.property_ids, &mut errors).await?;
    drop(tx);
    let spec = SubscriptionSpec {
        url: new.url,
        description: new.description,
        events: new.events,
        properties,
        payload: new.payload.unwrap_or_default(),
        envelope: new.envelope.unwrap_or_default(),
        exclude_origin: new.exclude_origin.unwrap_or(true),
        ordered: new.ordered,
        signing,
        max_attempts: new.max_attempts.unwrap_or(MAX_ATTEMPTS).into(),
        timeout_seconds: new.timeout_seconds.unwrap_or(MAX_TIMEOUT_SECONDS).into(),
    };
    check_read_scopes(by, &spec)?;
    if let Err(problem) = check_url(app, &spec.url).await {
        errors.push(FieldError::new("/url", problem));
    }
    validate(&spec, errors)?;
    let secret = secret.ok_or(Problem::Internal)?;
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    if webhooks::count(&mut tx, source).await? >= MAX_WEBHOOKS {
        return Err(Problem::Conflict(format!("the source already has {MAX_WEBHOOKS} subscriptions")).into());
    }
    let id = webhooks::insert(&mut tx, source, &spec, now).await?;
    store_secret(app, &mut tx, (source.account, id), &secret, now).await?;
    if !headers.is_empty() {
        headers::save(app, &mut tx, (source.account, id), &headers).await?;
    }
    let made = show_by_id(app, &mut tx, (source.account, id)).await?;
    tx.commit().await?;
    Ok(CreatedWebhook { webhook: made, secret: secret.verifier() })
}

/// Changes a subscription. Concurrent changes do not overwrite each other.
pub async fn change(
    app: &Arc<App>,
    by: Requester<'_>,
    webhook: Webhook,
    change: WebhookChange,
) -> Result<WebhookResponse, ApiError> {
    let source = webhook.key();
    let Webhook { account, id, spec: seen, .. } = webhook;
    let mut errors = Vec::new();
    let headers = change.headers.as_ref().map(|given| headers::validate(given, (None, None), &mut errors));
    // No transaction is open during DNS resolution.
    if let Some(url) = change.url.as_ref().filter(|url| **url != seen.url)
        && let Err(problem) = check_url(app, url).await
    {
        errors.push(FieldError::new("/url", problem));
    }
    let now = app.now();
    let mut tx = app.db.write(account).await?;
    let Webhook { spec: before, is_active, .. } =
        webhooks::lock(&mut tx, source, id).await?.ok_or(Problem::NotFound)?;
    let properties = match &change.property_ids {
        Some(ids) => resolve_properties(&mut tx, source, ids, &mut errors).await?,
        None => before.properties,
    };
    let url_changed = change.url.as_ref().is_some_and(|url| *url != before.url);
    let spec = SubscriptionSpec {
        url: change.url.unwrap_or(before.url),
        description: change.description.or(before.description),
        events: change.events.unwrap_or(before.events),
        properties,
        payload: change.payload.unwrap_or(before.payload),
        envelope: change.envelope.unwrap_or(before.envelope),
        exclude_origin: change.exclude_origin.unwrap_or(before.exclude_origin),
        ordered: change.ordered.unwrap_or(before.ordered),
        signing: before.signing,
        max_attempts: change.max_attempts.map_or(before.max_attempts, i64::from),
        timeout_seconds: change.timeout_seconds.map_or(before.timeout_seconds, i64::from),
    };
    check_read_scopes(by, &spec)?;
    validate(&spec, errors)?;
    match change.enabled {
        Some(false) if is_active => disable_and_cancel(&mut tx, source, id, webhooks::DISABLED_ON_REQUEST, now).await?,
        Some(true) if !is_active => webhooks::enable(&mut tx, account, id, now).await?,
        _ => {}
    }
    if url_changed || change.enabled == Some(true) {
        webhooks::reset_health(&mut tx, source, id).await?;
    }
    webhooks::update(&mut tx, account, id, &spec, now).await?;
    if let Some(headers) = headers {
        headers::save(app, &mut tx, (account, id), &headers).await?;
    }
    let shown = show_by_id(app, &mut tx, (account, id)).await?;
    tx.commit().await?;
    Ok(shown)
}

/// Replaces the signing secret; the previous one stays valid for the grace period.
pub async fn rotate(app: &Arc<App>, webhook: &Webhook, rotation: SecretRotation) -> Result<CreatedWebhook, ApiError> {
    let mut errors = Vec::new();
    let grace = rotation.grace_seconds.unwrap_or(GRACE_SECONDS);
    if grace > MAX_GRACE_SECONDS {
        errors.push(FieldError::new("/graceSeconds", format!("is more than {MAX_GRACE_SECONDS} seconds")));
    }
    let secret = read_or_generate_secret(app, webhook.spec.signing, rotation.secret.as_deref(), "/secret", &mut errors);
    let Some(secret) = secret.filter(|_| errors.is_empty()) else { return Err(Problem::Invalid(errors).into()) };
    let now = app.now();
    let mut tx = app.db.write(webhook.account).await?;
    webhooks::lock(&mut tx, webhook.key(), webhook.id).await?.ok_or(Problem::NotFound)?;
    let ends = now + SignedDuration::from_secs(i64::from(grace));
    webhooks::end_secrets(&mut tx, webhook.account, webhook.id, (ends, now)).await?;
    store_secret(app, &mut tx, (webhook.account, webhook.id), &secret, now).await?;
    let shown = show_by_id(app, &mut tx, (webhook.account, webhook.id)).await?;
    tx.commit().await?;
    Ok(CreatedWebhook { webhook: shown, secret: secret.verifier() })
}

/// Deletes a subscription and cancels its waiting deliveries.
pub async fn delete(app: &Arc<App>, webhook: &Webhook) -> Result<(), ApiError> {
    let now = app.now();
    let mut tx = app.db.write(webhook.account).await?;
    webhooks::cancel_pending(&mut tx, webhook.key(), webhook.id, "the subscription was deleted", now).await?;
    webhooks::delete(&mut tx, webhook.account, webhook.id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Disables a failing subscription and publishes that as an event. Does nothing if the subscription changed since the
/// deliveries began.
pub(crate) async fn disable_endpoint(
    app: &App,
    source: SourceKey,
    id: WebhookId,
    DisableReason { revision, why }: &DisableReason,
) -> crate::store::Result<()> {
    let mut tx = app.db.write(source.account).await?;
    let now_is = webhooks::lock(&mut tx, source, id).await?;
    if now_is.is_none_or(|webhook| webhook.revision != *revision) {
        return Ok(());
    }
    disable_and_cancel(&mut tx, source, id, why, app.now()).await?;
    tx.commit().await?;
    app.facts.notify_one();
    Ok(())
}

async fn disable_and_cancel(
    tx: &mut Tx,
    source: SourceKey,
    id: WebhookId,
    why: &str,
    now: Timestamp,
) -> crate::store::Result<()> {
    let dead = format!("the subscription is disabled: {why}");
    webhooks::cancel_pending(tx, source, id, &dead, now).await?;
    if webhooks::disable(tx, source.account, id, why, now).await? {
        webhooks::publish_disabled(tx, source.account, id, now).await?;
    }
    Ok(())
}

/// The response body of a subscription.
pub async fn show(app: &App, tx: &mut Tx, webhook: &Webhook) -> Result<WebhookResponse, ApiError> {
    let Webhook { spec, .. } = webhook;
    let property_ids = if spec.properties.is_empty() {
        Vec::new()
    } else {
        webhooks::external_property_ids(tx, webhook.key(), &spec.properties).await?
    };
    let public_keys = if spec.signing == Signing::V1a {
        let sealed = webhooks::secrets(tx, webhook.account, webhook.id, app.now()).await?;
        sealed
            .iter()
            .filter_map(|sealed| decrypt_secret(app, webhook, sealed))
            .map(|secret| secret.verifier())
            .collect()
    } else {
        Vec::new()
    };
    let headers = headers::decrypt(app, webhook).unwrap_or_default();
    Ok(WebhookResponse {
        id: webhook.id.0,
        url: spec.url.clone(),
        description: spec.description.clone(),
        events: spec.events.clone(),
        property_ids,
        payload: spec.payload,
        envelope: spec.envelope,
        exclude_origin: spec.exclude_origin,
        ordered: spec.ordered,
        signing: spec.signing,
        public_keys,
        headers: headers.into_iter().map(|(name, _)| name).collect(),
        max_attempts: spec.max_attempts,
        timeout_seconds: spec.timeout_seconds,
        enabled: webhook.is_active,
        disabled_reason: webhook.status_reason.clone(),
        suspended_reason: fan_out::suspended_reason(webhook),
        failing_since: webhook.failing_since,
        failures: webhook.failures,
        last_triggered_at: webhook.last_triggered_at,
        last_delivered_at: webhook.last_delivered_at,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
    })
}

async fn show_by_id(
    app: &App,
    tx: &mut Tx,
    (account, id): (AccountId, WebhookId),
) -> Result<WebhookResponse, ApiError> {
    let webhook = webhooks::get(tx, account, id).await?.ok_or(Problem::NotFound)?;
    show(app, tx, &webhook).await
}

/// A key needs the read scopes of the records it wants delivered.
fn check_read_scopes(by: Requester<'_>, spec: &SubscriptionSpec) -> Result<(), Problem> {
    let Requester::Key(scopes) = by else { return Ok(()) };
    if spec.payload != WebhookPayload::Full {
        return Ok(());
    }
    let filter = EventFilter::from_checked(&spec.events);
    let selected = EventName::all().filter(|name| filter.wants(name));
    let mut needed = selected.flat_map(|name| message::required_scopes(&name).iter().copied());
    match needed.find(|scope| !scope::holds(scopes, scope)) {
        Some(scope) => Err(Problem::Forbidden { scope }),
        None => Ok(()),
    }
}

/// Validates the remaining fields.
fn validate(spec: &SubscriptionSpec, mut errors: Vec<FieldError>) -> Result<(), Problem> {
    if spec.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION_CHARS) {
        errors.push(FieldError::new("/description", format!("is longer than {MAX_DESCRIPTION_CHARS} characters")));
    }
    if let Err(more) = EventFilter::parse(spec.events.clone()) {
        errors.extend(more);
    }
    if !(1..=i64::from(MAX_ATTEMPTS)).contains(&spec.max_attempts) {
        errors.push(FieldError::new("/maxAttempts", format!("must be between 1 and {MAX_ATTEMPTS}")));
    }
    if !(1..=i64::from(MAX_TIMEOUT_SECONDS)).contains(&spec.timeout_seconds) {
        errors.push(FieldError::new("/timeoutSeconds", format!("must be between 1 and {MAX_TIMEOUT_SECONDS} seconds")));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(errors)) }
}

/// Checks that a URL may be called.
async fn check_url(app: &App, text: &str) -> Result<(), String> {
    if text.chars().count() > MAX_URL_CHARS {
        return Err(format!("is longer than {MAX_URL_CHARS} characters"));
    }
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !["https", "http"].contains(&url.scheme()) {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user or password: use `basic`".to_owned());
    }
    if url.fragment().is_some() {
        return Err("must not have a fragment".to_owned());
    }
    match app.subscribers.check(&url).await {
        Ok(()) => Ok(()),
        Err(gassync_runtime::SendError::AddressRefused(_)) if url.scheme() == "http" => {
            Err("must begin with https:// unless the operator allows the address".to_owned())
        }
        Err(gassync_runtime::SendError::AddressRefused(_)) => {
            Err("resolves to an address that is not allowed: private, loopback or link-local".to_owned())
        }
        Err(_) => Err("cannot be resolved".to_owned()),
    }
}

async fn resolve_properties(
    tx: &mut Tx,
    source: SourceKey,
    ids: &[String],
    errors: &mut Vec<FieldError>,
) -> Result<Vec<i64>, ApiError> {
    if ids.len() > MAX_PROPERTIES {
        errors.push(FieldError::new("/propertyIds", format!("has more than {MAX_PROPERTIES} ids")));
        return Ok(Vec::new());
    }
    let mut found = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        match mappings::find(tx, source, EntityKind::Property, id).await? {
            Some(mapping) => found.push(mapping.core.0),
            None => {
                errors.push(FieldError::new(format!("/propertyIds/{place}"), "is not a linked property of this source"))
            }
        }
    }
    Ok(found)
}

/// Parses the given secret, or generates one.
fn read_or_generate_secret(
    app: &App,
    signing: Signing,
    given: Option<&str>,
    path: &str,
    errors: &mut Vec<FieldError>,
) -> Option<SigningSecret> {
    let made = match given {
        Some(text) => SigningSecret::parse(text),
        None => SigningSecret::make(signing, &app.random),
    };
    match made {
        Ok(secret) if secret.signing() == signing => Some(secret),
        Ok(_) => {
            errors.push(FieldError::new(path, format!("is not a secret for {}", signing)));
            None
        }
        Err(error) => {
            errors.push(FieldError::new(path, error.to_string()));
            None
        }
    }
}

fn secret_context(account: AccountId, webhook: WebhookId) -> String {
    format!("{account}/webhook/{webhook}/secret")
}

async fn store_secret(
    app: &App,
    tx: &mut Tx,
    (account, id): (AccountId, WebhookId),
    secret: &SigningSecret,
    now: Timestamp,
) -> Result<(), ApiError> {
    let text = secret.text();
    let sealed = app.vault.encrypt(&secret_context(account, id), &text).map_err(|_| Problem::Internal)?;
    webhooks::add_secret(tx, account, id, (&sealed, app.vault.key_id(), &fingerprint(&text)), now).await?;
    Ok(())
}

/// Decrypts a signing secret.
pub(super) fn decrypt_secret(app: &App, webhook: &Webhook, sealed: &SealedSecret) -> Option<SigningSecret> {
    let text = app.vault.decrypt(&secret_context(webhook.account, webhook.id), &sealed.ciphertext).ok()?;
    SigningSecret::parse(&text).ok()
}
