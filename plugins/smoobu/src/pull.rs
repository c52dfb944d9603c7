//! Fetches records from Smoobu, usually with one request per call.

use gassync_plugin::{
    Change, ChangeKind, ChannelError, Entity, EntityRef, Lenient, Nights, Page, Query, Selection, change, http,
    malformed, parse_date, read_each, read_json, read_one, to_date_text,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    account, apartment,
    apartment::{List, Listed},
    booking::{self, Received},
    rates, refusal, related, remembered,
    signature::Request,
};

/// Smoobu's maximum page size.
pub(crate) const PAGE_SIZE: &str = "100";
/// Name of the id of every record.
const IDS: [&str; 1] = ["id"];
/// Apartments of one page: each is asked for alone, and a call may make 20 requests.
const APARTMENTS_OF_A_PAGE: usize = 15;
/// Apartments of one page of calendars, which come together.
const CALENDARS_OF_A_PAGE: usize = 20;

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let number = query.page_number()?;
    match (query.entity, &query.selection) {
        (Entity::Property | Entity::RoomType, Selection::Everything | Selection::ChangedSince(_)) => {
            apartments(query, None, number)
        }
        (Entity::Property | Entity::RoomType, Selection::Some(ids)) => apartments(query, Some(ids), number),
        (Entity::Reservation, Selection::Some(ids)) => booking_by_id(query, ids, number),
        (Entity::Reservation, selection) => bookings(query, selection, number),
        (Entity::Calendar, Selection::Within(nights)) => calendars(query, *nights, number),
        _ => Err(ChannelError::Unsupported),
    }
}

fn apartments(query: &Query, ids: Option<&[String]>, number: usize) -> Result<Page, ChannelError> {
    let List::Apartments(mut all) = apartment::list()? else {
        return Err(malformed("/apartments", "is missing"));
    };
    if query.cursor.is_none() {
        account::identify()?;
    }
    let wanted = query.property_id.as_ref().or(query.room_type_id.as_ref());
    let is_wanted = |raw: &RawValue| {
        let id = gassync_plugin::id_of(raw.get(), &IDS);
        let is_one = |wanted: &String| id.as_ref() == Some(wanted);
        ids.is_none_or(|ids| ids.iter().any(is_one)) && wanted.is_none_or(is_one)
    };
    all.retain(|raw| is_wanted(raw));
    let begin = (number - 1).saturating_mul(APARTMENTS_OF_A_PAGE);
    let page = all.get(begin..).unwrap_or_default();
    let another = page.len() > APARTMENTS_OF_A_PAGE;
    let page = page.iter().take(APARTMENTS_OF_A_PAGE);
    let mut changes = read_each(Entity::Property, page, "/apartments", &IDS, apartment::read)?;
    if query.entity == Entity::RoomType {
        changes.retain(|change| !matches!(change.data, ChangeKind::Property(_)));
    }
    Page::numbered(query, changes, another)
}

fn bookings(query: &Query, selection: &Selection, number: usize) -> Result<Page, ChannelError> {
    // Misspelt parameters are ignored without an error. Cancelled bookings are left out by default, and currencies are
    // only in the price elements.
    let mut request = Request::get("/api/reservations")
        .query("page", number.to_string())
        .query("pageSize", PAGE_SIZE)
        .query("showCancellation", "true")
        .query("includeRelated", "true")
        .query("includePriceElements", "true");
    match selection {
        Selection::ChangedSince(instant) => request = request.query("modifiedFrom", day_before(instant)?),
        // The bounds may be included or not; an extra day at either end does no harm.
        Selection::Within(nights) => {
            request = request
                .query("departureFrom", to_date_text(nights.start))
                .query("arrivalTo", to_date_text(nights.until));
        }
        Selection::Everything => {}
        Selection::Some(_) | Selection::After(_) | Selection::Queue(_) => return Err(ChannelError::Unsupported),
    }
    if let Some(apartment) = query.room_type_id.as_ref().or(query.property_id.as_ref()) {
        request = request.query("apartmentId", number_of(apartment)?.to_string());
    }
    let answer = request.send()?;
    if answer.status() != 200 {
        return Err(refusal::of(&answer));
    }
    let (items, another) = records(&answer)?;
    if query.cursor.is_none() {
        remembered::forget_past()?;
    }
    let changes = read_each(Entity::Reservation, &items, "/bookings", &IDS, |raw, place| {
        booking::read(raw, Received::default(), place)
    })?;
    Page::numbered(query, changes, another)
}

/// The day before an instant's. Neither the time zone of `modifiedFrom` is documented nor whether it is included.
fn day_before(instant: &str) -> Result<String, ChannelError> {
    let day = instant.get(..10).and_then(parse_date);
    let day = day.ok_or_else(|| malformed("selection", format_args!("{instant} is not an instant")))?;
    Ok(to_date_text(day.day_before()))
}

/// Fetches bookings by id, one per page; a missing one was removed.
fn booking_by_id(query: &Query, ids: &[String], number: usize) -> Result<Page, ChannelError> {
    let Some(id) = ids.get(number - 1) else { return Ok(Page::of(Vec::new())) };
    let request = Request::get(format!("/api/reservations/{}", number_of(id)?));
    let answer = request.query("includeRelated", "true").query("includePriceElements", "true").send()?;
    let changes = match answer.status() {
        200 => {
            let (items, _) = records(&answer)?;
            read_each(Entity::Reservation, &items, "", &IDS, |raw, _| booking::read(raw, Received::default(), ""))?
        }
        // An HTML page.
        404 => removed(id)?,
        _ => return Err(refusal::of(&answer)),
    };
    Page::numbered(query, changes, number < ids.len())
}

/// A booking that is not there any more: it may have been a block, and may have closed other apartments.
pub(crate) fn removed(id: &str) -> Result<Vec<Change>, ChannelError> {
    let of = |entity| change(None, ChangeKind::Removed(EntityRef { entity, id: id.to_owned() }));
    let mut changes = vec![of(Entity::Reservation), of(Entity::Block)];
    changes.extend(related::gone(id)?);
    Ok(changes)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Bookings {
    page_count: Lenient,
    page: Lenient,
    bookings: Option<Vec<Box<RawValue>>>,
    id: Lenient,
}

/// Reads a page of bookings or a single one, and whether another page follows.
pub(crate) fn records(answer: &http::Response) -> Result<(Vec<Box<RawValue>>, bool), ChannelError> {
    let raw: Box<RawValue> = read_json(answer.body(), "")?;
    let Bookings { page_count, page, bookings, id } = read_json(raw.get(), "")?;
    match bookings {
        Some(bookings) => {
            // An empty page that announces another could continue for ever.
            let another = !bookings.is_empty() && page.integer().unwrap_or(1) < page_count.integer().unwrap_or(1);
            Ok((bookings, another))
        }
        None if id.as_str().is_some() => Ok((vec![raw], false)),
        None => Err(malformed("/bookings", "is missing")),
    }
}

fn calendars(query: &Query, nights: Nights, number: usize) -> Result<Page, ChannelError> {
    let (apartments, another) = match query.room_type_id.as_ref().or(query.property_id.as_ref()) {
        Some(id) => (vec![number_of(id)?], false),
        None => match apartment::list()? {
            List::Nights(data) => return calendars_of(&data, nights, query, false),
            List::Apartments(all) => {
                let ids = all.iter().filter_map(|raw| {
                    let listed: Listed = read_json(raw.get(), "").ok()?;
                    listed.id.as_str()?.parse().ok()
                });
                let all: Vec<u64> = ids.collect();
                let begin = (number - 1).saturating_mul(CALENDARS_OF_A_PAGE);
                let rest = all.get(begin..).unwrap_or_default();
                (rest.iter().take(CALENDARS_OF_A_PAGE).copied().collect(), rest.len() > CALENDARS_OF_A_PAGE)
            }
        },
    };
    if apartments.is_empty() {
        return Ok(Page::of(Vec::new()));
    }
    let data = nights_of(&apartments, nights)?;
    calendars_of(&data, nights, query, another)
}

fn calendars_of(data: &RawValue, nights: Nights, query: &Query, another: bool) -> Result<Page, ChannelError> {
    let mut changes = Vec::new();
    for (apartment, dates) in rates::by_apartment(data, "/data")? {
        let place = format!("/data/{apartment}");
        let id = || Some(apartment.clone());
        let read = || rates::read(&apartment, &dates, (Some(nights), None), &place);
        changes.extend(read_one(Entity::Calendar, dates.get(), id, read)?);
    }
    Page::numbered(query, changes, another)
}

/// Fetches nights by apartment. The parameters are sent as they are signed, brackets and all.
pub(crate) fn nights_request(apartments: &[u64], nights: Nights) -> Request {
    // Whether the end is included is not documented; a night too many is left out.
    let request = Request::get("/api/rates")
        .query("start_date", to_date_text(nights.start))
        .query("end_date", to_date_text(nights.until));
    apartments.iter().fold(request, |request, id| request.query("apartments[]", id.to_string()))
}

fn nights_of(apartments: &[u64], nights: Nights) -> Result<Box<RawValue>, ChannelError> {
    let answer = nights_request(apartments, nights).send()?;
    if answer.status() == 200 { nights_in(&answer) } else { Err(refusal::of(&answer)) }
}

/// Nights without their wrapper would be read as none at all, so it must be there.
pub(crate) fn nights_in(answer: &http::Response) -> Result<Box<RawValue>, ChannelError> {
    #[derive(Deserialize)]
    struct Answer {
        data: Option<Box<RawValue>>,
    }
    let Answer { data } = read_json(answer.body(), "")?;
    data.ok_or_else(|| malformed("/data", "is missing"))
}

/// Parses an id: ids are used in signed paths and queries without escaping.
pub(crate) fn number_of(id: &str) -> Result<u64, ChannelError> {
    id.parse().map_err(|_| malformed("id", format_args!("{id} is not a number")))
}
