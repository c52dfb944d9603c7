//! Processes a stored message: decodes it, then applies it and marks it in one transaction.

use std::sync::Arc;

use gassync_domain::{Change, ChangeKind, Decoded, Entity, EntityRef, Hint, HttpRequest, HttpResponse, retry_delay};
use gassync_runtime::{Budget, Call, CallError, CallRecord, Finished, InboundRoute};
use jiff::SignedDuration;

use super::{
    apply::IngestContext,
    escapes,
    fetch::OutcomeCounts,
    message_crypto,
    set_aside::{self, SetAsideOrigin},
};
use crate::{
    app::App,
    channel::plugin_state,
    panics,
    plugins::{self, Plugin},
    store::{
        self, connections, inbox, source_switches,
        sources::{self, Source, SourceState},
        sync_runs::{self, Counters},
    },
};

/// A message that makes a plugin fail this often is given up.
const MAX_FAULTS: u32 = 2;
/// Source states in which messages are applied: a channel's messages stay valid while we cannot or do not call it.
const WORKING: [SourceState; 4] = [SourceState::Active, SourceState::Paused, SourceState::Error, SourceState::Expired];
/// Delay of a message that could not be processed yet.
const LATER: SignedDuration = SignedDuration::from_secs(60);
/// Minimum interval between two records of a webhook call.
const RECORD_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Maximum number of attempts per message.
const MAX_ATTEMPTS: u32 = 20;

/// Processes a message and returns the plugin's reply, if any. Failures, including panics, are stored at the message.
pub async fn process(app: Arc<App>, message: inbox::InboxMessage) -> Option<HttpResponse> {
    let attempted = panics::caught("message", attempt(&app, &message)).await;
    match attempted.unwrap_or_else(|reason| Err(Failure::new(reason, Then::Again))) {
        Ok(reply) => reply,
        Err(failure) => {
            tracing::warn!(message = message.id, account = %message.account, error = %failure.why, "message deferred");
            if let Err(error) = settle(&app, &message, &failure).await {
                // The message is still stored and becomes due again.
                tracing::error!(message = message.id, %error, "could not store message state");
            }
            None
        }
    }
}

struct Failure {
    why: String,
    then: Then,
    call: Option<Box<DecodedCall>>,
}

/// How a failed message continues.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Retry, counted as an attempt.
    Again,
    /// Defer: it was not processed, and the attempt does not count.
    Later,
    /// Fail until an operator replays it.
    Never,
}

/// A failed plugin call.
struct DecodedCall {
    plugin: Arc<Plugin>,
    record: CallRecord,
    /// The plugin is at fault.
    is_fault: bool,
    /// The fault is certain: the message was verified.
    counts: bool,
}

impl Failure {
    fn new(why: impl ToString, then: Then) -> Self {
        Self { why: why.to_string(), then, call: None }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::new(format!("the database: {error}"), Then::Again)
    }
}

async fn attempt(app: &Arc<App>, message: &inbox::InboxMessage) -> Result<Option<HttpResponse>, Failure> {
    let (plugin, source) = who(app, message).await?;
    let mut request = message_crypto::decrypt(&app.vault, message).map_err(|error| Failure::new(error, Then::Never))?;
    request.body = request.body.map(|body| escapes::mend(body, &request.headers));
    let (Decoded { changes, reply, .. }, record) = decode(app, (message, request), &plugin, &source).await?;
    let context = IngestContext::from_source(&source, message.received_at, app.now())
        .with_unit_count(plugin.manifest().unit_count());
    let origin = SetAsideOrigin { plugin_hash: plugin.hash(), message: Some(message.id) };
    let (mut tx, applied) = set_aside::apply(app, &context, &changes, origin).await?;
    let began = context.now;
    let run = sync_runs::start(&mut tx, source.key(), sync_runs::SyncRunKind::Webhook, began).await?;
    let changes_bookings = changes.iter().any(is_of_bookings);
    let mut outcomes = OutcomeCounts::new();
    for outcome in &applied {
        *outcomes.entry(outcome.ingested()).or_default() += 1;
    }
    let mut counters = Counters::default();
    outcomes.iter().for_each(|(word, count)| counters.count(*word, *count));
    sync_runs::finish(&mut tx, source.account, run, (&counters, None), (began, app.now())).await?;
    let place = (message.account, message.connection);
    plugins::keep_call(&app.vault, &mut tx, place, (&plugin, &record, None), context.now).await?;
    plugin_state::save(&app.vault, &mut tx, &source, record.memory, context.now).await?;
    if changes_bookings {
        let place = (message.account, message.connection);
        connections::record_webhook(&mut tx, place.0, place.1, (context.now, context.now - RECORD_INTERVAL)).await?;
    }
    source_switches::record_channel_call(&mut tx, source.key(), true, context.now).await?;
    inbox::applied(&mut tx, message.account, message.id, &summary(&outcomes), context.now).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(reply)
}

/// True if a change shows that the channel sends booking webhooks.
fn is_of_bookings(change: &Change) -> bool {
    match &change.data {
        ChangeKind::Reservation(_) | ChangeKind::Block(_) => true,
        ChangeKind::Refetch(Hint { entity, .. }) | ChangeKind::Removed(EntityRef { entity, .. }) => {
            matches!(entity, Entity::Reservation | Entity::Block)
        }
        ChangeKind::Unreadable(unreadable) => unreadable.entity == Entity::Reservation,
        _ => false,
    }
}

/// Summarises the outcome of a message.
fn summary(outcomes: &OutcomeCounts) -> String {
    if outcomes.is_empty() {
        return "nothing in it".to_owned();
    }
    outcomes.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

async fn who(app: &App, message: &inbox::InboxMessage) -> Result<(Arc<Plugin>, Source), Failure> {
    let mut tx = app.db.read(message.account).await?;
    let connection = connections::get(&mut tx, message.account, message.connection).await?;
    let sources = sources::of_connection(&mut tx, message.account, message.connection).await?;
    let then =
        if sources.iter().all(|source| source.status == SourceState::Disconnected) { Then::Never } else { Then::Later };
    let source = sources.into_iter().find(|source| WORKING.contains(&source.status));
    let source = source.ok_or_else(|| Failure::new("no source of this connection is active", then))?;
    let plugin = app.plugins.get(&connection.channel);
    Ok((plugin.ok_or_else(|| Failure::new("its plugin is not loaded", Then::Later))?, source))
}

async fn decode(
    app: &App,
    (message, request): (&inbox::InboxMessage, HttpRequest),
    plugin: &Arc<Plugin>,
    source: &Source,
) -> Result<(Decoded, CallRecord), Failure> {
    let recalled = plugin_state::load(app, plugin, source).await.map_err(|error| Failure::new(error, Then::Again))?;
    let is_verified = is_verified(plugin, &request);
    let call = Call {
        id: format!("message-{}", message.id),
        settings: plugin.manifest().with_defaults(&source.config),
        clock: app.clock.clone(),
        seed: app.seed(),
        budget: plugin.budget(Budget::decode()),
        memory: recalled,
        // Decoding needs no network.
        ..Call::isolated("")
    };
    let Finished { result, record } = plugin.decode(call, request).await;
    let error = match result {
        Ok(decoded) => return Ok((decoded, record)),
        Err(error) => error,
    };
    // A failed message is retried from the same state: its state changes are dropped.
    let is_fault = error.is_plugin_fault();
    let is_certain = error.is_unambiguous_plugin_fault();
    let for_good = match &error {
        CallError::Channel(channel) => !channel.passes_by_itself(),
        CallError::NotExported(_) => true,
        _ => is_fault && message.faults + 1 >= MAX_FAULTS,
    };
    let called = DecodedCall { plugin: Arc::clone(plugin), record, is_fault, counts: is_certain && is_verified };
    let then = if for_good { Then::Never } else { Then::Again };
    Err(Failure { why: error.to_string(), then, call: Some(Box::new(called)) })
}

/// True if the caller was authenticated. Faults caused by unauthenticated calls do not count against a plugin.
fn is_verified(plugin: &Plugin, request: &HttpRequest) -> bool {
    let path = request.url.split('?').next().unwrap_or_default();
    let served = |route: &&InboundRoute| route.serves(path) && route.methods.contains(&request.method);
    let route = plugin.manifest().routes.iter().find(served);
    route.is_some_and(|route| !route.is_open())
}

async fn settle(app: &App, message: &inbox::InboxMessage, failure: &Failure) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.write(message.account).await?;
    let (account, id, why) = (message.account, message.id, failure.why.as_str());
    match failure.then {
        Then::Later => inbox::postpone(&mut tx, account, id, why, now + LATER).await?,
        Then::Again if message.attempts < MAX_ATTEMPTS => {
            let delay = SignedDuration::from_millis(retry_delay(message.attempts, app.jitter()).0);
            inbox::retry(&mut tx, account, id, why, now + delay).await?;
        }
        Then::Again | Then::Never => inbox::failed(&mut tx, account, id, why, now).await?,
    }
    let Some(DecodedCall { plugin, record, is_fault, counts }) = failure.call.as_deref() else {
        return tx.commit().await;
    };
    if *is_fault {
        inbox::fault(&mut tx, message.account, message.id).await?;
    }
    let place = (message.account, message.connection);
    plugins::keep_call(&app.vault, &mut tx, place, (plugin, record, Some(&failure.why)), now).await?;
    tx.commit().await?;
    // Count each message once, however often it is retried.
    if *counts && message.faults == 0 {
        plugins::record_fault(&app.plugins, plugin, message.account, message.connection, &failure.why).await?;
    }
    Ok(())
}
