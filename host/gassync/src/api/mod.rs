//! The standard API: what partners program against.

mod caller;
mod health;
mod openapi;
mod page;
mod problem;
mod properties;
mod records;
mod reservations;
mod room_types;

use std::sync::Arc;

use axum::Router;

pub use caller::{Caller, Operator};
pub use problem::{ApiError, Problem};

use crate::app::App;

/// All of it.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(properties::router())
        .merge(room_types::router())
        .merge(reservations::router())
        .merge(health::router())
        .merge(openapi::router())
        .merge(problem::router())
}

/// Nothing is there.
pub async fn not_found() -> ApiError {
    Problem::NotFound.into()
}
