//! Writes to Smoobu.

mod blocks;
mod booking_form;
pub(crate) mod calendar;
mod lookup;
pub(crate) mod operations;
mod session;
