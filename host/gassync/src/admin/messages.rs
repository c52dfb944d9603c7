use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{AccountId, ConnectionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{dismissal::Dismissal, find::find_source, paths};

use crate::{
    app::App,
    http::{ApiError, Body, Operator, Params, Problem},
    inbound::message_crypto,
    store::{
        inbox::{self, ListedMessage, MessageKind, MessageState},
        sources::Source,
        sync_log,
    },
};

/// Default page size.
const DEFAULT_LIMIT: i64 = 50;
/// Maximum page size.
const MAX_LIMIT: i64 = 1_000;

/// A stored inbound message without its content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageResponse {
    /// Identifier.
    pub id: i64,
    /// Account.
    pub account_id: i64,
    /// Connection that received it.
    pub connection_id: i64,
    /// Its kind.
    pub kind: MessageKind,
    /// HTTP method.
    pub method: String,
    /// Path.
    pub url: String,
    /// How far it is.
    pub state: MessageState,
    /// Number of processing attempts.
    pub attempts: i64,
    /// Last error.
    pub error: Option<String>,
    /// Outcome counts, such as `1 created, 2 parked`.
    pub outcome: Option<String>,
    /// Time of receipt.
    pub received_at: Timestamp,
    /// Time of completion.
    pub finished_at: Option<Timestamp>,
}

/// A stored inbound message with its content, which may contain guest data.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageDetail {
    /// Status.
    #[serde(flatten)]
    pub message: MessageResponse,
    /// Headers without credentials.
    pub headers: Vec<(String, String)>,
    /// Body, masked; invalid UTF-8 is replaced.
    pub body: String,
}

impl From<ListedMessage> for MessageResponse {
    fn from(listed: ListedMessage) -> Self {
        Self {
            id: listed.id,
            account_id: listed.account_id,
            connection_id: listed.connection_id,
            kind: listed.kind,
            method: listed.method,
            url: listed.url,
            state: listed.state,
            attempts: listed.attempts,
            error: listed.error,
            outcome: listed.outcome,
            received_at: listed.received_at.into(),
            finished_at: listed.finished_at.map(Timestamp::from),
        }
    }
}

/// Number of messages affected.
#[derive(Debug, Serialize, Deserialize)]
pub struct CountResponse {
    /// Number of messages.
    pub count: u64,
}

#[derive(Debug, Deserialize)]
struct InboxQuery {
    state: Option<MessageState>,
    before: Option<i64>,
    limit: Option<i64>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::INBOX, get(list))
        .route(paths::MESSAGE, get(show))
        .route(paths::MESSAGE_REPLAY, post(replay))
        .route(paths::SOURCE_REPLAY_FAILED, post(replay_failed))
        .route(paths::SOURCE_DISMISS_FAILED, post(dismiss_failed))
}

async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(query): Params<InboxQuery>,
) -> Result<Json<Vec<MessageResponse>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::Malformed(format!("limit must be between 1 and {MAX_LIMIT}")).into());
    }
    let mut tx = app.db.platform_read().await?;
    let listed = inbox::list(&mut tx, query.state, query.before.unwrap_or(i64::MAX), limit).await?;
    Ok(Json(listed.into_iter().map(MessageResponse::from).collect()))
}

async fn show(State(app): State<Arc<App>>, _: Operator, Path(id): Path<i64>) -> Result<Json<MessageDetail>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let (listed, message) = inbox::find(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let request =
        message_crypto::decrypt(&app.vault, &message).map_err(|error| Problem::Conflict(error.to_string()))?;
    let body = String::from_utf8_lossy(&request.body.unwrap_or_default()).into_owned();
    Ok(Json(MessageDetail { message: listed.into(), headers: request.headers, body }))
}

/// Reprocesses a received call. Fetched answers must be fetched again instead.
async fn replay(State(app): State<Arc<App>>, _: Operator, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.platform_write().await?;
    let (listed, _) = inbox::find(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    if listed.kind != MessageKind::Call {
        let text = "only received calls can be replayed; fetch answers again with `source sync`".to_owned();
        return Err(Problem::Conflict(text).into());
    }
    inbox::replay(&mut tx, AccountId(listed.account_id), id, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::ACCEPTED)
}

fn connection_of(source: &Source) -> Result<ConnectionId, Problem> {
    let none = || Problem::Conflict("the source has no connection and receives no webhooks".to_owned());
    source.connection.ok_or_else(none)
}

/// Reprocesses all failed messages of a source's connection.
async fn replay_failed(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<CountResponse>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    let count = inbox::replay_failed(&mut tx, source.account, connection_of(&source)?, app.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(CountResponse { count }))
}

/// Dismisses all failed messages of a source's connection.
async fn dismiss_failed(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(dismissal): Body<Dismissal>,
) -> Result<Json<CountResponse>, ApiError> {
    let message = dismissal.checked()?;
    let now = app.now();
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    let outcome = format!("dismissed {message}");
    let count = inbox::dismiss_failed(&mut tx, source.account, connection_of(&source)?, &outcome, now).await?;
    let entry = sync_log::NewSyncLogLine {
        source: source.id,
        entity_type: "message",
        entity_id: "failed",
        action: sync_log::LogAction::Dismiss,
        status: sync_log::LogStatus::Success,
        message: Some(format!("{count} messages, {message}")),
    };
    sync_log::inbound(&mut tx, source.account, &[entry], now).await?;
    tx.commit().await?;
    Ok(Json(CountResponse { count }))
}
