//! Operator control of sources: pause, disable, resume, sync direction, poll interval, settings. `dto` holds the bodies,
//! `service` what is done.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, patch, post},
};

pub use dto::{MAX_POLL_MINUTES, NewPoll, NewSettings, NewSwitches, SettingsChange, SourceRun, StatusChange, Switches};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator},
    store::sources::SourceState,
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::SOURCE_PAUSE, post(pause))
        .route(paths::SOURCE_DISABLE, post(disable))
        .route(paths::SOURCE_RESUME, post(resume))
        .route(paths::SOURCE_SWITCHES, get(switches).patch(set_switches))
        .route(paths::SOURCE_POLL, post(set_poll))
        .route(paths::SOURCE_SETTINGS, patch(set_settings))
        .route(paths::SOURCE_RUNS, get(runs))
}

/// Pauses a source: no fetches and no pushes; incoming webhooks are still applied.
async fn pause(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::halt(&app, &source, SourceState::Paused).await.map(Json)
}

/// Disables a source: nothing is applied or pushed; incoming webhooks are stored until it is resumed.
async fn disable(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::halt(&app, &source, SourceState::Disabled).await.map(Json)
}

async fn resume(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<StatusChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::resume(&app, &source).await.map(Json)
}

async fn switches(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Switches>, ApiError> {
    let source = find_source(&app, &name).await?;
    Ok(Json(service::shown(&source)))
}

async fn set_switches(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewSwitches>,
) -> Result<Json<Switches>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::set_switches(&app, &source, new).await.map(Json)
}

async fn set_poll(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewPoll>,
) -> Result<Json<Switches>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::set_poll(&app, &source, new).await.map(Json)
}

async fn set_settings(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewSettings>,
) -> Result<Json<SettingsChange>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::set_settings(&app, &source, new).await.map(Json)
}

async fn runs(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Vec<SourceRun>>, ApiError> {
    let source = find_source(&app, &name).await?;
    service::runs(&app, &source).await.map(Json)
}
