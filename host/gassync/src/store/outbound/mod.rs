//! What channels are to have of the core, what was sent to them, and what they surely have.

pub mod ages;
pub mod bookings;
pub mod go_live_plans;
pub mod names;
pub mod nights;
pub mod pushing;
pub mod refusals;
pub mod shown;
pub mod targets;
pub mod touches;
