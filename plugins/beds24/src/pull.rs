//! Fetches records from Beds24, usually with one request per call.

use gassync_plugin::{
    Change, ChangeKind, ChannelError, Entity, Nights, Page, Query, Selection, read_each, to_date_text,
};
use serde_json::value::RawValue;

use crate::{
    booking_versions, calendar,
    client::Parameters,
    envelope::{self, Records},
    invoice::Invoice,
    property,
    settings::Settings,
};

/// Booking statuses. Beds24 returns cancelled bookings only if requested, and each status must be listed.
pub(crate) const STATUSES: [&str; 6] = ["new", "confirmed", "request", "inquiry", "black", "cancelled"];
/// Without a date Beds24 returns upcoming bookings only; this date precedes all bookings.
pub(crate) const BEFORE_ALL: &str = "2000-01-01";
/// Names of the id of a booking or property: V2 and V1.
pub(crate) const IDS: [&str; 2] = ["id", "bookId"];
/// Name of the id of a calendar, which is its room's.
const IDS_OF_CALENDARS: [&str; 1] = ["roomId"];
/// Bookings per request by id; less than a page.
const IDS_PER_REQUEST: usize = 50;
/// Parts of a calendar. Beds24 returns only the requested ones.
const CALENDAR_PARTS: [&str; 8] = [
    "includeNumAvail",
    "includePrices",
    "includeLinkedPrices",
    "includeMinStay",
    "includeMaxStay",
    "includeMultiplier",
    "includeOverride",
    "includeChannels",
];

/// The path and parameters of a request.
struct Asked {
    path: &'static str,
    parameters: Parameters,
    /// For a list of ids: true if these are the last ones.
    last_ids: Option<bool>,
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let number = query.page_number()?;
    if matches!(&query.selection, Selection::Some(ids) if ids.is_empty()) {
        // Without an id Beds24 would return everything.
        return Ok(Page::of(Vec::new()));
    }
    let settings = Settings::read()?;
    let Asked { path, mut parameters, last_ids } = asked(query, number, &settings)?;
    parameters.extend(query.property_id.iter().map(|id| ("propertyId", id.clone())));
    parameters.extend(query.room_type_id.iter().map(|id| ("roomId", id.clone())));
    let (items, another) = match last_ids {
        Some(last) => (envelope::ask_whole(&settings, path, &parameters).0?, !last),
        None => {
            let Records { items, another_page } = envelope::ask(&settings, path, &parameters)?;
            (items, another_page)
        }
    };
    let ids: &[&str] = if query.entity == Entity::Calendar { &IDS_OF_CALENDARS } else { &IDS };
    let changes =
        read_each(query.entity, &items, "/data", ids, |item, place| read(query.entity, item, &settings, place))?;
    Page::numbered(query, changes, another)
}

fn read(entity: Entity, item: &RawValue, settings: &Settings, place: &str) -> Result<Vec<Change>, ChannelError> {
    let time_zone = settings.time_zone.as_deref();
    Ok(match entity {
        Entity::Property => property::read(item, time_zone, place)?,
        Entity::RoomType => {
            let reported = property::read(item, time_zone, place)?.into_iter();
            reported.filter(|change| matches!(change.data, ChangeKind::RoomType(_))).collect()
        }
        Entity::Calendar => vec![calendar::read(item, settings, place)?],
        _ => {
            let invoice = if settings.invoice_lines { Invoice::Read { beside: None } } else { Invoice::Ignored };
            vec![booking_versions::read(item, invoice, place)?]
        }
    })
}

/// Builds the request of a query. Blocks are returned among bookings; no separate request gives more.
fn asked(query: &Query, number: usize, settings: &Settings) -> Result<Asked, ChannelError> {
    let asked = match (query.entity, &query.selection) {
        (Entity::Property | Entity::RoomType, selection) => properties(query.entity, selection)?,
        (Entity::Reservation, Selection::Some(ids)) => return Ok(bookings_by_id(ids, number, settings)),
        (Entity::Reservation, selection) => bookings(selection, settings)?,
        (Entity::Calendar, Selection::Within(nights)) => nights_of(*nights),
        _ => return Err(ChannelError::Unsupported),
    };
    let Asked { path, mut parameters, last_ids } = asked;
    parameters.push(("page", number.to_string()));
    Ok(Asked { path, parameters, last_ids })
}

/// Requests properties with rooms, units and texts, each of which needs its own parameter.
fn properties(entity: Entity, selection: &Selection) -> Result<Asked, ChannelError> {
    let mut parameters = flags(&["includeAllRooms", "includeUnitDetails"]);
    parameters.push(("includeTexts", "all".to_owned()));
    match selection {
        Selection::Everything | Selection::ChangedSince(_) => {}
        Selection::Some(ids) => {
            let key = if entity == Entity::Property { "id" } else { "roomId" };
            parameters.extend(ids.iter().map(|id| (key, id.clone())));
        }
        Selection::After(_) | Selection::Within(_) | Selection::Queue(_) => return Err(ChannelError::Unsupported),
    }
    Ok(Asked { path: "/properties", parameters, last_ids: None })
}

/// Requests bookings by id, which returns any status.
fn bookings_by_id(ids: &[String], number: usize, settings: &Settings) -> Asked {
    let chunk = ids.chunks(IDS_PER_REQUEST).nth(number - 1).unwrap_or_default();
    let mut parameters = beside_bookings(settings);
    parameters.extend(chunk.iter().map(|id| ("id", id.clone())));
    let last_ids = Some(number.saturating_mul(IDS_PER_REQUEST) >= ids.len());
    Asked { path: "/bookings", parameters, last_ids }
}

fn bookings(selection: &Selection, settings: &Settings) -> Result<Asked, ChannelError> {
    let mut parameters: Parameters = STATUSES.iter().map(|status| ("status", (*status).to_owned())).collect();
    parameters.extend(beside_bookings(settings));
    match selection {
        Selection::ChangedSince(instant) => {
            parameters.push(("modifiedFrom", instant.clone()));
            parameters.push(("departureFrom", BEFORE_ALL.to_owned()));
        }
        Selection::Within(nights) => {
            // It is unconfirmed if the bounds are inclusive; these are correct either way.
            parameters.push(("departureFrom", to_date_text(nights.start)));
            parameters.push(("arrivalTo", to_date_text(nights.until)));
        }
        Selection::Everything => parameters.push(("departureFrom", BEFORE_ALL.to_owned())),
        Selection::After(_) | Selection::Queue(_) | Selection::Some(_) => return Err(ChannelError::Unsupported),
    }
    Ok(Asked { path: "/bookings", parameters, last_ids: None })
}

/// Parameters of every booking request, so that a booking's content does not depend on the query.
fn beside_bookings(settings: &Settings) -> Parameters {
    let mut parameters = flags(&["includeBookingGroup"]);
    if settings.invoice_lines {
        parameters.extend(flags(&["includeInvoiceItems"]));
    }
    parameters
}

fn nights_of(nights: Nights) -> Asked {
    let mut parameters = flags(&CALENDAR_PARTS);
    parameters.push(("startDate", to_date_text(nights.start)));
    // The last night is inclusive.
    parameters.push(("endDate", to_date_text(nights.last_night())));
    Asked { path: "/inventory/rooms/calendar", parameters, last_ids: None }
}

fn flags(names: &[&'static str]) -> Parameters {
    names.iter().map(|name| (*name, "true".to_owned())).collect()
}
