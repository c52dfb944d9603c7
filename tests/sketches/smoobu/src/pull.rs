//! The bookings that Smoobu holds, one request a call.

use gassync_plugin::{
    ChannelError, Entity, EntityRef, News, Page, Query, Scope, Selection, change, last_modified, malformed,
    to_date_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    booking,
    signature::{Request, failure},
};

/// The most that Smoobu gives at once.
const PAGE_SIZE: &str = "100";

#[derive(Deserialize)]
struct List {
    page_count: u32,
    page: u32,
    bookings: Vec<Box<RawValue>>,
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    if query.entity != Entity::Reservation {
        return Err(ChannelError::Unsupported);
    }
    let number = match query.cursor.as_deref().map(str::parse::<u32>) {
        None => 1,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => return Err(malformed("cursor", "is not one of ours")),
    };
    if let Selection::Some(ids) = &query.selection {
        return one(ids, number);
    }
    // Cancelled bookings are left out unless they are asked for, and currencies come with the parts of a price alone.
    let mut request = Request::new("GET", "/api/reservations")
        .query("page", number.to_string())
        .query("pageSize", PAGE_SIZE)
        .query("showCancellation", "true")
        .query("includePriceElements", "true");
    let mut scope = Scope::Delta;
    match &query.selection {
        // The day alone: it reaches further back than any zone could, and needs no escaping.
        Selection::ChangedSince(instant) => {
            request = request.query("modifiedFrom", instant.get(..10).unwrap_or(instant));
        }
        // A day more at either end is never wrong.
        Selection::Within(nights) => {
            request = request
                .query("departureFrom", to_date_text(nights.start))
                .query("arrivalTo", to_date_text(nights.until));
            scope = Scope::Whole(*nights);
        }
        Selection::Everything => {}
        Selection::Some(_) | Selection::Pending(_) => return Err(ChannelError::Unsupported),
    }
    if let Some(apartment) = query.room_type_id.as_ref().or(query.property_id.as_ref()) {
        request = request.query("apartmentId", number_of(apartment)?.to_string());
    }
    let answer = request.send()?;
    if answer.status() != 200 {
        return Err(failure(&answer));
    }
    let list: List = serde_json::from_slice(answer.body()).map_err(|error| malformed("", error))?;
    let mut changes = Vec::with_capacity(list.bookings.len());
    for (index, raw) in list.bookings.iter().enumerate() {
        changes.extend(booking::read(raw, None, &format!("/bookings/{index}"))?);
    }
    let another = list.page < list.page_count && !list.bookings.is_empty();
    let next = another.then(|| (number + 1).to_string());
    Ok(Page { resume: last_modified(&changes), changes, next, scope, wait_seconds: None })
}

/// By its id a booking comes alone, so each is a page; one that is not there any more is gone.
fn one(ids: &[String], number: u32) -> Result<Page, ChannelError> {
    let Some(id) = ids.get(number as usize - 1) else { return Ok(Page::of(Vec::new())) };
    let answer = Request::new("GET", format!("/api/reservations/{}", number_of(id)?)).send()?;
    let changes = match answer.status() {
        200 => {
            let raw: &RawValue = serde_json::from_slice(answer.body()).map_err(|error| malformed("", error))?;
            booking::read(raw, None, "")?.into_iter().collect()
        }
        404 => vec![change(None, News::Removed(EntityRef { entity: Entity::Reservation, id: id.clone() }))],
        _ => return Err(failure(&answer)),
    };
    let next = ((number as usize) < ids.len()).then(|| (number + 1).to_string());
    Ok(Page { next, ..Page::of(changes) })
}

/// Ids stand in paths and queries that are signed as they are.
pub(crate) fn number_of(id: &str) -> Result<u64, ChannelError> {
    id.parse().map_err(|_| malformed("id", format_args!("{id} is not a number")))
}
