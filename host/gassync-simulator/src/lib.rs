//! Simulated channels, for the demo, the tests and partners.
//!
//! They follow the channels' documentation and measured behaviour and share no code with the plugins, so that a bug in
//! one is not repeated in the other. Each channel is a folder and a line of [`CHANNELS`]; everyone else uses the trait
//! [`Simulator`].

#![recursion_limit = "256"]

pub mod beds24;
mod calls;
mod chance;
mod channels;
mod control;
mod faults;
mod json_text;
mod money;
mod response_faults;
mod simulator;
pub mod smoobu;
mod webhook;

use std::sync::Arc;

pub use calls::SeenCall;
pub use channels::{CHANNELS, SimulatedChannel, channel};
pub use faults::{FaultSettings, InjectedFault, Rule};
pub use simulator::{
    Ability, Action, ActionKind, NewReservation, Notification, OddForm, SimulatedNight, SimulatedProperty,
    SimulatedReservation, SimulatedRoomType, SimulatedStatus, Simulator, SimulatorSettings, WebhookTarget,
};
pub use webhook::Delivered;

/// The clock of the simulator.
pub type SimulatorClock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
