use std::sync::Arc;

use axum::extract::FromRef;

use super::{key_cache::KeyCache, rate_limit::RateLimits, traffic::Traffic, write_coalescer::WriteCoalescer};
use crate::app::App;

/// What the handlers of the standard API share.
#[derive(Clone)]
pub struct ApiState {
    /// The host.
    pub app: Arc<App>,
    /// Records that wait for the database.
    pub(super) coalescer: Arc<WriteCoalescer>,
    /// Whose keys were seen just now.
    pub(super) keys: Arc<KeyCache>,
    /// How often keys have called.
    pub(super) rate_limits: Arc<RateLimits>,
    /// Which sources called just now.
    pub(super) traffic: Arc<Traffic>,
}

impl ApiState {
    /// Nobody has called yet.
    pub fn new(app: Arc<App>) -> Self {
        let limits = &app.config.limits;
        Self {
            rate_limits: Arc::new(RateLimits::new(limits.key_requests, limits.key_window_seconds)),
            coalescer: Arc::new(WriteCoalescer::new(Arc::clone(&app))),
            keys: Arc::default(),
            traffic: Arc::default(),
            app,
        }
    }
}

impl FromRef<ApiState> for Arc<App> {
    fn from_ref(state: &ApiState) -> Self {
        Self::clone(&state.app)
    }
}
