//! Deletes a source; returns the affected data before and after.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};

pub use dto::{NewRemoval, RemovalResponse};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator},
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_DELETE, post(remove))
}

async fn remove(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewRemoval>,
) -> Result<Json<RemovalResponse>, ApiError> {
    service::remove(&app, &find_source(&app, &name).await?, new).await.map(Json)
}
