//! Fetches Smoobu's bookings, one request per call.

use gassync_plugin::{
    ChangeKind, ChannelError, Entity, EntityRef, Page, Query, Scope, Selection, change, malformed, read_each,
    read_json, to_date_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    booking,
    signature::{Request, failure},
};

/// Smoobu's maximum page size.
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
    let number = query.page_number()?;
    if let Selection::Some(ids) = &query.selection {
        return one(query, ids, number);
    }
    // Cancelled bookings are left out by default, and currencies are only in the price elements.
    let mut request = Request::new("GET", "/api/reservations")
        .query("page", number.to_string())
        .query("pageSize", PAGE_SIZE)
        .query("showCancellation", "true")
        .query("includePriceElements", "true");
    let mut scope = Scope::Delta;
    match &query.selection {
        // Only the date: earlier than in any time zone, and without characters to escape.
        Selection::ChangedSince(instant) => {
            request = request.query("modifiedFrom", instant.get(..10).unwrap_or(instant));
        }
        // An extra day at either end does no harm.
        Selection::Within(nights) => {
            request = request
                .query("departureFrom", to_date_text(nights.start))
                .query("arrivalTo", to_date_text(nights.until));
            scope = Scope::Whole(*nights);
        }
        Selection::Everything => {}
        Selection::Some(_) | Selection::After(_) | Selection::Queue(_) => return Err(ChannelError::Unsupported),
    }
    if let Some(apartment) = query.room_type_id.as_ref().or(query.property_id.as_ref()) {
        request = request.query("apartmentId", number_of(apartment)?.to_string());
    }
    let answer = request.send()?;
    if answer.status() != 200 {
        return Err(failure(&answer));
    }
    let list: List = read_json(answer.body(), "")?;
    let changes = read_each(Entity::Reservation, &list.bookings, "/bookings", &["id"], |raw, place| {
        Ok(Vec::from_iter(booking::read(raw, None, place)?))
    })?;
    let another = list.page < list.page_count && !list.bookings.is_empty();
    Ok(Page { scope, ..Page::numbered(query, changes, another)? })
}

/// Fetches bookings by id, one per page; a missing one was removed.
fn one(query: &Query, ids: &[String], number: usize) -> Result<Page, ChannelError> {
    let Some(id) = ids.get(number - 1) else { return Ok(Page::of(Vec::new())) };
    let answer = Request::new("GET", format!("/api/reservations/{}", number_of(id)?)).send()?;
    let changes = match answer.status() {
        200 => {
            let raw: Box<RawValue> = read_json(answer.body(), "")?;
            booking::read(&raw, None, "")?.into_iter().collect()
        }
        404 => vec![change(None, ChangeKind::Removed(EntityRef { entity: Entity::Reservation, id: id.clone() }))],
        _ => return Err(failure(&answer)),
    };
    Page::numbered(query, changes, number < ids.len())
}

/// Parses an id: ids are used in signed paths and queries without escaping.
pub(crate) fn number_of(id: &str) -> Result<u64, ChannelError> {
    id.parse().map_err(|_| malformed("id", format_args!("{id} is not a number")))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{ResumePoint, testing::FakeHost};

    use super::*;

    #[test]
    fn the_last_page_says_where_the_next_run_goes_on() {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"baseUrl":"https://login.smoobu.example"}"#);
        FakeHost::sign_with(|_, _, _, _| vec![1, 2, 3]);
        FakeHost::answer(200, include_str!("../samples/answers/reservations/page.json"));
        let mut query = Query::new(Entity::Reservation, Selection::ChangedSince("2027-04-10T22:30:00Z".to_owned()));
        let first = fetch(&query).expect("a page");
        assert_eq!(first.resume, None, "what follows may fail");
        query.cursor = first.next;
        FakeHost::answer(200, r#"{"page_count":2,"page":2,"bookings":[]}"#);
        let last = fetch(&query).expect("a page");
        assert!(FakeHost::take_requests()[1].url.contains("&page=2&"));
        assert_eq!(last.next, None);
        assert_eq!(last.resume, Some(ResumePoint::Instant("2027-04-12T08:30:45Z".to_owned())));
    }
}
