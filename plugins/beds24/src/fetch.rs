//! Pages of the channel's records. One request a call; what is left goes into the cursor.

use gassync_plugin::{
    Change, ChannelError, Entity, Nights, Page, Query, Selection, clock, http::Request, instant, settings,
};
use serde::Deserialize;

use crate::{answer, booking, calendar, cursor::Cursor, property};

/// Where the API is unless the settings say otherwise.
pub(crate) const DEFAULT_BASE_URL: &str = "https://beds24.com/api/v2";

/// Every status there is, asked for one by one: left to itself the channel hides cancellations, a list with commas is
/// refused, and other spellings of the parameter are ignored.
const STATUSES: [&str; 6] = ["new", "confirmed", "request", "inquiry", "cancelled", "black"];

/// Earlier than any booking: without a date the channel gives upcoming ones only, and a change of last week's stay (a
/// no-show, a corrected price) would never be seen.
const ALL_DEPARTURES_FROM: &str = "2000-01-01";

/// Ids in one request: as many bookings as fit on a page of the channel's, and a URL of some 1,500 characters.
const IDS_PER_REQUEST: usize = 100;

/// How far ahead a calendar is read when no nights are named.
const CALENDAR_DAYS: u32 = 365;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    base_url: Option<String>,
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    match query.entity {
        Entity::Reservation => bookings(query),
        Entity::Property | Entity::RoomType => properties(query),
        Entity::Calendar => calendars(query),
        Entity::RatePlan | Entity::Guest => Err(ChannelError::Unsupported),
    }
}

fn bookings(query: &Query) -> Result<Page, ChannelError> {
    let mut cursor = Cursor::read(query.cursor.as_deref())?;
    if cursor.began.is_none() {
        cursor.began = Some(clock::now());
    }
    let mut request = get("/bookings")?.query("includeBookingGroup", "true");
    let mut left = false;
    if let Selection::Some(ids) = &query.selection {
        // By id the channel gives a booking whatever its status and dates.
        let Some(these) = chunk(ids, cursor.done) else { return Ok(Page::of(Vec::new())) };
        left = cursor.done + these.len() < ids.len();
        request = these.iter().fold(request, |request, id| request.query("id", id));
    } else {
        request = STATUSES.iter().fold(request, |request, status| request.query("status", status));
        request = match &query.selection {
            Selection::Everything => request.query("departureFrom", ALL_DEPARTURES_FROM),
            Selection::ChangedSince(since) => request
                .query("departureFrom", ALL_DEPARTURES_FROM)
                .query("modifiedFrom", &instant::whole_seconds(since)),
            // Whether the bounds themselves are meant is not known; both readings hold every stay that touches the nights.
            Selection::Within(Nights { start, until }) => {
                request.query("departureFrom", &start.to_string()).query("arrivalTo", &until.to_string())
            }
            Selection::Some(_) | Selection::Pending(_) => return Err(ChannelError::Unsupported),
        };
        request = within_property(request, query);
    }
    let response = request.query("page", &cursor.page.to_string()).send()?;
    let answer = answer::read(&response)?;
    let mut changes = Vec::with_capacity(answer.rows.len());
    for row in &answer.rows {
        let mapped = booking::map(&row.at, row.json)?;
        cursor.newest = cursor.newest.max(mapped.modified_at);
        changes.push(mapped.change);
    }
    // An empty page that promises another would be followed for ever.
    if answer.more && !answer.rows.is_empty() {
        cursor.page = cursor.page.saturating_add(1);
    } else if left {
        cursor = Cursor { done: cursor.done + IDS_PER_REQUEST, page: 1, ..cursor };
    } else {
        let is_sweep = matches!(query.selection, Selection::Everything | Selection::ChangedSince(_));
        return Ok(Page { resume: cursor.resume().filter(|_| is_sweep), ..Page::of(changes) });
    }
    Ok(Page { next: Some(cursor.to_string()), ..Page::of(changes) })
}

/// Properties hold their room types, so one answer serves for both. The channel does not say when they changed.
fn properties(query: &Query) -> Result<Page, ChannelError> {
    let mut cursor = Cursor::read(query.cursor.as_deref())?;
    let is_property = query.entity == Entity::Property;
    let mut request = get("/properties")?.query("includeAllRooms", "true");
    let mut left = false;
    match &query.selection {
        Selection::Some(ids) => {
            let Some(these) = chunk(ids, cursor.done) else { return Ok(Page::of(Vec::new())) };
            left = cursor.done + these.len() < ids.len();
            let name = if is_property { "id" } else { "roomId" };
            request = these.iter().fold(request, |request, id| request.query(name, id));
        }
        Selection::Everything | Selection::ChangedSince(_) => {
            request = query.property_id.iter().fold(request, |request, id| request.query("id", id));
        }
        Selection::Within(_) | Selection::Pending(_) => return Err(ChannelError::Unsupported),
    }
    let response = request.query("page", &cursor.page.to_string()).send()?;
    let answer = answer::read(&response)?;
    let map = if is_property { property::properties } else { property::room_types };
    let changes: Vec<Vec<Change>> = answer.rows.iter().map(map).collect::<Result<_, _>>()?;
    let page = Page::of(changes.into_iter().flatten().collect());
    if answer.more && !answer.rows.is_empty() {
        cursor.page = cursor.page.saturating_add(1);
    } else if left {
        cursor = Cursor { done: cursor.done + IDS_PER_REQUEST, page: 1, ..cursor };
    } else {
        return Ok(page);
    }
    Ok(Page { next: Some(cursor.to_string()), ..page })
}

fn calendars(query: &Query) -> Result<Page, ChannelError> {
    let mut cursor = Cursor::read(query.cursor.as_deref())?;
    let nights = match &query.selection {
        Selection::Within(nights) => *nights,
        // Yesterday, since at the property it may still be that day.
        Selection::Everything | Selection::Some(_) => {
            Nights::until(clock::today().previous(), clock::today().plus_days(CALENDAR_DAYS))
        }
        Selection::ChangedSince(_) | Selection::Pending(_) => return Err(ChannelError::Unsupported),
    };
    let mut request = get("/inventory/rooms/calendar")?
        .query("startDate", &nights.start.to_string())
        // The last night, not the day after it.
        .query("endDate", &nights.until.previous().to_string());
    // Without these the calendar of every room is empty.
    for part in ["NumAvail", "Prices", "MinStay", "MaxStay", "Override", "LinkedPrices"] {
        request = request.query(&format!("include{part}"), "true");
    }
    let mut left = false;
    if let Selection::Some(ids) = &query.selection {
        let Some(these) = chunk(ids, cursor.done) else { return Ok(Page::of(Vec::new())) };
        left = cursor.done + these.len() < ids.len();
        request = these.iter().fold(request, |request, id| request.query("roomId", id));
    } else {
        request = within_property(request, query);
    }
    let response = request.query("page", &cursor.page.to_string()).send()?;
    let answer = answer::read(&response)?;
    let page = Page::of(answer.rows.iter().map(calendar::map).collect::<Result<_, _>>()?);
    if answer.more && !answer.rows.is_empty() {
        cursor.page = cursor.page.saturating_add(1);
    } else if left {
        cursor = Cursor { done: cursor.done + IDS_PER_REQUEST, page: 1, ..cursor };
    } else {
        return Ok(page);
    }
    Ok(Page { next: Some(cursor.to_string()), ..page })
}

#[cfg(test)]
mod tests;
