//! The one hand that writes the core from inside this program.
//!
//! It takes records of the standard schema whose links are known and writes `gas_*` rows, the nightly ledger with them.
//! It knows nothing of channels, and the outbox is not its business: the database's triggers see to that, whoever writes.

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
