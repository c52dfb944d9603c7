//! Operations on subscriptions, shared by the partner and the operator endpoints.

use std::sync::Arc;

use axum::http::StatusCode;
use gassync_domain::{
    AccountId, DeliveryId, EventFilter, EventName, FieldError, RunId, SourceKey, Timestamp, WebhookId, is_plausible,
    utc_day,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::{Builder, Uuid};

use super::{
    ReplayPlan, ReplayRequest, Requester, WebhookChange, WebhookResponse, fan_out, message::message_id, replay,
    subscription,
};
use crate::{
    app::App,
    http::{ApiError, ListPage, PageQuery, Problem, instant},
    schedule::Deliver,
    store::{
        queue::{self, JobState, RunState},
        webhooks::{self, AttemptRow, Delivery, DeliveryQuery, Webhook},
    },
};

/// Event name of test messages.
const TEST: &str = "webhook.test";
/// Maximum deliveries to scan for one page of an event filter.
const MAX_SCANNED: usize = 5_000;
/// Deliveries to read at once while scanning.
const SCAN_BATCH: i64 = 500;

gassync_domain::words! {
    /// Where a delivery stands.
    #[derive(ToSchema)]
    pub enum DeliveryState {
        /// It waits, or is in flight.
        Waiting = "waiting",
        /// The subscriber received it.
        Delivered = "delivered",
        /// All attempts failed.
        Dead = "dead",
        /// Superseded or discarded.
        Cancelled = "cancelled",
    }
}

/// A delivery is a job.
const STATES: [(DeliveryState, JobState); 4] = [
    (DeliveryState::Waiting, JobState::Waiting),
    (DeliveryState::Delivered, JobState::Done),
    (DeliveryState::Dead, JobState::Dead),
    (DeliveryState::Cancelled, JobState::Cancelled),
];

/// Filter of deliveries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilter {
    /// `waiting`, `delivered`, `dead` (all attempts failed) or `cancelled` (superseded or discarded).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<DeliveryState>,
    /// Enqueued at or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "instant")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Event name of either form, `reservation.*` for all of a kind, or `webhook.test`. With this filter a page may be
    /// short or empty and still have a `nextCursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// The delivery of one message. The message body is not stored.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryResponse {
    /// Identifier.
    #[schema(example = 4711)]
    pub id: i64,
    /// The `webhook-id` of the message, the same for all attempts and replays. Null if its event has expired.
    #[schema(example = "msg_5d1b2c7f9e0a4c3b8f6d2e1a7c9b0d4e")]
    pub message_id: Option<String>,
    /// Event name, such as `reservation.created`. Null if the event has expired.
    #[serde(rename = "type")]
    #[schema(example = "reservation.created")]
    pub kind: Option<String>,
    /// The other name of the event.
    #[schema(example = "booking.confirmed")]
    pub event: Option<String>,
    /// Sequence number of the event in the change feed. Null for a test.
    #[schema(example = 1043)]
    pub sequence: Option<i64>,
    /// Identifier of the core entity; for events about nights, of the unit.
    #[schema(example = 31)]
    pub gas_id: Option<i64>,
    /// `waiting`, `delivered`, `dead` or `cancelled`.
    #[schema(example = "delivered")]
    pub state: DeliveryState,
    /// Number of attempts. Responses 429, 502 and 504 are not counted during the first day.
    #[schema(example = 1)]
    pub attempts: i64,
    /// Time of the next attempt. Null if none is planned.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why the delivery is deferred.
    #[schema(example = "it answered 500")]
    pub why: Option<String>,
    /// Time of enqueueing.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Time of completion.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// One delivery attempt.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAttempt {
    /// Attempt number, from 1.
    #[schema(example = 1)]
    pub attempt: i64,
    /// Start time.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Duration in milliseconds.
    #[schema(example = 84)]
    pub duration_ms: i64,
    /// HTTP status of the response. Null if there was no response.
    #[schema(example = 500)]
    pub status: Option<i64>,
    /// Why there was no response: `timeout`, `connect`, `tls` or `address` (address not allowed).
    pub error_kind: Option<String>,
    /// Excerpt of the response body with the values of the extra headers redacted. Null if the body is empty, and
    /// always null for `full` payloads.
    #[schema(example = "Internal Server Error")]
    pub answer: Option<String>,
}

/// A delivery with its attempts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDetail {
    /// Summary, as in lists.
    #[serde(flatten)]
    pub delivery: DeliveryResponse,
    /// All attempts, oldest first.
    pub attempt_history: Vec<DeliveryAttempt>,
}

/// A message that was enqueued.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueuedMessage {
    /// The `webhook-id` of the message.
    #[schema(example = "msg_5d1b2c7f9e0a4c3b8f6d2e1a7c9b0d4e")]
    pub message_id: String,
}

/// Progress of a replay run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayResponse {
    /// Identifier.
    #[schema(example = 12)]
    pub id: i64,
    /// `running`, `done` or `cancelled`.
    #[schema(example = "running")]
    pub state: RunState,
    /// Number of messages in the run.
    #[schema(example = 240)]
    pub messages: i64,
    /// Messages waiting or in flight.
    #[schema(example = 38)]
    pub waiting: i64,
    /// Messages delivered.
    #[schema(example = 202)]
    pub delivered: i64,
    /// Messages that failed all attempts.
    #[schema(example = 0)]
    pub dead: i64,
    /// Messages discarded because the run was cancelled or another replay superseded them.
    #[schema(example = 0)]
    pub cancelled: i64,
}

impl From<Delivery> for DeliveryResponse {
    fn from(delivery: Delivery) -> Self {
        let name = event_name(&delivery);
        let is_test = delivery.sequence.is_none();
        let (kind, event) = match name {
            _ if is_test => (Some(TEST.to_owned()), Some(TEST.to_owned())),
            name => name.map(|name| (name.record.into_owned(), name.event.into_owned())).unzip(),
        };
        let state =
            STATES.iter().find(|(_, job)| *job == delivery.state).map_or(DeliveryState::Waiting, |(shown, _)| *shown);
        let waits = state == DeliveryState::Waiting;
        let pause = delivery.paused_until.filter(|until| waits && *until > delivery.run_at);
        Self {
            id: delivery.id.0,
            message_id: match delivery.sequence {
                Some(sequence) => delivery.happened_at.map(|at| {
                    message_id(&delivery.installation, AccountId(delivery.account_id), (sequence, at.into()))
                }),
                None => Deliver::test_id_in(&delivery.payload),
            },
            kind,
            event,
            sequence: delivery.sequence,
            gas_id: delivery.entity_id,
            state,
            attempts: delivery.attempts,
            next_attempt_at: waits.then(|| pause.unwrap_or(delivery.run_at).into()),
            why: delivery.error.or(delivery.pause_reason.filter(|_| pause.is_some())),
            created_at: delivery.created_at.into(),
            finished_at: delivery.finished_at.map(Timestamp::from),
        }
    }
}

fn event_name(delivery: &Delivery) -> Option<EventName> {
    Some(EventName::of(delivery.entity_type.as_deref()?, delivery.action.as_deref()?, delivery.status.as_deref()))
}

impl From<AttemptRow> for DeliveryAttempt {
    fn from(tried: AttemptRow) -> Self {
        Self {
            attempt: tried.attempt,
            at: tried.at.into(),
            duration_ms: tried.duration_ms,
            status: tried.status,
            error_kind: tried.error_kind,
            answer: tried.answer,
        }
    }
}

impl From<queue::RunProgress> for ReplayResponse {
    fn from(run: queue::RunProgress) -> Self {
        Self {
            id: run.id.0,
            state: run.reached(),
            messages: run.jobs,
            waiting: run.waiting,
            delivered: run.done,
            dead: run.dead,
            cancelled: run.cancelled,
        }
    }
}

/// Finds a subscription of this source.
pub async fn find_for_source(
    app: &App,
    SourceKey { account, source }: SourceKey,
    id: WebhookId,
) -> Result<Webhook, ApiError> {
    let mut tx = app.db.read(account).await?;
    let webhook = webhooks::get(&mut tx, account, id).await?.filter(|webhook| webhook.source == source);
    Ok(webhook.ok_or(Problem::NotFound)?)
}

/// Finds any subscription, for operators.
pub async fn find_any(app: &App, id: WebhookId) -> Result<Webhook, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let account = webhooks::account_of(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(webhooks::get(&mut tx, account, id).await?.ok_or(Problem::NotFound)?)
}

/// Shows a subscription.
pub async fn show(app: &App, webhook: &Webhook) -> Result<WebhookResponse, ApiError> {
    let mut tx = app.db.read(webhook.account).await?;
    subscription::show(app, &mut tx, webhook).await
}

/// Changes a subscription.
pub async fn change(
    app: &Arc<App>,
    by: Requester<'_>,
    webhook: Webhook,
    change: WebhookChange,
) -> Result<WebhookResponse, ApiError> {
    let shown = subscription::change(app, by, webhook, change).await?;
    // Other subscribers may listen for the disabled event.
    app.facts.notify_one();
    Ok(shown)
}

/// Deletes a subscription.
pub async fn delete(app: &Arc<App>, webhook: &Webhook) -> Result<StatusCode, ApiError> {
    subscription::delete(app, webhook).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enqueues a test message.
pub async fn test(app: &App, webhook: &Webhook) -> Result<QueuedMessage, ApiError> {
    ensure_deliverable(webhook)?;
    let mut tx = app.db.write(webhook.account).await?;
    let message_id = replay::enqueue_test(&mut tx, webhook, new_id(app), app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(QueuedMessage { message_id })
}

/// A page of deliveries, newest first.
pub async fn list_deliveries(
    app: &App,
    webhook: &Webhook,
    filter: &DeliveryFilter,
    page: &PageQuery,
) -> Result<ListPage<DeliveryResponse>, ApiError> {
    let cursor = page.to_cursor()?;
    let wants = match &filter.event {
        Some(event) if event != TEST => Some(EventFilter::parse(vec![event.clone()]).map_err(|_| {
            let text = format!("in the query: event: {event} is not a known event");
            Problem::Malformed(text)
        })?),
        _ => None,
    };
    let fits = |delivery: &Delivery| match (&wants, &filter.event) {
        (Some(wants), _) => event_name(delivery).is_some_and(|name| wants.wants(&name)),
        (None, Some(_)) => delivery.sequence.is_none(),
        (None, None) => true,
    };
    let mut query = DeliveryQuery {
        state: filter.state.and_then(|asked| STATES.iter().find(|(shown, _)| *shown == asked)).map(|(_, job)| *job),
        since: filter.since,
        before: Some(cursor.after).filter(|before| *before > 0),
    };
    let batch = if filter.event.is_some() { SCAN_BATCH } else { cursor.limit };
    let (mut found, mut scanned) = (Vec::new(), 0);
    let limit = usize::try_from(cursor.limit).unwrap_or_default();
    let mut tx = app.db.read(webhook.account).await?;
    loop {
        let rows = webhooks::deliveries(&mut tx, webhook.key(), webhook.id, &query, batch).await?;
        let (count, last) = (rows.len(), rows.last().map(|row| row.id.0));
        scanned += count;
        found.extend(rows.into_iter().filter(fits));
        let is_all = i64::try_from(count).is_ok_and(|count| count < batch);
        if is_all || found.len() >= limit {
            break;
        }
        query.before = last;
        if scanned >= MAX_SCANNED {
            let next_cursor = last.map(PageQuery::cursor);
            return Ok(ListPage {
                data: found.into_iter().map(DeliveryResponse::from).collect(),
                next_cursor,
                has_more: true,
            });
        }
    }
    Ok(ListPage::cut(found, cursor, |delivery| delivery.id.0, DeliveryResponse::from))
}

/// One delivery with its attempts.
pub async fn delivery(app: &App, webhook: &Webhook, id: DeliveryId) -> Result<DeliveryDetail, ApiError> {
    let mut tx = app.db.read(webhook.account).await?;
    let delivery = webhooks::delivery(&mut tx, webhook.key(), webhook.id, id).await?.ok_or(Problem::NotFound)?;
    let attempts = webhooks::attempts_of(&mut tx, webhook.account, id).await?;
    Ok(DeliveryDetail {
        delivery: delivery.into(),
        attempt_history: attempts.into_iter().map(DeliveryAttempt::from).collect(),
    })
}

/// Enqueues one message again, whatever its outcome.
pub async fn redeliver(app: &App, webhook: &Webhook, id: DeliveryId) -> Result<QueuedMessage, ApiError> {
    let mut tx = app.db.write(webhook.account).await?;
    let delivery = webhooks::delivery(&mut tx, webhook.key(), webhook.id, id).await?.ok_or(Problem::NotFound)?;
    ensure_deliverable(webhook)?;
    if !replay::redeliver(&mut tx, webhook, &delivery, app.now()).await? {
        let why = match (delivery.sequence, delivery.state) {
            (_, JobState::Waiting) => "the message is waiting or in flight",
            (None, _) => "a test message cannot be replayed: send another one",
            _ => "its event has expired",
        };
        return Err(Problem::Conflict(why.to_owned()).into());
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(QueuedMessage { message_id: DeliveryResponse::from(delivery).message_id.unwrap_or_default() })
}

/// Replays all matching messages, or returns the plan.
pub async fn replay(
    app: &App,
    webhook: &Webhook,
    request: &ReplayRequest,
) -> Result<(StatusCode, ReplayPlan), ApiError> {
    check_range(request)?;
    if !request.dry_run {
        ensure_deliverable(webhook)?;
    }
    let now = app.now();
    // Scan before opening the write transaction: it takes a while, and SQLite has one writer.
    let mut tx = app.db.read(webhook.account).await?;
    let (mut plan, places) = replay::plan(&mut tx, webhook, request, now).await?.map_err(Problem::Invalid)?;
    drop(tx);
    if request.dry_run || places.is_empty() {
        return Ok((StatusCode::OK, plan));
    }
    let mut tx = app.db.write(webhook.account).await?;
    // The subscription may have been deleted meanwhile.
    let webhook = webhooks::get(&mut tx, webhook.account, webhook.id).await?.ok_or(Problem::NotFound)?;
    ensure_deliverable(&webhook)?;
    plan.run = Some(replay::enqueue_replay(&mut tx, &webhook, (request, &places), now).await?.0);
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok((StatusCode::ACCEPTED, plan))
}

/// Progress of a replay run.
pub async fn replay_progress(app: &App, webhook: &Webhook, run: RunId) -> Result<ReplayResponse, ApiError> {
    let mut tx = app.db.read(webhook.account).await?;
    if !webhooks::has_run(&mut tx, webhook.account, webhook.id, run).await? {
        return Err(Problem::NotFound.into());
    }
    Ok(queue::run_progress(&mut tx, run).await?.ok_or(Problem::NotFound)?.into())
}

/// Cancels a replay run: waiting messages are discarded, messages in flight complete.
pub async fn cancel_replay(app: &App, webhook: &Webhook, run: RunId) -> Result<ReplayResponse, ApiError> {
    let mut tx = app.db.write(webhook.account).await?;
    if !webhooks::has_run(&mut tx, webhook.account, webhook.id, run).await? {
        return Err(Problem::NotFound.into());
    }
    queue::cancel_run(&mut tx, run, app.now()).await?;
    let run = queue::run_progress(&mut tx, run).await?.ok_or(Problem::NotFound)?;
    tx.commit().await?;
    Ok(run.into())
}

fn ensure_deliverable(webhook: &Webhook) -> Result<(), Problem> {
    if fan_out::is_stopped(webhook) {
        let why = format!("the source of the subscription is {}: connect it first", webhook.source_status);
        return Err(Problem::Conflict(why));
    }
    if webhook.is_active {
        return Ok(());
    }
    let why = webhook.status_reason.as_deref().unwrap_or("unknown reason");
    Err(Problem::Conflict(format!("the subscription is disabled ({why}): enable it first")))
}

/// Rejects instants beyond the range of the databases.
fn check_range(request: &ReplayRequest) -> Result<(), Problem> {
    let far = |at: Timestamp| !is_plausible(utc_day(at));
    let mut errors = Vec::new();
    for (path, at) in [("/since", Some(request.since)), ("/until", request.until)] {
        if at.is_some_and(far) {
            errors.push(FieldError::new(path, "must lie between the years 1900 and 2999"));
        }
    }
    if request.until.is_some_and(|until| until <= request.since) {
        errors.push(FieldError::new("/until", "must be after since"));
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::Invalid(errors)) }
}

fn new_id(app: &App) -> Uuid {
    let mut bytes = [0; 16];
    (app.random)(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid()
}
