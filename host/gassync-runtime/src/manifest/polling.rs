//! Polls, rate limits and batch sizes.

use std::collections::BTreeMap;

use gassync_domain::Entity;
use serde::{Deserialize, Serialize};

/// A poll.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Poll {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's queue, for channels with queues.
    pub queue: Option<String>,
    /// The interval between runs.
    pub interval_seconds: u32,
    /// How far the next run overlaps the previous one.
    #[serde(default)]
    pub overlap_seconds: u32,
    /// Nights to read each time, for channels without change queries.
    pub window: Option<Days>,
}

/// Days around today.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Days {
    /// Before today.
    #[serde(default)]
    pub back: u32,
    /// After today.
    pub ahead: u32,
}

/// A rate limit of the channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// Scope of the limit.
    pub scope: LimitScope,
    /// Limits per time window.
    pub windows: Vec<Window>,
    /// Response headers with the remaining budget: `remaining`, `resetsIn`, `cost`, each with its names.
    #[serde(default)]
    pub headers: BTreeMap<String, Vec<String>>,
    /// Default cost of a request.
    #[serde(default = "one")]
    pub weight: f64,
    /// True if requests must not overlap.
    #[serde(default)]
    pub one_at_a_time: bool,
    /// Paths with this limit; empty for all.
    #[serde(default)]
    pub paths: Vec<String>,
}

fn one() -> f64 {
    1.0
}

/// Scope of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitScope {
    /// All requests from this address.
    Address,
    /// All requests of this application.
    Application,
    /// One set of credentials.
    Credential,
    /// One property.
    Property,
}

/// Limits per time window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// Length in seconds.
    pub seconds: u32,
    /// Maximum, in the channel's units.
    pub limit: f64,
}

/// Maximum request sizes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batches {
    /// Maximum size for `push-calendar`.
    pub calendar: Option<Batch>,
    /// Maximum size for `push-reservations`.
    pub reservations: Option<Batch>,
    /// Maximum size for `push-content`.
    pub content: Option<Batch>,
    /// Maximum size for `acknowledgements`.
    pub acknowledgements: Option<Batch>,
}

/// Maximum size of a request.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// Maximum items.
    pub items: u32,
    /// Maximum bytes, if limited.
    pub bytes: Option<u32>,
}
