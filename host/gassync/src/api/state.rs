use std::sync::Arc;

use axum::extract::FromRef;

use super::{key_cache::KeyCache, rate_limit::RateLimits, traffic::Traffic, write_coalescer::WriteCoalescer};
use crate::app::App;

/// Shared state of the standard API handlers.
#[derive(Clone)]
pub struct ApiState {
    /// The host.
    pub app: Arc<App>,
    /// Batches writes of records.
    pub(super) coalescer: Arc<WriteCoalescer>,
    /// Cache of recently used API keys.
    pub(super) keys: Arc<KeyCache>,
    /// Request limits of API keys.
    pub(super) rate_limits: Arc<RateLimits>,
    /// Sources that called recently.
    pub(super) traffic: Arc<Traffic>,
}

impl ApiState {
    /// Creates the state.
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
