//! Keeps calls to channels within what the channels allow, as the manifest's `rateLimits` say it: asked before each request,
//! corrected by what each answer tells; and keeps calls from channels that are down.

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

/// What a request takes of one budget.
#[derive(Debug, Clone)]
pub struct Charge {
    /// Whose budget: the same for all that share it.
    pub budget: String,
    /// How much it has, in how long.
    pub windows: Vec<Window>,
    /// How much the request takes, in the channel's units.
    pub weight: f64,
}

/// What an answer says of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateLimitHeaders {
    /// What the request really took.
    pub cost: Option<f64>,
    /// What is left.
    pub remaining: Option<f64>,
    /// Until the shortest window is full again.
    pub resets_in: Option<SignedDuration>,
    /// After which it may be asked again, where it says so by itself.
    pub retry_after: Option<SignedDuration>,
    /// It was refused: for want of it, or for another reason where something is left.
    pub refused: bool,
}

/// Counts what is taken of budgets: in this process, or for all that share one channel account.
#[async_trait]
pub trait ChannelLimits: Send + Sync {
    /// Takes all charges or none; where there is not enough, how long until there is.
    async fn take(&self, charges: &[Charge], now: Timestamp) -> Result<(), SignedDuration>;

    /// Corrects the count by what an answer says, to a charge that was taken for its request.
    async fn correct(&self, charge: &Charge, headers: RateLimitHeaders, now: Timestamp);
}
