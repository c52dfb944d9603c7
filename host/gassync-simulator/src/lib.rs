//! Simulated channels, for the demo, the tests and partners.
//!
//! They follow the channels' documentation and measured behaviour and share no code with the plugins, so that a bug in
//! one is not repeated in the other.

#![recursion_limit = "256"]

pub mod beds24;

use std::sync::Arc;

/// The clock of the simulator.
pub type SimulatorClock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
