//! Outbound status of channels and their push settings: `dto` holds the bodies, `service` what is done.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{CoreId, PushSettings};

pub use dto::{BookingSyncResponse, NewPush, OutboundAgeResponse, PushResponse, RejectedNightsResponse};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator},
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::SOURCE_AGE, get(age))
        .route(paths::SOURCE_BOOKINGS, get(of_source))
        .route(paths::SOURCE_PUSHING, get(rules).post(set_rules))
        .route(paths::SOURCE_PUSH, post(push))
        .route(paths::BOOKING_CHANNELS, get(of_booking))
}

async fn age(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<OutboundAgeResponse>, ApiError> {
    service::age(&app, &find_source(&app, &name).await?).await.map(Json)
}

async fn of_source(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Vec<BookingSyncResponse>>, ApiError> {
    service::of_source(&app, &find_source(&app, &name).await?).await.map(Json)
}

async fn of_booking(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<i64>,
) -> Result<Json<Vec<BookingSyncResponse>>, ApiError> {
    service::of_booking(&app, CoreId(id)).await.map(Json)
}

async fn rules(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<PushSettings>, ApiError> {
    service::rules(&app, &find_source(&app, &name).await?).await.map(Json)
}

async fn set_rules(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(pushing): Body<PushSettings>,
) -> Result<StatusCode, ApiError> {
    service::set_rules(&app, &find_source(&app, &name).await?, &pushing).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pushes unconfirmed nights now, or all nights.
async fn push(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewPush>,
) -> Result<(StatusCode, Json<PushResponse>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(service::push(&app, &find_source(&app, &name).await?, new).await?)))
}
