//! Read-only access to what the core stores for this source, in the channel's own ids. Only trials return data today.

use crate::{
    Block, CalendarNights, CoreBooking, EntityRef, Nights, Property, Quote, RatePlan, Refusal, RoomType, StayQuery,
};

/// All properties of the source, from all pages.
pub fn properties() -> Vec<Property> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = host::properties(cursor.as_deref());
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// The room types of a property.
pub fn room_types(property_id: &str) -> Vec<RoomType> {
    host::room_types(property_id)
}

/// The rate plans of a property.
pub fn rate_plans(property_id: &str) -> Vec<RatePlan> {
    host::rate_plans(property_id)
}

/// A room type's nights, per rate plan if it has any.
pub fn calendar(room_type_id: &str, span: Nights) -> Vec<CalendarNights> {
    host::calendar(room_type_id, span)
}

/// Reservations changed since an instant, or all of them, from all pages.
pub fn reservations(changed_since: Option<&str>) -> Vec<CoreBooking> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = host::reservations(changed_since, cursor.as_deref());
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Reservations that occupy nights of a room type within the span, ordered by arrival.
pub fn stays(room_type_id: &str, span: Nights) -> Vec<CoreBooking> {
    host::stays(room_type_id, span)
}

/// Nights of a room type within the span that are out of sale for a reason other than a reservation.
pub fn blocks(room_type_id: &str, span: Nights) -> Vec<Block> {
    host::blocks(room_type_id, span)
}

/// A reservation by our reference, or by the channel's id.
pub fn find_reservation(id: &str) -> Option<CoreBooking> {
    host::find_reservation(id)
}

/// Time of the last change to any data of a property, RFC 3339.
pub fn changed_at(property_id: &str) -> Option<String> {
    host::changed_at(property_id)
}

/// The price of a stay, or the reasons for refusing it.
pub fn quote_stay(query: &StayQuery) -> Result<Quote, Vec<Refusal>> {
    host::quote_stay(query)
}

/// Texts, pictures, amenities, policies, fees and taxes of a property, room type or rate plan, as in the contract's
/// `content.schema.json`.
pub fn content(of: &EntityRef) -> Option<String> {
    host::content(of)
}

#[cfg(target_arch = "wasm32")]
use crate::generated::gassync::channel::core_data as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::testing::core_data as host;
