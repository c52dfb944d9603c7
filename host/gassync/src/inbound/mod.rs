//! Brings records of channels into the core, one step per file:
//!
//! [`receive`] accepts a call and stores it, [`verify`] authenticates the caller ([`web_token`] its tokens), [`redact`] masks
//! sensitive fields ([`body_text`] in any encoding), [`process`] has the plugin decode the message, and [`apply`] writes
//! each record to buffer, mapping and core in one transaction. Records that cannot be applied yet are parked until an
//! operator resolves them with [`link`] or [`decide`]; [`map_import`] imports links from another system. [`set_aside`]
//! stores records that could not be read or stored, so that one record stops no other; [`escapes`] repairs JSON that
//! parsers reject.
//!
//! [`fetch`] applies the pages that a plugin fetched, [`passes`] decides whether a paged list is complete, [`look_up`]
//! requests records by id, and [`missing_reservation`] handles reservations that the channel does not return.
//! [`poll_run`] runs polls and records their results.

pub mod apply;
pub mod block;
mod body_text;
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
mod web_token;
