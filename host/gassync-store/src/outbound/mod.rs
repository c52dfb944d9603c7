//! State at channels: desired, sent, and confirmed. What becomes of a state is the domain's to say
//! ([`SyncState`](gassync_domain::SyncState)); a statement decides only what may have changed since it was read.

pub mod ages;
pub mod bookings;
pub mod deviations;
pub mod external_ids;
pub mod go_live_plans;
pub mod invalidations;
pub mod nights;
pub mod observed_nights;
pub mod push_settings;
mod sync_state;
pub mod targets;
