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
    /// For channels that cannot tell what changed: the nights that are read again each time.
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

/// What the channel allows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// For whom it is counted.
    pub scope: LimitScope,
    /// How much in how long.
    pub windows: Vec<Window>,
    /// The headers by which the channel tells what is left: `remaining`, `resetsIn`, `cost`, each with its names.
    #[serde(default)]
    pub headers: BTreeMap<String, Vec<String>>,
    /// What one request costs where the channel does not say, in its units.
    #[serde(default = "one")]
    pub weight: f64,
    /// One call at a time.
    #[serde(default)]
    pub one_at_a_time: bool,
    /// Only for these paths.
    #[serde(default)]
    pub paths: Vec<String>,
}

fn one() -> f64 {
    1.0
}

/// For whom a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitScope {
    /// All we send from this address.
    Address,
    /// All this application sends.
    Application,
    /// One set of credentials.
    Credential,
    /// One property.
    Property,
}

/// How much in how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// How long.
    pub seconds: u32,
    /// How much, in the channel's units.
    pub limit: f64,
}

/// How much the channel takes in one request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batches {
    /// Of `push-calendar`.
    pub calendar: Option<Batch>,
    /// Of `push-reservations`.
    pub reservations: Option<Batch>,
    /// Of `push-content`.
    pub content: Option<Batch>,
    /// Of `acknowledgements`.
    pub acknowledgements: Option<Batch>,
}

/// The size of one request.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// Most items.
    pub items: u32,
    /// Most bytes, where the channel counts them.
    pub bytes: Option<u32>,
}
