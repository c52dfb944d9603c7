//! What a guest may ask of the host, one capability per file. None knows which version of the contract asks.

pub(crate) mod http;
pub(crate) mod log;
