//! A kept message: decode it, apply what it says, and mark it, the last two in one transaction.

use std::sync::Arc;

use gassync_domain::{Decoded, HttpRequest, HttpResponse, retry_delay};
use gassync_runtime::{Adapter, Budget, Call, CallError, Finished, MemoryChanges};
use jiff::SignedDuration;

use super::{
    apply::{self, Incoming},
    memory, seal,
};
use crate::{
    app::App,
    store::{
        self, connections, inbox,
        sources::{self, Source},
        sync_runs::{self, Counters},
    },
};

/// A message that breaks a plugin twice is set aside.
const MAX_FAULTS: u32 = 2;
/// How often a message is tried in all.
const MAX_ATTEMPTS: u32 = 20;

/// Works on a message; the answer is the plugin's, where it has one. Whatever goes wrong is written to the message.
pub async fn process(app: Arc<App>, message: inbox::Message) -> Option<HttpResponse> {
    match attempt(&app, &message).await {
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
    for_good: bool,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self { why: format!("the database: {error}"), for_good: false }
    }
}

async fn attempt(app: &Arc<App>, message: &inbox::Message) -> Result<Option<HttpResponse>, Failure> {
    let (adapter, source) = who(app, message).await?;
    let request =
        seal::open(&app.vault, message).map_err(|error| Failure { why: error.to_string(), for_good: true })?;
    let (Decoded { changes, reply, .. }, remembered) = decode(app, (message, request), &*adapter, &source).await?;
    let incoming = Incoming::from_source(&source, message.received_at, app.now());
    let mut tx = app.db.write(message.account).await?;
    let began = incoming.now;
    let run = sync_runs::begin(&mut tx, source.account, source.id, sync_runs::Kind::Webhook, began).await?;
    let mut counters = Counters::default();
    for outcome in apply::changes(&mut tx, &incoming, changes).await? {
        counters.count(outcome.word(), 1);
    }
    sync_runs::end(&mut tx, source.account, run, (&counters, None), (began, app.now())).await?;
    memory::keep(&app.vault, &mut tx, &source, remembered, incoming.now).await?;
    inbox::applied(&mut tx, message.account, message.id, incoming.now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(reply)
}

async fn who(app: &App, message: &inbox::Message) -> Result<(Arc<dyn Adapter>, Source), Failure> {
    let later = |why: &str| Failure { why: why.to_owned(), for_good: false };
    let mut tx = app.db.read(message.account).await?;
    let connection = connections::get(&mut tx, message.account, message.connection).await?;
    let sources = sources::of_connection(&mut tx, message.account, message.connection).await?;
    let source = sources.into_iter().find(|source| source.status == "active");
    let source = source.ok_or_else(|| later("no source of this connection is active"))?;
    let adapter = app.plugins.get(&connection.channel).ok_or_else(|| later("its plugin is not loaded"))?;
    Ok((adapter, source))
}

async fn decode(
    app: &App,
    (message, request): (&inbox::Message, HttpRequest),
    adapter: &dyn Adapter,
    source: &Source,
) -> Result<(Decoded, MemoryChanges), Failure> {
    let recalled = memory::recall(app, adapter, source).await;
    let recalled = recalled.map_err(|error| Failure { why: error.to_string(), for_good: false })?;
    let call = Call {
        id: format!("message-{}", message.id),
        settings: adapter.manifest().with_defaults(&source.config),
        clock: app.clock.clone(),
        seed: app.seed(),
        budget: app.budget(adapter.manifest(), Budget::decode()),
        memory: recalled,
        // Reading a message needs no network.
        ..Call::alone("")
    };
    let Finished { result, record } = adapter.decode(call, request).await;
    for line in &record.log {
        tracing::debug!(plugin = adapter.manifest().id, message = message.id, line.level, "{}", line.message);
    }
    // A message that is not understood is tried again as it was: what it left in the memory is of no use to anybody.
    let failure = |error: CallError| Failure {
        for_good: match &error {
            CallError::Channel(channel) => !channel.passes_by_itself(),
            CallError::NotExported(_) => true,
            error => error.is_plugin_fault() && message.attempts >= MAX_FAULTS,
        },
        why: error.to_string(),
    };
    result.map(|decoded| (decoded, record.memory)).map_err(failure)
}

async fn settle(app: &App, message: &inbox::Message, failure: &Failure) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.write(message.account).await?;
    if failure.for_good || message.attempts >= MAX_ATTEMPTS {
        inbox::failed(&mut tx, message.account, message.id, &failure.why, now).await?;
    } else {
        let delay = SignedDuration::from_millis(retry_delay(message.attempts, app.jitter()).0);
        inbox::retry(&mut tx, message.account, message.id, &failure.why, now + delay).await?;
    }
    tx.commit().await
}
