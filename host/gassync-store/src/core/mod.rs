//! The `gas_*` tables. Only the module `core` of this crate calls what writes here.

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
