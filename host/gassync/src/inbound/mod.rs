//! From a channel's words to the core, one step per file:
//!
//! [`receive`] takes a call and keeps it, [`verify`] says who called, [`spot`] takes out what nobody may keep,
//! [`work`] has the plugin decode it, [`apply`] puts each record into buffer, mapping and core in one transaction.
//! What it cannot place yet waits for a person, who says by [`link`] or [`decide`] what becomes of it.
//! [`memory`] is what the plugin remembers meanwhile. [`pull`] enters at the second half with what a plugin fetched.

pub mod apply;
mod arriving;
pub mod block;
mod calendar;
mod cancelling;
pub mod decide;
pub mod guest;
pub mod link;
pub mod memory;
mod parking;
pub mod plan;
pub mod property;
pub mod pull;
pub mod rate_plan;
pub mod receive;
pub mod reservation;
pub mod room_type;
pub mod seal;
pub mod spot;
pub mod verify;
pub mod waiting;
pub mod work;
