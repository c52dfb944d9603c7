//! What a guest may ask of the host, one capability per file. None knows which version of the contract asks.

pub(crate) mod core_data;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod signing;
pub(crate) mod state;
pub(crate) mod wasi_http;
