//! A kept message: decode it, apply what it says, and mark it, the last two in one transaction.

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
        sources::{self, Source},
        sync_runs::{self, Counters},
    },
};

/// A message that breaks a plugin twice is set aside.
const MAX_FAULTS: u32 = 2;
/// What comes from a channel counts in these states: that we cannot ask it any more, or do not for a while, makes its word no
/// less true.
const WORKING: [&str; 4] = ["active", "paused", "error", "expired"];
/// How long a message waits that nobody could look at.
const LATER: SignedDuration = SignedDuration::from_secs(60);
/// How far apart calls are noted: that a channel calls is news once.
const RECORD_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// How often a message is tried in all.
const MAX_ATTEMPTS: u32 = 20;

/// Works on a message; the answer is the plugin's, where it has one. Whatever goes wrong, a panic too, is written to the
/// message.
pub async fn process(app: Arc<App>, message: inbox::InboxMessage) -> Option<HttpResponse> {
    let attempted = panics::caught("message", attempt(&app, &message)).await;
    match attempted.unwrap_or_else(|reason| Err(Failure::new(reason, Then::Again))) {
        Ok(reply) => reply,
        Err(failure) => {
            tracing::warn!(message = message.id, account = %message.account, error = %failure.why, "a message waits");
            if let Err(error) = settle(&app, &message, &failure).await {
                // It is still there, and its time comes again.
                tracing::error!(message = message.id, %error, "a message could not be marked");
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

/// What becomes of a message that did not work out.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// It is tried again, a number of times.
    Again,
    /// It was not looked at: nothing is wrong with it, and this time does not count.
    Later,
    /// It is set aside until a person plays it again.
    Never,
}

/// What a plugin's call took that came to nothing.
struct DecodedCall {
    plugin: Arc<Plugin>,
    record: CallRecord,
    /// The plugin is to blame.
    is_fault: bool,
    /// Nobody else can be, and the message is really the channel's.
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
    let (mut tx, outcomes) = set_aside::apply(app, &context, &changes, origin).await?;
    let began = context.now;
    let run = sync_runs::start(&mut tx, source.account, source.id, sync_runs::SyncRunKind::Webhook, began).await?;
    let changes_bookings = changes.iter().any(is_of_bookings);
    let mut outcomes = OutcomeCounts::new();
    for outcome in &outcomes {
        *outcomes.entry(outcome.as_str()).or_default() += 1;
    }
    let mut counters = Counters::default();
    outcomes.iter().for_each(|(word, count)| counters.count(word, *count));
    sync_runs::finish(&mut tx, source.account, run, (&counters, None), (began, app.now())).await?;
    let place = (message.account, message.connection);
    plugins::keep_call(&app.vault, &mut tx, place, (&plugin, &record, None), context.now).await?;
    plugin_state::save(&app.vault, &mut tx, &source, record.memory, context.now).await?;
    if changes_bookings {
        let place = (message.account, message.connection);
        connections::record_webhook(&mut tx, place.0, place.1, (context.now, context.now - RECORD_INTERVAL)).await?;
    }
    source_switches::record_channel_call(&mut tx, source.account, source.id, true, context.now).await?;
    inbox::applied(&mut tx, message.account, message.id, &summary(&outcomes), context.now).await?;
    tx.commit().await?;
    app.facts.notify_one();
    app.wake.notify_waiters();
    Ok(reply)
}

/// Whether a change tells that a channel tells us of its bookings.
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

/// What a message came to, in words.
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
    let then = if sources.iter().all(|source| source.status == "disconnected") { Then::Never } else { Then::Later };
    let source = sources.into_iter().find(|source| WORKING.contains(&source.status.as_str()));
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
        // Reading a message needs no network.
        ..Call::isolated("")
    };
    let Finished { result, record } = plugin.decode(call, request).await;
    let error = match result {
        Ok(decoded) => return Ok((decoded, record)),
        Err(error) => error,
    };
    // A message that is not understood is tried again as it was: what it left in the memory is of no use to anybody.
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

/// Whether the caller had to prove who he is. What anybody may send can break a plugin, but does not count against it.
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
    // A message counts once, however often it is tried.
    if *counts && message.faults == 0 {
        plugins::record_fault(&app.plugins, plugin, message.account, message.connection, &failure.why).await?;
    }
    Ok(())
}
