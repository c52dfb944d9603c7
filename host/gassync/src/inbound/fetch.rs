//! Fetches page by page: each page is committed before the next one is requested.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use gassync_domain::{
    AccountId, Calendar, Change, ChangeKind, ChannelError, ConnectionId, Entity, EntityRef, HttpRequest, HttpResponse,
    Ingested, Page, Query, ResumePoint, Selection, Timestamp,
};
use gassync_runtime::{CallError, CallRecord, Finished, HttpTransport, OutgoingRequest, SendError, Transport};
use jiff::SignedDuration;

use super::{
    apply::{self, IngestContext},
    escapes, message_crypto,
    passes::{EndlessFetch, NextStep, Passes},
    redact::{self, FieldPath},
    set_aside::{self, SetAsideOrigin},
};
use crate::{
    app::App,
    channel::{ChannelCallError, ChannelSession, plugin_state},
    credentials,
    limits::LimitedTransport,
    plugins, reconcile,
    store::{
        self, Lease, connections, inbox, source_switches,
        sources::{self, Source},
        sync_runs::{self, Counters},
    },
};

/// Longest rate-limit wait between two pages before the fetch is given up.
const MAX_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Longest wait between two pages that the plugin may ask for.
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// Number of records per outcome.
pub type OutcomeCounts = BTreeMap<Ingested, i64>;

/// Runs a query and applies its records. The run is logged, however it ends.
pub async fn run(app: &Arc<App>, source: &Source, query: Query) -> Result<OutcomeCounts, ChannelCallError> {
    ask(app, source, query).await.map(|(outcomes, _)| outcomes)
}

/// As [`run`], and returns the requested ids that the channel did not return.
pub(super) async fn ask(
    app: &Arc<App>,
    source: &Source,
    query: Query,
) -> Result<(OutcomeCounts, Vec<String>), ChannelCallError> {
    let began = app.now();
    let is_of_all_houses = query.entity == Entity::Property && query.selection == Selection::Everything;
    let mut tx = app.db.write(source.account).await?;
    let id = sync_runs::start(&mut tx, source.key(), kind(query.entity), began).await?;
    tx.commit().await?;
    let mut outcomes = OutcomeCounts::new();
    let result = all_pages(app, source, query, &mut outcomes).await;
    let mut counters = Counters::default();
    outcomes.iter().for_each(|(word, count)| counters.count(*word, *count));
    let why = result.as_ref().err().map(ToString::to_string);
    let now = app.now();
    let mut tx = app.db.write(source.account).await?;
    sync_runs::finish(&mut tx, source.account, id, (&counters, why.as_deref()), (began, now)).await?;
    // An unsupported query is not an error of the source.
    let is_trouble = !matches!(result, Err(ChannelCallError::Call(CallError::Channel(ChannelError::Unsupported))));
    if let Some(why) = why.as_ref().filter(|_| is_trouble) {
        sources::failed(&mut tx, source.key(), why, now).await?;
    }
    if result.is_ok() && is_of_all_houses {
        credentials::go_live_again(&mut tx, source, began, now).await?;
    }
    tx.commit().await?;
    result.map(|silent| (outcomes, silent))
}

fn kind(entity: Entity) -> sync_runs::SyncRunKind {
    match entity {
        Entity::Reservation | Entity::Guest => sync_runs::SyncRunKind::BookingImport,
        Entity::Calendar | Entity::Block => sync_runs::SyncRunKind::AvailabilityImport,
        Entity::Property | Entity::RoomType | Entity::RatePlan => sync_runs::SyncRunKind::ContentSync,
    }
}

async fn all_pages(
    app: &Arc<App>,
    source: &Source,
    mut query: Query,
    outcomes: &mut OutcomeCounts,
) -> Result<Vec<String>, ChannelCallError> {
    let session = ChannelSession::open(app, source)?;
    let (plugin, connection) = (&session.plugin, session.connection);
    let began = app.now();
    let mut resume: Option<ResumePoint> = None;
    let mut passes = Passes::new(&query, began);
    let mut answered: HashSet<String> = HashSet::new();
    let mut pages = 0;
    loop {
        // A page shows the state at the time of its request, not at the time it is applied.
        let observed_at = app.now();
        let (mut page, record) = match fetch(&session, query.clone()).await {
            Err(ChannelCallError::Call(CallError::Channel(ChannelError::RateLimited(Some(seconds)))))
                if pages > 0 && SignedDuration::from_secs(i64::from(seconds)) <= MAX_PAUSE =>
            {
                (app.sleep)(Duration::from_secs(u64::from(seconds))).await;
                continue;
            }
            fetched => fetched?,
        };
        let gone = leave_out_what_was_asked_for(&query, &mut page, outcomes);
        answered.extend(page.changes.iter().filter_map(answers).map(str::to_owned));
        let after = passes.take(&mut page).map_err(|EndlessFetch(why)| ChannelCallError::Endless(why))?;
        resume = latest(resume, page.resume);
        pages += 1;
        let last = !matches!(after, NextStep::NextPage | NextStep::NextPass);
        let context =
            IngestContext::from_source(source, observed_at, app.now()).with_unit_count(plugin.manifest().unit_count());
        let calendars: Vec<Calendar> = page.changes.iter().filter_map(calendar_of).collect();
        let origin = SetAsideOrigin { plugin_hash: plugin.hash(), message: None };
        let (mut tx, applied) = set_aside::apply(app, &context, &page.changes, origin).await?;
        for outcome in applied {
            *outcomes.entry(outcome.ingested()).or_default() += 1;
        }
        let when = (observed_at, context.now);
        if query.entity == Entity::Reservation {
            reconcile::reservation::handle_missing(&mut tx, source, &gone, context.now).await?;
        }
        reconcile::calendar::compare(&mut tx, source, plugin.manifest(), &calendars, when).await?;
        plugins::keep_call(&app.vault, &mut tx, (source.account, connection), (plugin, &record, None), context.now)
            .await?;
        plugin_state::save(&app.vault, &mut tx, source, record.memory, context.now).await?;
        if page.next.is_none() {
            set_aside::fetched(&mut tx, source.key(), &query, (began, context.now)).await?;
        }
        connections::reset_refusals(&mut tx, source.account, connection).await?;
        if last && !matches!(query.selection, Selection::Some(_)) {
            // Calendars by date and queues have no sync cursor.
            let is_of_all = query.property_id.is_none() && query.room_type_id.is_none();
            let goes_on =
                matches!(query.selection, Selection::Everything | Selection::ChangedSince(_) | Selection::After(_));
            if after != NextStep::Whole {
                tracing::warn!(source = %source.id, ?after, "fetch incomplete; the next one restarts from the same cursor");
            } else if goes_on && is_of_all {
                move_resume_point(&mut tx, source, query.entity, resume.take(), (began, context.now)).await?;
            }
            sources::synced(&mut tx, source.key(), context.now).await?;
        } else if last {
            source_switches::record_channel_call(&mut tx, source.key(), true, context.now).await?;
        }
        tx.commit().await?;
        app.facts.notify_one();
        app.wake.notify_waiters();
        if last {
            return Ok(silent(&query, &answered));
        }
        query.cursor = page.next;
        if let Some(seconds) = page.wait_seconds {
            let wait = SignedDuration::from_secs(i64::from(seconds)).min(MAX_WAIT);
            (app.sleep)(wait.unsigned_abs()).await;
        }
    }
}

/// The id of the record that a change returns for a query by ids.
fn answers(change: &Change) -> Option<&str> {
    match &change.data {
        ChangeKind::Unreadable(unreadable) => unreadable.id.as_deref(),
        _ => apply::external_id(change),
    }
}

/// The requested ids that were not returned.
fn silent(query: &Query, answered: &HashSet<String>) -> Vec<String> {
    let Selection::Some(ids) = &query.selection else { return Vec::new() };
    ids.iter().filter(|id| !answered.contains(*id)).cloned().collect()
}

fn calendar_of(change: &Change) -> Option<Calendar> {
    match &change.data {
        ChangeKind::Calendar(calendar) => Some(calendar.clone()),
        _ => None,
    }
}

/// Drops hints for requested ids that no longer exist, since a second request would return the same. Removed blocks release
/// their nights; anything else is left to an operator. Returns their ids.
fn leave_out_what_was_asked_for(query: &Query, page: &mut Page, outcomes: &mut OutcomeCounts) -> Vec<String> {
    let Selection::Some(ids) = &query.selection else { return Vec::new() };
    let is_gone = |change: &mut Change| {
        let ChangeKind::Removed(EntityRef { entity, id }) = &change.data else { return false };
        *entity != Entity::Block && *entity == query.entity && ids.contains(id)
    };
    let id_of = |change: Change| match change.data {
        ChangeKind::Removed(EntityRef { id, .. }) => Some(id),
        _ => None,
    };
    let gone: Vec<String> = page.changes.extract_if(.., is_gone).filter_map(id_of).collect();
    if !gone.is_empty() {
        *outcomes.entry(Ingested::Gone).or_default() += i64::try_from(gone.len()).unwrap_or(i64::MAX);
    }
    gone
}

/// The selection of a poll, given the last cursor. A cursor in the future is not trusted.
pub fn since(resume: Option<ResumePoint>, overlap_seconds: u32, now: Timestamp) -> Selection {
    let overlap = SignedDuration::from_secs(i64::from(overlap_seconds));
    match resume {
        Some(ResumePoint::Token(token)) => Selection::After(token),
        Some(ResumePoint::Instant(instant)) if instant > now => Selection::Everything,
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
    let known = sources::resume_point(tx, source.key(), entity.as_str()).await?;
    // Records may carry future times: anything changed after the first request belongs to the next run.
    let resume = resume.map(|point| match point {
        ResumePoint::Instant(instant) => ResumePoint::Instant(instant.min(began)),
        token @ ResumePoint::Token(_) => token,
    });
    // A channel without a cursor starts from our clock; without new records the cursor stays.
    match resume.or_else(|| known.is_none().then_some(ResumePoint::Instant(began))) {
        Some(point) => sources::set_resume_point(tx, source.key(), (entity.as_str(), &point), now).await,
        None => Ok(()),
    }
}

/// The latest cursor: pages are not ordered by time, and a token replaces any other.
fn latest(known: Option<ResumePoint>, page: Option<ResumePoint>) -> Option<ResumePoint> {
    match (&known, &page) {
        (Some(ResumePoint::Instant(a)), Some(ResumePoint::Instant(b))) if a > b => known,
        _ => page.or(known),
    }
}

async fn fetch(session: &ChannelSession<'_>, query: Query) -> Result<(Page, CallRecord), ChannelCallError> {
    let ChannelSession { app, source, connection, plugin } = session;
    let transport = KeepingTransport {
        app: Arc::clone(app),
        network: session.network()?,
        account: source.account,
        connection: *connection,
        sensitive: plugin.manifest().sensitive.clone(),
    };
    let id = format!("fetch-{}-{}", source.id, query.entity.as_str());
    let (call, secrets, place) = session.call(id, Arc::new(transport)).await?;
    let Finished { result, record } = plugin.fetch(call, query).await;
    drop(place);
    match result {
        Ok(page) => Ok((page, record)),
        Err(error) => Err(session.failed(error, record, secrets).await?),
    }
}

/// Masks and stores each response before the plugin sees it: some channels treat a fetch as an acknowledgement.
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
        // With placeholders: any part of the filled request may be a secret.
        let (method, url) = (request.method.clone(), request.shown.clone());
        let mut answer = self.network.send(request).await?;
        let paths: Vec<FieldPath<'_>> = self.sensitive.iter().map(|text| FieldPath::parse(text)).collect();
        answer.body = redact::mask(std::mem::take(&mut answer.body), &paths);
        let kept = HttpRequest { method, url, headers: answer.headers.clone(), body: Some(answer.body.clone()) };
        let keep = async {
            let now = self.app.now();
            let mut tx = self.app.db.write(self.account).await?;
            let place = (self.account, self.connection);
            message_crypto::keep(
                &self.app.vault,
                &mut tx,
                place,
                inbox::MessageKind::Answer,
                &kept,
                Lease { now, until: now },
            )
            .await?;
            tx.commit().await
        };
        keep.await.map_err(|error| SendError::Connect(format!("the answer could not be kept: {error}")))?;
        answer.body = escapes::mend(answer.body, &answer.headers);
        Ok(answer)
    }
}
