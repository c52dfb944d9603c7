//! The `gas_*` tables. Only this crate's module `core` calls the functions that write.

pub mod booking_snapshots;
pub mod bookings;
pub mod closures;
pub mod guests;
pub mod holds;
pub mod homes;
pub mod maintenance;
pub mod properties;
pub mod rate_plans;
pub mod snapshot;
pub mod units;
