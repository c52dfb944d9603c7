//! What Beds24 holds, one request a call.

use gassync_plugin::{
    ChannelError, Entity, News, Page, Query, Selection, http, percent_encode, settings, to_date_text,
};
use serde::Deserialize;

use crate::{
    booking, calendar,
    envelope::{self, Records},
    property,
};

/// Cancelled bookings come only when their status is asked for, and each status must be asked for by itself.
const STATUSES: [&str; 6] = ["new", "confirmed", "request", "inquiry", "black", "cancelled"];
/// Without a date Beds24 shows upcoming bookings only; this day is before all of them.
const BEFORE_ALL: &str = "2000-01-01";
/// Bookings asked for by id in one request.
const IDS_PER_REQUEST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    base_url: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { base_url: "https://beds24.com/api/v2".to_owned() }
    }
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let number = query.page_number()?;
    if matches!(&query.selection, Selection::Some(ids) if ids.is_empty()) {
        // Asked without an id Beds24 would give everything.
        return Ok(Page::of(Vec::new()));
    }
    let (path, mut parameters, last_by_ids) = request(query, number)?;
    if let Some(property_id) = &query.property_id {
        parameters.push(("propertyId", property_id.clone()));
    }
    if let Some(room_type_id) = &query.room_type_id {
        parameters.push(("roomId", room_type_id.clone()));
    }
    let Records { items, another_page } = ask(path, &parameters)?;
    let mut changes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = format!("/data/{index}");
        match query.entity {
            Entity::Property => changes.extend(property::read(item, &place)?),
            Entity::RoomType => {
                let rooms = property::read(item, &place)?.into_iter();
                changes.extend(rooms.filter(|change| matches!(change.news, News::RoomType(_))));
            }
            Entity::Calendar => changes.push(calendar::read(item, &place)?),
            _ => changes.push(booking::read(item, &place)?),
        }
    }
    // An empty page that promises another would promise for ever.
    let another = last_by_ids.map_or(another_page && !items.is_empty(), |last| !last);
    Page::numbered(query, changes, another)
}

type Parameters = Vec<(&'static str, String)>;

/// Path, parameters, and for a list of ids whether this page is the last.
fn request(query: &Query, number: usize) -> Result<(&'static str, Parameters, Option<bool>), ChannelError> {
    let page = ("page", number.to_string());
    match (query.entity, &query.selection) {
        (Entity::Property | Entity::RoomType, Selection::Everything | Selection::ChangedSince(_)) => {
            Ok(("/properties", vec![("includeAllRooms", "true".to_owned()), page], None))
        }
        (Entity::Property | Entity::RoomType, Selection::Some(ids)) => {
            let key = if query.entity == Entity::Property { "id" } else { "roomId" };
            let mut parameters = vec![("includeAllRooms", "true".to_owned())];
            parameters.extend(ids.iter().map(|id| (key, id.clone())));
            parameters.push(page);
            Ok(("/properties", parameters, None))
        }
        (Entity::Reservation, Selection::Some(ids)) => {
            // By id a booking comes in any status.
            let chunk = ids.chunks(IDS_PER_REQUEST).nth(number - 1).unwrap_or_default();
            let parameters = chunk.iter().map(|id| ("id", id.clone())).collect();
            Ok(("/bookings", parameters, Some(number.saturating_mul(IDS_PER_REQUEST) >= ids.len())))
        }
        (Entity::Reservation, selection) => {
            let mut parameters: Parameters = STATUSES.iter().map(|status| ("status", (*status).to_owned())).collect();
            parameters.push(("includeBookingGroup", "true".to_owned()));
            match selection {
                Selection::ChangedSince(instant) => {
                    parameters.push(("modifiedFrom", instant.clone()));
                    parameters.push(("departureFrom", BEFORE_ALL.to_owned()));
                }
                Selection::Within(nights) => {
                    // Nobody knows whether the bounds are inclusive: a day more on each side is never wrong.
                    parameters.push(("departureFrom", to_date_text(nights.start)));
                    parameters.push(("arrivalTo", to_date_text(nights.until)));
                }
                Selection::Everything => parameters.push(("departureFrom", BEFORE_ALL.to_owned())),
                Selection::After(_) | Selection::Pending(_) | Selection::Some(_) => {
                    return Err(ChannelError::Unsupported);
                }
            }
            parameters.push(page);
            Ok(("/bookings", parameters, None))
        }
        (Entity::Calendar, Selection::Within(nights)) => {
            // Without a flag for each part the calendar comes empty. The last day is inclusive.
            let flags = [
                "includeNumAvail",
                "includePrices",
                "includeLinkedPrices",
                "includeMinStay",
                "includeMaxStay",
                "includeOverride",
            ];
            let mut parameters: Parameters = flags.iter().map(|flag| (*flag, "true".to_owned())).collect();
            parameters.push(("startDate", to_date_text(nights.start)));
            parameters.push(("endDate", to_date_text(nights.last_night())));
            parameters.push(page);
            Ok(("/inventory/rooms/calendar", parameters, None))
        }
        _ => Err(ChannelError::Unsupported),
    }
}

fn ask(path: &str, parameters: &Parameters) -> Result<Records, ChannelError> {
    let Settings { base_url } = settings()?;
    let query: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    let url = format!("{}{path}?{}", base_url.trim_end_matches('/'), query.join("&"));
    let answer = http::Request::get(url).header("token", "{{beds24.token}}").secret("beds24.token").send()?;
    if answer.status() != 200 {
        // Two spellings are about: one on the wire, one in the vendor's file.
        let resets_in =
            answer.header("x-five-min-limit-resets-in").or_else(|| answer.header("x-fivemincreditlimit-resetsin"));
        return Err(envelope::status_error(answer.status(), answer.body(), resets_in));
    }
    envelope::records(answer.body())
}
