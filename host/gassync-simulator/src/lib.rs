//! The channels' side of the wire, for the demo, the tests and partners.
//!
//! It is written from what channels document and what was measured of them, and shares no code with the plugins: a
//! mistake must be made twice to go unseen.

#![recursion_limit = "256"]

pub mod beds24;

use std::sync::Arc;

/// Where "now" comes from.
pub type SimulatorClock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
