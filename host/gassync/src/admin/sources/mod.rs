//! Sources: `dto` holds the bodies, `service` what is done.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::Authority;

pub use dto::{
    ConnectResponse, CreatedSource, CredentialResponse, DisconnectResponse, FailingPollResponse,
    InboundWebhookResponse, NewCredentials, NewSourceRequest, SourceDetail, SourceResponse,
};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator},
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::SOURCES, get(list).post(create))
        .route(paths::SOURCE, get(show))
        .route(paths::SOURCE_CONNECT, post(connect))
        .route(paths::SOURCE_DISCONNECT, post(disconnect))
        .route(paths::SOURCE_AUTHORITY, post(set_authority))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<SourceResponse>>, ApiError> {
    service::list(&app).await.map(Json)
}

async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Body(new): Body<NewSourceRequest>,
) -> Result<(StatusCode, Json<CreatedSource>), ApiError> {
    Ok((StatusCode::CREATED, Json(service::create(&app, new).await?)))
}

async fn show(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<SourceDetail>, ApiError> {
    service::show(&app, &find_source(&app, &name).await?).await.map(Json)
}

/// Reconnects a source that has expired, was disconnected, or waits for consent.
async fn connect(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewCredentials>,
) -> Result<Json<ConnectResponse>, ApiError> {
    service::connect(&app, &find_source(&app, &name).await?, new).await.map(Json)
}

async fn disconnect(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<DisconnectResponse>, ApiError> {
    service::disconnect(&app, &find_source(&app, &name).await?).await.map(Json)
}

async fn set_authority(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(authority): Body<Authority>,
) -> Result<StatusCode, ApiError> {
    service::set_authority(&app, &find_source(&app, &name).await?, authority).await?;
    Ok(StatusCode::NO_CONTENT)
}
