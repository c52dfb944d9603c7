//! Records set aside: list, show, retry, dismiss.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{Entity, Timestamp};
use gassync_runtime::Interface;
use serde::{Deserialize, Serialize};

use super::{dismissal::Dismissal, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Problem},
    inbound::set_aside,
    schedule,
    store::set_aside::{self as rows, SetAside},
};

/// A record set aside, without its content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAsideResponse {
    /// The id of the row.
    pub id: i64,
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source: String,
    /// `reservation`, `block`, and so on.
    pub entity: Entity,
    /// The channel's id, if known.
    pub external_id: Option<String>,
    /// Position in the record, and what was expected there.
    pub problem: String,
    /// The message that contained it, if any.
    pub message_id: Option<i64>,
    /// Number of times it was seen.
    pub count: i64,
    /// Time of the first sighting.
    pub first_seen_at: Timestamp,
    /// Time of the last sighting.
    pub last_seen_at: Timestamp,
    /// Time of the last retry.
    pub retried_at: Option<Timestamp>,
}

/// A record set aside with its raw content, which may contain guest data.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetAsideDetail {
    /// The record without its content.
    #[serde(flatten)]
    pub record: SetAsideResponse,
    /// The raw record.
    pub raw: Option<String>,
}

impl From<SetAside> for SetAsideResponse {
    fn from(row: SetAside) -> Self {
        Self {
            id: row.id,
            account_id: row.account_id,
            source: row.source_name,
            entity: row.entity,
            external_id: row.external_id,
            problem: row.problem,
            message_id: row.inbox_id,
            count: row.times_seen,
            first_seen_at: row.first_seen_at.into(),
            last_seen_at: row.last_seen_at.into(),
            retried_at: row.retried_at.map(Timestamp::from),
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::SET_ASIDE, get(list))
        .route(paths::SET_ASIDE_RECORD, get(show))
        .route(paths::SET_ASIDE_RETRY, post(retry))
        .route(paths::SET_ASIDE_DISMISS, post(dismiss))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<SetAsideResponse>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    Ok(Json(rows::waiting(&mut tx).await?.into_iter().map(SetAsideResponse::from).collect()))
}

async fn show(State(app): State<Arc<App>>, _: Operator, Path(id): Path<i64>) -> Result<Json<SetAsideDetail>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let (row, raw) = rows::find(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    Ok(Json(SetAsideDetail { record: row.into(), raw }))
}

async fn retry(State(app): State<Arc<App>>, _: Operator, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    let mut tx = app.db.platform_write().await?;
    let (row, _) = rows::find(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    let plugin = app.plugins.get(&row.channel);
    let pulls = plugin.is_some_and(|plugin| plugin.exports().contains(&Interface::Pull));
    if !schedule::retry_set_aside(&mut tx, &row, pulls, app.now()).await? {
        let text = "its message has expired, and the channel does not support fetching records".to_owned();
        return Err(Problem::Conflict(text).into());
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::ACCEPTED)
}

async fn dismiss(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<i64>,
    Body(dismissal): Body<Dismissal>,
) -> Result<StatusCode, ApiError> {
    dismissal.checked()?;
    let mut tx = app.db.platform_write().await?;
    let (row, _) = rows::find(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    set_aside::dismiss(&mut tx, &row, (dismissal.by.trim(), dismissal.why.trim()), app.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
