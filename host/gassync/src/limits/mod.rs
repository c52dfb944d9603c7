//! Rate limits and circuit breakers for calls to channels: limits come from the manifest's `rateLimits`, are checked before each
//! request, and corrected by each response.

mod breakers;
mod local;
mod transport;

use async_trait::async_trait;
use gassync_domain::Timestamp;
use gassync_runtime::Window;
use jiff::SignedDuration;

pub use self::{
    breakers::{Breakers, CallHealth, LocalBreakers},
    local::LocalLimits,
    transport::{LimitedTransport, SharedLimits},
};

/// The charge of a request against one budget.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The budget's key, shared by all that use it.
    pub budget: String,
    /// Its limits per time window.
    pub windows: Vec<Window>,
    /// The cost of the request, in the channel's units.
    pub weight: f64,
}

/// Rate-limit information in a response.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateLimitHeaders {
    /// The actual cost of the request.
    pub cost: Option<f64>,
    /// The remaining budget.
    pub remaining: Option<f64>,
    /// Time until the shortest window resets.
    pub resets_in: Option<SignedDuration>,
    /// Retry-After, if given.
    pub retry_after: Option<SignedDuration>,
    /// True if the request was refused, for lack of budget or, if something remains, for another reason.
    pub refused: bool,
}

/// Rate-limit budgets, for this process or shared between processes.
#[async_trait]
pub trait ChannelLimits: Send + Sync {
    /// Takes all charges or none; on failure returns the wait.
    async fn take(&self, charges: &[Charge], now: Timestamp) -> Result<(), SignedDuration>;

    /// Corrects a budget by the response to a charged request.
    async fn correct(&self, charge: &Charge, headers: RateLimitHeaders, now: Timestamp);
}
