//! Log lines for the operator. Must not contain personal data.

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::log::{Level, write};

/// Logs an informational message.
pub fn info(message: &str) {
    #[cfg(target_arch = "wasm32")]
    write(Level::Info, message, &[]);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::log(message);
}

/// Logs a warning.
pub fn warn(message: &str) {
    #[cfg(target_arch = "wasm32")]
    write(Level::Warn, message, &[]);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::log(message);
}
