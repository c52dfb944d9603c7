//! The standard API for partners.

mod admission;
mod availability;
mod changes;
mod core_events;
mod decisions;
mod guests;
mod health;
mod ingest;
mod key_cache;
mod lenient;
mod openapi;
mod properties;
mod rate_limit;
mod rate_plans;
mod records;
mod reservations;
mod room_types;
mod state;
mod storable;
mod submission;
mod sync;
mod traffic;
mod webhook_deliveries;
mod webhook_messages;
mod webhooks;
mod write_coalescer;

use std::sync::Arc;

use axum::{Router, middleware};

pub use state::ApiState;

use crate::{
    app::App,
    http::{ApiError, Problem, problem},
};

/// All routes: those behind authentication, and the public ones.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let state = ApiState::new(Arc::clone(app));
    let keyed = Router::new()
        .merge(properties::router())
        .merge(room_types::router())
        .merge(rate_plans::router())
        .merge(reservations::router())
        .merge(decisions::router())
        .merge(availability::router())
        .merge(guests::router())
        .merge(changes::router())
        .merge(sync::router())
        .merge(core_events::router())
        .merge(webhooks::router())
        .merge(webhook_deliveries::router())
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(middleware::from_fn_with_state(state.clone(), admission::authenticate));
    Router::new()
        .merge(keyed)
        .merge(health::router())
        .merge(openapi::router())
        .merge(problem::router())
        .with_state(state)
}

/// Fallback for unknown paths.
pub async fn not_found() -> ApiError {
    Problem::NotFound.into()
}

/// Fallback for wrong methods.
pub async fn method_not_allowed() -> ApiError {
    Problem::MethodNotAllowed.into()
}
