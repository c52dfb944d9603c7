//! `/inventory/rooms`: availability, prices and rules.

mod availability;
mod calendar;
mod calendar_write;
mod offers;

use axum::{
    Router,
    routing::{get, post},
};
use jiff::{Span, civil::Date};

use super::{
    Account, Beds24,
    property::{Beds24Property, Beds24RoomType},
    query::{BadParameter, QueryParams},
    today,
};

/// Number of nights returned without an end date.
const SHOWN_NIGHTS: i64 = 30;
/// Maximum nights per read or write.
const MOST_NIGHTS: i64 = 1_100;

pub(super) fn router() -> Router<Beds24> {
    Router::new()
        .route("/inventory/rooms/availability", get(availability::availability))
        .route("/inventory/rooms/unitBookings", get(availability::unit_bookings))
        .route("/inventory/rooms/offers", get(offers::offers))
        .route("/inventory/rooms/calendar", get(calendar::read))
        .route("/inventory/rooms/calendar", post(calendar_write::write))
}

/// A range of nights; both ends are inclusive.
#[derive(Clone, Copy)]
struct Nights {
    first: Date,
    last: Date,
}

impl Nights {
    /// Returns the requested nights; `endDate` is the last one, not the day after.
    fn asked(query: &QueryParams, simulator: &Beds24) -> Result<Self, BadParameter> {
        let first = query.date("startDate")?.unwrap_or_else(|| today(simulator.now()));
        let default = first.saturating_add(Span::new().days(SHOWN_NIGHTS - 1));
        Self::between(first, query.date("endDate")?.unwrap_or(default))
            .ok_or_else(|| BadParameter("Parameter endDate must not be before startDate, nor years after".to_owned()))
    }

    fn between(first: Date, last: Date) -> Option<Self> {
        let farthest = first.saturating_add(Span::new().days(MOST_NIGHTS - 1));
        (first <= last && last <= farthest).then_some(Self { first, last })
    }

    fn each(self) -> impl Iterator<Item = Date> {
        self.first.series(Span::new().days(1)).take_while(move |night| *night <= self.last)
    }
}

/// Returns the requested room types.
fn rooms<'a>(
    query: &QueryParams,
    account: &'a Account,
) -> Result<Vec<(&'a Beds24Property, &'a Beds24RoomType)>, BadParameter> {
    let (rooms, properties) = (query.numbers("roomId")?, query.numbers("propertyId")?);
    let one_of = |list: &[u64], id: u64| list.is_empty() || list.contains(&id);
    let all = account.book.room_types();
    Ok(all.filter(|(property, room)| one_of(&rooms, room.id) && one_of(&properties, property.id)).collect())
}
