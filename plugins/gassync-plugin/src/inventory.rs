//! What the core holds for this source, read-only, in the channel's own ids. Only in a component: the fake host has
//! no core, so mapping code takes these records as arguments.

pub use crate::bindings::host::gassync::channel::inventory::{
    PageOfProperties, PageOfReservations, calendar, changed_at, content, find_reservation, properties, quote,
    rate_plans, reservations, room_types,
};
