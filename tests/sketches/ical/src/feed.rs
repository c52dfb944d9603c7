//! Our calendar, for sites that fetch one: an event for each booking, and one for each run of other nights that are closed.
//!
//! The first part has the bookings, each further one the closed nights of a year. Years begin where they begin, whenever
//! they are asked for, so that an event keeps its UID from one day to the next.

use std::collections::{BTreeMap, BTreeSet};

use gassync_plugin::{
    Booked, CalendarNights, ChannelError, Date, Header, HttpRequest, Nights, Part, ReservationStatus, RoomType, clock,
    inventory, malformed, settings, to_date_text,
};

use crate::{
    Settings,
    lines::{escape, write},
};

/// How many years after this one are shown.
const YEARS_AHEAD: i16 = 2;
/// The stamp of what nobody knows the age of: it must have one, and the same one each time.
const NO_STAMP: &str = "1970-01-01T00:00:00Z";

pub(crate) fn render(request: &HttpRequest, part: Option<&str>) -> Result<Part, ChannelError> {
    let path = request.url.split('?').next().unwrap_or_default();
    let id = path.rsplit('/').next().and_then(|name| name.strip_suffix(".ics")).unwrap_or_default();
    let Some(room) = find(id) else {
        return Ok(Part { status: 404, headers: Vec::new(), body: Vec::new(), next: None });
    };
    let mut body = String::new();
    let next = match part {
        None => {
            begin(&mut body, &room.name);
            let this_year = clock::today().year;
            bookings(&mut body, &room)?;
            Some(format!("{this_year}/{}", this_year + YEARS_AHEAD))
        }
        Some(part) => {
            let (this, last) = part.split_once('/').ok_or_else(|| malformed("part", "is not one of ours"))?;
            let (this, last) = (year(this)?, year(last)?);
            closed_nights(&mut body, &room, this)?;
            if this >= last {
                write(&mut body, "END", "VCALENDAR");
            }
            (this < last).then(|| format!("{}/{last}", this + 1))
        }
    };
    let content_type = Header { name: "content-type".to_owned(), value: "text/calendar; charset=utf-8".to_owned() };
    Ok(Part { status: 200, headers: vec![content_type], body: body.into_bytes(), next })
}

fn find(id: &str) -> Option<RoomType> {
    let rooms = inventory::properties().into_iter().flat_map(|property| inventory::room_types(&property.id));
    rooms.into_iter().find(|room| room.id == id)
}

fn year(text: &str) -> Result<i16, ChannelError> {
    let year = text.get(..4).and_then(|year| year.parse().ok());
    year.ok_or_else(|| malformed("part", "is not one of ours"))
}

fn begin(body: &mut String, name: &str) {
    for (property, value) in [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//GasSync//Calendar//EN"),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("X-WR-CALNAME", &escape(name)),
    ] {
        write(body, property, value);
    }
}

/// Who comes is nobody's business there: an event says that the nights are taken.
fn bookings(body: &mut String, room: &RoomType) -> Result<(), ChannelError> {
    let Settings { source, .. } = settings()?;
    for (booked, stay) in stays(room) {
        // Of what it has sold itself the site needs no telling.
        let theirs = !source.is_empty() && booked.reservation.source.as_deref() == Some(source.as_str());
        if !theirs {
            event(body, &booked.our_reference, stay, "Reserved", &booked.changed_at);
        }
    }
    Ok(())
}

/// The bookings that hold nights of the room. Of a type with several units one booking closes nothing.
fn stays(room: &RoomType) -> Vec<(Booked, Nights)> {
    if room.quantity.is_some_and(|quantity| quantity > 1) {
        return Vec::new();
    }
    let holds = |booked: &Booked| {
        use ReservationStatus::{Confirmed, NoShow, Pending};
        matches!(booked.reservation.status, Confirmed | Pending(_) | NoShow)
    };
    let mut stays = Vec::new();
    for booked in inventory::reservations(None).into_iter().filter(holds) {
        let of_room = |sold: &&gassync_plugin::RoomStay| sold.room_type_id.as_deref() == Some(room.id.as_str());
        let stay = booked.reservation.rooms.iter().find(of_room).map(|sold| sold.stay.or(booked.reservation.stay));
        if let Some(Some(stay)) = stay {
            stays.push((booked, stay));
        }
    }
    stays
}

fn closed_nights(body: &mut String, room: &RoomType, year: i16) -> Result<(), ChannelError> {
    let first = |year| Date { year, month: 1, day: 1 };
    let span = Nights { start: first(year), until: first(year + 1) };
    let booked: BTreeSet<Date> = stays(room).into_iter().flat_map(|(_, stay)| stay.each_night()).collect();
    // Where there are rate plans, a night is closed when all that say anything of it say so.
    let mut closed: BTreeMap<Date, bool> = BTreeMap::new();
    for row in inventory::calendar(&room.id, span) {
        let Some(is_closed) = is_closed(&row) else { continue };
        for night in row.stay.each_night() {
            *closed.entry(night).or_insert(true) &= is_closed;
        }
    }
    let stamp = inventory::changed_at(&room.property_id).unwrap_or_else(|| NO_STAMP.to_owned());
    let mut run: Option<Nights> = None;
    // The day after the last ends the run that is open then.
    for day in span.each_night().chain([span.until]) {
        let is_closed = day < span.until && closed.get(&day) == Some(&true) && !booked.contains(&day);
        run = match (run.take(), is_closed) {
            (Some(run), true) => Some(Nights { until: day.next_day(), ..run }),
            (None, true) => Some(Nights::through(day, day)),
            (Some(run), false) => {
                let uid = format!("closed-{}-{}", room.id, to_date_text(run.start));
                event(body, &uid, run, "Not available", &stamp);
                None
            }
            (None, false) => None,
        };
    }
    Ok(())
}

fn is_closed(row: &CalendarNights) -> Option<bool> {
    row.available.map(|available| !available).or_else(|| row.units_available.map(|units| units < 1))
}

fn event(body: &mut String, uid: &str, stay: Nights, summary: &str, changed_at: &str) {
    let compact = |text: &str| text.replace(['-', ':'], "");
    let stamp = format!("{}Z", compact(changed_at.get(..19).unwrap_or(&NO_STAMP[..19])));
    for (property, value) in [
        ("BEGIN", "VEVENT"),
        ("UID", &escape(&format!("{uid}@gassync"))),
        ("DTSTAMP", &stamp),
        ("DTSTART;VALUE=DATE", &compact(&to_date_text(stay.start))),
        // The day of departure: not a day of the event.
        ("DTEND;VALUE=DATE", &compact(&to_date_text(stay.until))),
        ("SUMMARY", summary),
        ("TRANSP", "OPAQUE"),
        ("END", "VEVENT"),
    ] {
        write(body, property, value);
    }
}
