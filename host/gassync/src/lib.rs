//! GasSync: the integration host. `ARCHITECTURE.md` in this crate describes its structure.

pub mod admin;
pub mod api;
pub mod app;
pub mod channel;
pub mod cli;
pub mod config;
pub mod core;
pub mod credentials;
pub mod egress;
pub mod http;
pub mod inbound;
pub mod limits;
mod outbound;
pub mod panics;
pub mod plugins;
mod reconcile;
pub mod schedule;
pub mod server;
pub mod store;
pub mod supervisor;
pub mod telemetry;
pub mod vault;
pub mod webhooks;
pub mod worker;

/// mimalloc returns memory freed by threads that compile plugins to the system; the C library's allocator keeps much of
/// it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
