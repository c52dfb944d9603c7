//! The only writer of the core tables (`gas_*`) in this program.
//!
//! It takes standard records with known links and writes the core rows together with the nightly ledger. It knows nothing of
//! channels or the outbox: database triggers fill the outbox for every writer.

mod bookings;
mod closures;
mod guests;
mod holds;
mod ledger;
mod maintenance;
mod properties;
mod rate_plans;
mod units;

pub use bookings::{BookingBatch, BookingRequest, BookingResult, WhenFull};
pub use closures::{ClosureRequest, close};
pub use guests::{find_guests, put_guests};
pub use holds::{HoldRequest, drop_holds};
pub use ledger::{SoldOut, release_expired};
pub use maintenance::{block, unblock};
pub use properties::{put_property, set_missing_time_zone};
pub use rate_plans::{first_rate_plan, put_rate_plan, put_rates};
pub use units::{link_units, put_unit};
