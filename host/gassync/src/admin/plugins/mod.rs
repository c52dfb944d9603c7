//! Plugins: `dto` holds the bodies, `service` what is done.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_runtime::MAX_COMPONENT_BYTES;

pub use dto::{
    Grants, InstalledPlugin, PermissionList, PluginAct, PluginDetail, PluginResponse, PluginState,
    PluginVersionResponse, VersionState,
};

use super::paths;
use crate::{
    app::App,
    http::{ApiError, Body, Operator, PathParams},
};

pub(super) fn router() -> Router<Arc<App>> {
    let component = DefaultBodyLimit::max(MAX_COMPONENT_BYTES);
    Router::new()
        .route(paths::PLUGINS, get(list).post(install).layer(component))
        .route(paths::PLUGIN, get(show))
        .route(paths::PLUGIN_GRANT, post(grant))
        .route(paths::PLUGIN_ACT, post(act))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<PluginResponse>>, ApiError> {
    service::list(&app).await.map(Json)
}

async fn show(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Json<PluginDetail>, ApiError> {
    service::show(&app, &id).await.map(Json)
}

async fn install(
    State(app): State<Arc<App>>,
    _: Operator,
    component: Bytes,
) -> Result<(StatusCode, Json<InstalledPlugin>), ApiError> {
    Ok((StatusCode::CREATED, Json(service::install(&app, component.to_vec()).await?)))
}

async fn grant(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(id): Path<String>,
    Body(grants): Body<Grants>,
) -> Result<Json<PluginVersionResponse>, ApiError> {
    service::grant(&app, &id, grants).await.map(Json)
}

async fn act(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams((id, act)): PathParams<(String, PluginAct)>,
) -> Result<StatusCode, ApiError> {
    service::act(&app, &id, act).await?;
    Ok(StatusCode::NO_CONTENT)
}
