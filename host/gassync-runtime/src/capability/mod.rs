//! What a guest may ask of the host, one capability per file. None knows which version of the contract asks.

pub(crate) mod http;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod state;
pub(crate) mod wasi_http;
