//! One call of a plugin for a source: [`session`] gives it what it needs and keeps what came of it, [`plugin_state`] is what the
//! plugin remembers meanwhile.

pub mod plugin_state;
mod session;

pub use session::{ChannelCallError, ChannelSession};
