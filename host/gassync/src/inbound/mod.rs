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
pub mod block;
pub(crate) mod calendar;
mod cancellation;
pub mod decide;
pub mod dry_run;
mod escapes;
pub mod fetch;
pub mod guest;
pub mod link;
pub mod look_up;
pub mod manual_closure;
pub mod map_import;
pub mod message_crypto;
pub mod missing_reservation;
pub mod parked_records;
mod parking;
pub mod passes;
mod pending_reservation;
pub mod poll_run;
pub mod process;
pub mod property;
pub mod rate_plan;
pub mod receive;
pub mod redact;
pub mod reservation;
pub mod room_type;
pub mod set_aside;
pub mod verify;
