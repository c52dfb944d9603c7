//! Liveness and readiness.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use super::ApiState;
use crate::{
    app::App,
    http::{ApiError, Problem},
    store,
};

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/livez", get(livez)).route("/healthz", get(livez)).route("/readyz", get(readyz))
}

/// Liveness: this process answers.
async fn livez() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Readiness: the database answers and has the expected schema version.
async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let mut tx = app.db.platform_read().await.map_err(|_| Problem::Unavailable)?;
    store::status::ping(&mut tx).await.map_err(|_| Problem::Unavailable)?;
    drop(tx);
    app.db.check_version().await.map_err(|_| Problem::Unavailable)?;
    Ok(Json(json!({ "status": "ok", "plugins": app.plugins.all().len() })))
}
