//! Lines for the one who runs the host. No personal data.

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::log::{Level, write};

/// Something worth knowing.
pub fn info(message: &str) {
    #[cfg(target_arch = "wasm32")]
    write(Level::Info, message, &[]);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::log(message);
}

/// Something that somebody should look at.
pub fn warn(message: &str) {
    #[cfg(target_arch = "wasm32")]
    write(Level::Warn, message, &[]);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::log(message);
}
