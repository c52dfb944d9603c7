//! From a channel's words to the core, one step per file:
//!
//! [`receive`] takes a call and keeps it, [`verify`] says who called, [`spot`] takes out what nobody may keep,
//! [`work`] has the plugin decode it, [`apply`] puts each record into buffer, mapping and core in one transaction.
//! What it cannot place yet waits for a person, who says by [`link`] or [`decide`] what becomes of it; [`map_import`] takes over
//! links that another system kept.
//! [`set_aside`] keeps what could not be read or kept, so that one record stops no other; [`escapes`] mends JSON that no
//! reader takes. [`pull`] enters at the second half with what a plugin fetched, [`passes`]
//! of it whether that is all there is; [`look_up`] asks for single records, and [`silence`] is what it means that one is not
//! answered. [`polled`] notes how polls end.

pub mod apply;
mod arriving;
pub mod block;
pub(crate) mod calendar;
mod cancelling;
pub mod closing;
pub mod decide;
mod escapes;
pub mod guest;
pub mod link;
pub mod look_up;
pub mod map_import;
mod parking;
pub mod passes;
pub mod plan;
pub mod polled;
pub mod property;
pub mod pull;
pub mod rate_plan;
pub mod receive;
pub mod reservation;
pub mod room_type;
pub mod seal;
pub mod set_aside;
pub mod silence;
pub mod spot;
pub mod verify;
pub mod waiting;
pub mod work;
