//! The standard API: what partners program against.

mod availability;
mod body;
mod caller;
mod changes;
mod core_events;
mod decisions;
mod guests;
mod health;
mod keepable;
mod lenient;
mod openapi;
mod page;
mod params;
mod problem;
mod properties;
mod rate_plans;
mod records;
mod reservations;
mod room_types;
pub mod scope;
mod submission;
mod sync;
mod taking;
mod together;
mod traffic;
mod webhook_deliveries;
mod webhook_messages;
mod webhooks;

use std::sync::Arc;

use axum::{Router, middleware};

pub(crate) use body::{Body, MaybeBody};
pub use caller::{Caller, KnownKeys, Operator};
pub(crate) use page::{Page, PageQuery};
pub(crate) use params::{Numbers, Params, instant};
pub use problem::{ApiError, Problem};
pub use together::Together;
pub use traffic::Traffic;

use crate::app::App;

/// All of it: what needs a key behind one door, and what does not.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
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
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), caller::admit));
    Router::new().merge(keyed).merge(health::router()).merge(openapi::router()).merge(problem::router())
}

/// Nothing is there.
pub async fn not_found() -> ApiError {
    Problem::NotFound.into()
}

/// The path takes another method.
pub async fn method_not_allowed() -> ApiError {
    Problem::MethodNotAllowed.into()
}
