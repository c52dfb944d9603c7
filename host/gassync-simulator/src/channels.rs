//! All simulated channels: the one place outside their folders that names them.

use std::sync::Arc;

use crate::{Simulator, SimulatorClock, SimulatorSettings, beds24, smoobu};

/// A channel that can be simulated.
pub struct SimulatedChannel {
    /// Its name: the id of its plugin.
    pub name: &'static str,
    /// Creates an account.
    pub account: fn(&SimulatorSettings, SimulatorClock) -> Arc<dyn Simulator>,
}

/// All channels, by name.
pub const CHANNELS: &[SimulatedChannel] = &[
    SimulatedChannel { name: "beds24", account: beds24::account },
    SimulatedChannel { name: "smoobu", account: smoobu::account },
];

/// Finds a channel by name.
pub fn channel(name: &str) -> Option<&'static SimulatedChannel> {
    CHANNELS.iter().find(|channel| channel.name == name)
}
