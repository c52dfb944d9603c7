//! Computes what a channel should have ([`desired`]), and compares it with what the channel shows: nights of a calendar
//! ([`calendar`]) and our reservations ([`reservation`]).

pub mod calendar;
pub mod desired;
pub mod house_currency;
pub mod reservation;
