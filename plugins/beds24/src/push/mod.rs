//! Writes to Beds24: [`operations`] on bookings and blocks, and nights of the [`calendar`]. Every request is a list,
//! and [`write_results`] reads the list of results.

mod block_form;
mod booking_form;
pub(crate) mod calendar;
mod form;
mod group;
mod lookup;
mod nights;
pub(crate) mod operations;
mod plan;
mod session;
pub(crate) mod write_results;
