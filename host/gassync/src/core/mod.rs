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

pub use bookings::{Bookable, Desk, Placed, WhenFull};
pub use closures::{ClosureAsked, close};
pub use guests::{find_guests, put_guests};
pub use holds::{HoldAsked, drop_holds};
pub use ledger::{SoldOut, release_expired};
pub use maintenance::{block, unblock};
pub use properties::{give_time_zone, put_property};
pub use rate_plans::{first_rate_plan, put_rate_plan, put_rates};
pub use units::{link_units, put_unit};
