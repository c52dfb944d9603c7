//! GasSync: the integration host. `ARCHITECTURE.md` beside this crate tells the way through it.

pub mod admin;
pub mod api;
pub mod app;
pub mod channel;
mod coalescer;
pub mod config;
pub mod core;
pub mod credentials;
pub mod egress;
mod facts;
pub mod http;
pub mod inbound;
mod lease;
pub mod limits;
mod outbound;
pub mod panics;
pub mod plugins;
mod reconcile;
pub mod schedule;
pub mod server;
pub mod supervisor;
pub mod telemetry;
pub mod vault;
pub mod waiting;
pub mod webhooks;
pub mod worker;

pub use gassync_store as store;

/// mimalloc returns memory that compiling threads freed to the system; the C library keeps much of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
