//! What a plugin fetches, page by page: a page is committed before the next is asked for.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use gassync_domain::{
    AccountId, Change, ChannelError, ConnectionId, Entity, EntityRef, HttpRequest, HttpResponse, News, Page, Query,
    ResumePoint, Selection, Timestamp,
};
use gassync_runtime::{
    Budget, Call, CallError, CallRecord, Finished, HttpTransport, OutgoingRequest, SendError, Transport,
};
use jiff::SignedDuration;

use super::{
    apply::{self, Incoming},
    memory::{self, MemoryError},
    seal,
    spot::{self, Spot},
};
use crate::{
    app::App,
    channel_limits::LimitedTransport,
    credentials::ConnectionSecrets,
    plugins::{self, Plugin},
    store::{
        self, connections, inbox,
        sources::{self, Source},
        sync_runs::{self, Counters},
    },
};

/// Most pages of one run; the next run goes on where this one ended.
const MAX_PAGES: u32 = 10_000;
/// The longest wait for room within what the channel allows that is waited out between two pages: to begin anew would
/// come to the same place again.
const MAX_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// The longest wait between two pages that is waited out here.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// Why a fetch ended early.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The plugin, or the channel behind it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] sqlx::Error),
    /// What the plugin remembers.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Nobody speaks this channel's language at the moment.
    #[error("the plugin {0} is not loaded")]
    NotLoaded(String),
    /// The source has no channel to ask: its partner calls us.
    #[error("the source has no connection to fetch from")]
    NoConnection,
}

/// How many records came, by what became of them.
pub type Tally = BTreeMap<&'static str, i64>;

/// Fetches what a query asks for and applies it; the run is written down, however it ends.
pub async fn run(app: &Arc<App>, source: &Source, query: Query) -> Result<Tally, PullError> {
    let began = app.now();
    let mut tx = app.db.write(source.account).await?;
    let id = sync_runs::begin(&mut tx, source.account, source.id, kind(query.entity), began).await?;
    tx.commit().await?;
    let mut tally = Tally::new();
    let result = all_pages(app, source, query, &mut tally).await;
    let mut counters = Counters::default();
    tally.iter().for_each(|(word, count)| counters.count(word, *count));
    let why = result.as_ref().err().map(ToString::to_string);
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    sync_runs::end(&mut tx, source.account, id, (&counters, why.as_deref()), (began, now)).await?;
    // That a plugin has no way to ask for something is no trouble of the source.
    let is_trouble = !matches!(result, Err(PullError::Call(CallError::Channel(ChannelError::Unsupported))));
    if let Some(why) = why.as_ref().filter(|_| is_trouble) {
        sources::failed(&mut tx, source.account, source.id, why, now).await?;
    }
    tx.commit().await?;
    result.map(|()| tally)
}

fn kind(entity: Entity) -> sync_runs::Kind {
    match entity {
        Entity::Reservation | Entity::Guest => sync_runs::Kind::BookingImport,
        Entity::Calendar | Entity::Block => sync_runs::Kind::AvailabilityImport,
        Entity::Property | Entity::RoomType | Entity::RatePlan => sync_runs::Kind::ContentSync,
    }
}

async fn all_pages(app: &Arc<App>, source: &Source, mut query: Query, tally: &mut Tally) -> Result<(), PullError> {
    let connection = source.connection.ok_or(PullError::NoConnection)?;
    let plugin =
        app.plugins.get(&source.source_type).ok_or_else(|| PullError::NotLoaded(source.source_type.clone()))?;
    let lane = app.lane(connection).await;
    let _one_at_a_time = lane.lock().await;
    let began = app.now();
    let mut resume: Option<ResumePoint> = None;
    let mut pages = 0;
    loop {
        // What a page says was true when the request for it was made, not when it is applied.
        let observed_at = app.now();
        let (mut page, record) = match fetch(app, &plugin, source, connection, query.clone()).await {
            Err(PullError::Call(CallError::Channel(ChannelError::RateLimited(Some(seconds)))))
                if pages > 0 && SignedDuration::from_secs(i64::from(seconds)) <= MAX_PAUSE =>
            {
                tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await;
                continue;
            }
            fetched => fetched?,
        };
        leave_out_what_was_asked_for(&query, &mut page, tally);
        resume = latest(resume, page.resume);
        pages += 1;
        let last = page.next.is_none() || pages == MAX_PAGES;
        let incoming = Incoming::from_source(source, observed_at, app.now());
        let mut tx = app.db.write(source.account).await?;
        for outcome in apply::changes(&mut tx, &incoming, page.changes).await? {
            *tally.entry(outcome.word()).or_default() += 1;
        }
        plugins::keep_call(&app.vault, &mut tx, (source.account, connection), (&plugin, &record, None), incoming.now)
            .await?;
        memory::keep(&app.vault, &mut tx, source, record.memory, incoming.now).await?;
        connections::welcome(&mut tx, source.account, connection).await?;
        if last && !matches!(query.selection, Selection::Some(_)) {
            // What is read by its nights or out of a queue has no point to go on from.
            let is_of_all = query.property_id.is_none() && query.room_type_id.is_none();
            let goes_on =
                matches!(query.selection, Selection::Everything | Selection::ChangedSince(_) | Selection::After(_));
            if page.next.is_some() {
                tracing::error!(source = %source.id, "a fetch of {MAX_PAGES} pages was not the whole: it begins anew");
            } else if goes_on && is_of_all {
                move_resume_point(&mut tx, source, query.entity, resume.take(), (began, incoming.now)).await?;
            }
            sources::synced(&mut tx, source.account, source.id, incoming.now).await?;
        }
        tx.commit().await?;
        app.wake.notify_waiters();
        if last {
            return Ok(());
        }
        query.cursor = page.next;
        if let Some(seconds) = page.wait_seconds {
            let wait = SignedDuration::from_secs(i64::from(seconds)).min(MAX_WAIT);
            tokio::time::sleep(wait.unsigned_abs()).await;
        }
    }
}

/// What was asked for by its id and is not there any more: to ask again would come to the same. A block takes no nights
/// then; what has become of anything else is for a person to say.
fn leave_out_what_was_asked_for(query: &Query, page: &mut Page, tally: &mut Tally) {
    let Selection::Some(ids) = &query.selection else { return };
    let is_gone = |change: &mut Change| {
        let News::Removed(EntityRef { entity, id }) = &change.news else { return false };
        *entity != Entity::Block && *entity == query.entity && ids.contains(id)
    };
    let gone = page.changes.extract_if(.., is_gone).count();
    if gone > 0 {
        *tally.entry("gone").or_default() += i64::try_from(gone).unwrap_or(i64::MAX);
    }
}

/// Since when a poll asks, given where the last one ended.
pub fn since(resume: Option<ResumePoint>, overlap_seconds: u32) -> Selection {
    let overlap = SignedDuration::from_secs(i64::from(overlap_seconds));
    match resume {
        Some(ResumePoint::Token(token)) => Selection::After(token),
        Some(ResumePoint::Instant(instant)) => {
            instant.checked_sub(overlap).map_or(Selection::Everything, Selection::ChangedSince)
        }
        None => Selection::Everything,
    }
}

async fn move_resume_point(
    tx: &mut store::Tx,
    source: &Source,
    entity: Entity,
    resume: Option<ResumePoint>,
    (began, now): (Timestamp, Timestamp),
) -> store::Result<()> {
    let known = sources::resume_point(tx, source.account, source.id, entity.as_str()).await?;
    // A channel that named no point gets our own clock, once; one that saw nothing new stays where it was.
    match resume.or_else(|| known.is_none().then_some(ResumePoint::Instant(began))) {
        Some(point) => sources::set_resume_point(tx, source.account, source.id, (entity.as_str(), &point), now).await,
        None => Ok(()),
    }
}

/// Pages come in no order of time; a token is the last word.
fn latest(known: Option<ResumePoint>, page: Option<ResumePoint>) -> Option<ResumePoint> {
    match (&known, &page) {
        (Some(ResumePoint::Instant(a)), Some(ResumePoint::Instant(b))) if a > b => known,
        _ => page.or(known),
    }
}

async fn fetch(
    app: &Arc<App>,
    plugin: &Arc<Plugin>,
    source: &Source,
    connection: ConnectionId,
    query: Query,
) -> Result<(Page, CallRecord), PullError> {
    let manifest = plugin.manifest();
    let secrets =
        ConnectionSecrets::new(Arc::clone(app), source.account, connection, Arc::clone(plugin), source.config.clone());
    let doubted = secrets.clone();
    let call = Call {
        id: format!("fetch-{}-{}", source.id, query.entity.as_str()),
        settings: manifest.with_defaults(&source.config),
        grant: secrets.grant().await.map_err(|error| CallError::Host(format!("{error:#}")))?,
        credentials: Arc::new(secrets),
        transport: Arc::new(KeepingTransport {
            app: Arc::clone(app),
            network: app
                .transport(manifest, (source.account, connection))
                .map_err(|error| CallError::Host(error.to_string()))?,
            account: source.account,
            connection,
            sensitive: manifest.sensitive.clone(),
        }),
        clock: app.clock.clone(),
        seed: app.seed(),
        budget: plugin.budget(Budget::fetch()),
        memory: memory::recall(app, plugin, source).await?,
        ..Call::alone("")
    };
    let Finished { result, record } = plugin.fetch(call, query).await;
    let error = match result {
        Ok(page) => return Ok((page, record)),
        Err(error) => error,
    };
    let mut tx = app.db.write(source.account).await?;
    let now = app.now();
    let (place, why) = ((source.account, connection), error.to_string());
    plugins::keep_call(&app.vault, &mut tx, place, (plugin, &record, Some(&why)), now).await?;
    // An error is an outcome too: what the plugin wrote at the channel before it must not be forgotten.
    memory::keep(&app.vault, &mut tx, source, record.memory, now).await?;
    let refused = matches!(error, CallError::Channel(ChannelError::Unauthorized(_)));
    // A token may die before its time: with a new one the job goes on.
    if refused && !doubted.doubt(&mut tx).await? {
        connections::welcome(&mut tx, source.account, connection).await?;
        let working = (&["active", "error"][..], "expired");
        sources::set_status_of_connection(&mut tx, source.account, connection, working).await?;
        tracing::error!(source = %source.id, "a source's credential works no more: it must be connected again");
    }
    tx.commit().await?;
    if error.is_certain_fault() {
        plugins::struck(app, plugin, source.account, connection, &why).await?;
    }
    Err(error.into())
}

/// Masks each answer and keeps it before the guest sees it: some channels count fetching as acknowledging.
struct KeepingTransport {
    app: Arc<App>,
    network: LimitedTransport<HttpTransport>,
    account: AccountId,
    connection: ConnectionId,
    sensitive: Vec<String>,
}

#[async_trait]
impl Transport for KeepingTransport {
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        // As the guest wrote it: filled, any part of it may be a secret.
        let (method, url) = (request.method.clone(), request.shown.clone());
        let mut answer = self.network.send(request).await?;
        let spots: Vec<Spot<'_>> = self.sensitive.iter().map(|text| Spot::parse(text)).collect();
        answer.body = spot::mask(std::mem::take(&mut answer.body), &spots);
        let kept = HttpRequest { method, url, headers: answer.headers.clone(), body: Some(answer.body.clone()) };
        let keep = async {
            let now = self.app.now();
            let mut tx = self.app.db.write(self.account).await?;
            let place = (self.account, self.connection);
            seal::keep(&self.app.vault, &mut tx, place, inbox::Kind::Answer, &kept, (now, now)).await?;
            tx.commit().await
        };
        keep.await.map_err(|error| SendError::Connect(format!("the answer could not be kept: {error}")))?;
        Ok(answer)
    }
}
