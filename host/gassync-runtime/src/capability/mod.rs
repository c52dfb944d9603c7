//! Host capabilities for guests, one per file, independent of the contract version.

pub(crate) mod core_data;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod signing;
pub(crate) mod state;
pub(crate) mod wasi_http;
