//! Finds existing bookings. Smoobu has no idempotency key, so ours are recognised by our reference, compared exactly.

use gassync_plugin::{ChannelError, Nights, malformed, read_json, to_date_text};

use super::session::Session;
use crate::{booking::Booking, pull, refusal, signature::Request};

/// Maximum pages of a lookup.
const MAX_PAGES: u32 = 3;

/// The bookings and blocks that hold some of these nights of an apartment; cancelled ones hold none.
pub(crate) fn active(session: &mut Session, apartment: u64, stay: Nights) -> Result<Vec<Booking>, ChannelError> {
    let mut all = Vec::new();
    for page in 1..=MAX_PAGES {
        // Whether the bounds are included is not documented; bookings beside the nights are left out below.
        let request = Request::get("/api/reservations")
            .query("apartmentId", apartment.to_string())
            .query("departureFrom", to_date_text(stay.start))
            .query("arrivalTo", to_date_text(stay.until))
            .query("page", page.to_string())
            .query("pageSize", pull::PAGE_SIZE);
        let answer = session.ask(request)?;
        if answer.status() != 200 {
            return Err(refusal::of(&answer));
        }
        let (items, another) = pull::records(&answer)?;
        for item in &items {
            // An unreadable one is an error, since it may be ours.
            let booking: Booking = read_json(item.get(), "/bookings")?;
            let nights = booking.nights("");
            if !booking.is_cancelled()
                && nights.is_none_or(|nights| nights.start < stay.until && stay.start < nights.until)
            {
                all.push(booking);
            }
        }
        if !another {
            return Ok(all);
        }
    }
    Err(malformed("/page_count", format_args!("is more than {MAX_PAGES}")))
}

/// The booking with this id, in any state; `None` if there is none.
pub(crate) fn by_id(session: &mut Session, id: u64) -> Result<Option<Booking>, ChannelError> {
    let answer = session.ask(Request::get(format!("/api/reservations/{id}")))?;
    match answer.status() {
        200 => read_json(answer.body(), "").map(Some),
        404 => Ok(None),
        _ => Err(refusal::of(&answer)),
    }
}

/// The one of these bookings that has our reference.
pub(crate) fn of_reference<'a>(bookings: &'a [Booking], reference: &str) -> Option<&'a Booking> {
    bookings.iter().find(|booking| booking.our_reference() == Some(reference))
}
