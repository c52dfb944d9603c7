//! GasSync: the integration host.

pub mod store;
