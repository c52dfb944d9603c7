//! Alarms: conditions that need an operator, with the command that remedies them.

mod dto;
mod service;

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};

pub use dto::{Alarm, AlarmKind};
pub(super) use service::all;

use super::paths;
use crate::{
    app::App,
    http::{ApiError, Operator},
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::ALARMS, get(list))
}

async fn list(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Vec<Alarm>>, ApiError> {
    all(&app).await.map(Json)
}
