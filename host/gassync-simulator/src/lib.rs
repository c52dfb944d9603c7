//! Simulated channels, for the demo, the tests and partners.
//!
//! They follow the channels' documentation and measured behaviour and share no code with the plugins, so that a bug in
//! one is not repeated in the other.

#![recursion_limit = "256"]

pub mod beds24;
mod simulator;

use std::sync::Arc;

pub use beds24::{FaultSettings, InjectedFault, Rule, SeenCall};
pub use simulator::{
    Ability, Action, ActionKind, NewReservation, Notification, OddForm, SimulatedNight, SimulatedProperty,
    SimulatedReservation, SimulatedRoomType, SimulatedStatus, Simulator, WebhookTarget,
};

/// The clock of the simulator.
pub type SimulatorClock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
