//! One plugin call for a source: [`session`] provides its inputs and stores its results, [`plugin_state`] holds what
//! the plugin remembers between calls.

pub mod plugin_state;
mod session;

pub use session::{ChannelCallError, ChannelSession};
