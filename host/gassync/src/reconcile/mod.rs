//! What a channel is to have ([`desired`]), and whether what it shows agrees with it: nights of a calendar ([`calendar`]) and
//! reservations of ours ([`reservation`]).

pub mod calendar;
pub mod desired;
pub mod house_currency;
pub mod reservation;
