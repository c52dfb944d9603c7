//! State at channels: desired, sent, and confirmed.

pub mod ages;
pub mod bookings;
pub mod deviations;
pub mod external_ids;
pub mod go_live_plans;
pub mod invalidations;
pub mod nights;
pub mod observed_nights;
pub mod push_settings;
mod sync_status;
pub mod targets;

pub use sync_status::{SyncStatus, UnknownSyncStatus};
