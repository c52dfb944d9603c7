//! What Beds24 holds, as a rule one request a call.

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

/// Cancelled bookings come only when their status is asked for, and each status must be asked for by itself.
pub(crate) const STATUSES: [&str; 6] = ["new", "confirmed", "request", "inquiry", "black", "cancelled"];
/// Without a date Beds24 shows upcoming bookings only; this day is before all of them.
pub(crate) const BEFORE_ALL: &str = "2000-01-01";
/// Under which names the id of a booking or property stands, and of a booking in its older form.
pub(crate) const IDS: [&str; 2] = ["id", "bookId"];
/// Under which name the id of a calendar stands: its room's.
const IDS_OF_CALENDARS: [&str; 1] = ["roomId"];
/// Bookings asked for by id in one request: fewer than a page has.
const IDS_PER_REQUEST: usize = 50;
/// A calendar comes empty unless each part of it is asked for.
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

/// What is asked for, and under which path.
struct Asked {
    path: &'static str,
    parameters: Parameters,
    /// Of a list of ids: whether these are the last of them.
    last_ids: Option<bool>,
}

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let number = query.page_number()?;
    if matches!(&query.selection, Selection::Some(ids) if ids.is_empty()) {
        // Asked without an id Beds24 would give everything.
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

/// Blocks stand among the bookings and come with them: there is no way to ask for them that would say more.
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

/// Rooms, units and texts each have to be asked for.
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

/// By its id a booking comes in any status.
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
            // Nobody knows whether the bounds are inclusive: these are right if they are not, and never wrong if they are.
            parameters.push(("departureFrom", to_date_text(nights.start)));
            parameters.push(("arrivalTo", to_date_text(nights.until)));
        }
        Selection::Everything => parameters.push(("departureFrom", BEFORE_ALL.to_owned())),
        Selection::After(_) | Selection::Queue(_) | Selection::Some(_) => return Err(ChannelError::Unsupported),
    }
    Ok(Asked { path: "/bookings", parameters, last_ids: None })
}

/// The same whichever way a booking is asked for: otherwise what it says would change with the way.
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
    // The last night is part of it.
    parameters.push(("endDate", to_date_text(nights.last_night())));
    Asked { path: "/inventory/rooms/calendar", parameters, last_ids: None }
}

fn flags(names: &[&'static str]) -> Parameters {
    names.iter().map(|name| (*name, "true".to_owned())).collect()
}
