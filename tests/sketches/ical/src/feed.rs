//! Our calendar, for sites that fetch one: an event per booking, and one per run of other closed nights.
//!
//! The first chunk has the bookings of these years, each further one the closed nights of a year. The chunks are
//! calendar years, whenever they are requested, so that an event keeps its UID from one day to the next.

use std::collections::{BTreeMap, BTreeSet};

use gassync_plugin::{
    CalendarNights, ChannelError, Chunk, CoreBooking, Date, Header, HttpRequest, Nights, RoomType, clock, core_data,
    malformed, settings, to_date_text,
};

use crate::{
    Settings,
    lines::{escape, write},
};

/// Number of years after this one.
const YEARS_AHEAD: i16 = 2;
/// The stamp of events of unknown age: a stamp is required, and must not change.
const NO_STAMP: &str = "1970-01-01T00:00:00Z";

pub(crate) fn render(request: &HttpRequest, cursor: Option<&str>) -> Result<Chunk, ChannelError> {
    let id = request.path().rsplit('/').next().and_then(|name| name.strip_suffix(".ics")).unwrap_or_default();
    let Some(room) = find(id) else {
        return Ok(Chunk { status: 404, headers: Vec::new(), body: Vec::new(), next: None });
    };
    let mut body = String::new();
    let next = match cursor {
        None => {
            begin(&mut body, &room.name);
            let this = clock::today().year;
            let last = this + YEARS_AHEAD;
            bookings(&mut body, &room, years(this, last))?;
            Some(format!("{this}/{last}"))
        }
        Some(cursor) => {
            let (this, last) = cursor.split_once('/').ok_or_else(|| malformed("cursor", "is not one of ours"))?;
            let (this, last) = (year(this)?, year(last)?);
            closed_nights(&mut body, &room, years(this, this));
            if this >= last {
                write(&mut body, "END", "VCALENDAR");
            }
            (this < last).then(|| format!("{}/{last}", this + 1))
        }
    };
    let content_type = Header { name: "content-type".to_owned(), value: "text/calendar; charset=utf-8".to_owned() };
    Ok(Chunk { status: 200, headers: vec![content_type], body: body.into_bytes(), next })
}

fn find(id: &str) -> Option<RoomType> {
    let rooms = core_data::properties().into_iter().flat_map(|property| core_data::room_types(&property.id));
    rooms.into_iter().find(|room| room.id == id)
}

fn years(first: i16, last: i16) -> Nights {
    let begin = |year| Date { year, month: 1, day: 1 };
    Nights { start: begin(first), until: begin(last + 1) }
}

fn year(text: &str) -> Result<i16, ChannelError> {
    let year = text.get(..4).and_then(|year| year.parse().ok());
    year.ok_or_else(|| malformed("cursor", "is not one of ours"))
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

/// Writes an event per booking, without guest data: only that the nights are taken.
fn bookings(body: &mut String, room: &RoomType, span: Nights) -> Result<(), ChannelError> {
    let Settings { source, .. } = settings()?;
    for (booked, stay) in stays(room, span) {
        // Bookings that the site sold itself are left out.
        let theirs = !source.is_empty() && booked.reservation.source.as_deref() == Some(source.as_str());
        if !theirs {
            event(body, &booked.our_reference, stay, "Reserved", &booked.changed_at);
        }
    }
    Ok(())
}

/// True for several units: then neither one booking nor one closed unit closes the room type.
fn has_several(room: &RoomType) -> bool {
    room.quantity.is_some_and(|quantity| quantity > 1)
}

/// The bookings that hold nights of the room, with those nights.
fn stays(room: &RoomType, span: Nights) -> Vec<(CoreBooking, Nights)> {
    let of_room = |booked: CoreBooking| {
        let rooms = &booked.reservation.rooms;
        let sold = rooms.iter().find(|sold| sold.room_type_id.as_deref() == Some(room.id.as_str()))?;
        let stay = sold.stay.or(booked.reservation.stay)?;
        Some((booked, stay))
    };
    if has_several(room) {
        Vec::new()
    } else {
        core_data::stays(&room.id, span).into_iter().filter_map(of_room).collect()
    }
}

/// Nights without a booking that cannot be booked: closed in the calendar, or blocked.
fn closed(room: &RoomType, span: Nights) -> BTreeSet<Date> {
    // With several rate plans, a night is closed if all that give a state say so.
    let mut closed: BTreeMap<Date, bool> = BTreeMap::new();
    for row in core_data::calendar(&room.id, span) {
        let Some(is_closed) = is_closed(&row) else { continue };
        for night in within(row.stay, span).each_night() {
            *closed.entry(night).or_insert(true) &= is_closed;
        }
    }
    let blocks = core_data::blocks(&room.id, span).into_iter();
    let blocks = blocks.filter(|block| block.unit_id.is_none() || !has_several(room));
    closed.extend(blocks.flat_map(|block| within(block.stay, span).each_night()).map(|night| (night, true)));
    let booked: BTreeSet<Date> =
        stays(room, span).into_iter().flat_map(|(_, stay)| within(stay, span).each_night()).collect();
    closed
        .into_iter()
        .filter(|(night, is_closed)| *is_closed && !booked.contains(night))
        .map(|(night, _)| night)
        .collect()
}

fn within(stay: Nights, span: Nights) -> Nights {
    Nights { start: stay.start.max(span.start), until: stay.until.min(span.until) }
}

/// Writes an event per run of closed nights, without the reason.
fn closed_nights(body: &mut String, room: &RoomType, span: Nights) {
    let closed: Vec<Date> = closed(room, span).into_iter().collect();
    let stamp = core_data::changed_at(&room.property_id).unwrap_or_else(|| NO_STAMP.to_owned());
    for run in closed.chunk_by(|a, b| a.next_day() == *b) {
        let [first, ..] = run else { continue };
        let run = Nights { start: *first, until: run.last().unwrap_or(first).next_day() };
        let uid = format!("closed-{}-{}", room.id, to_date_text(run.start));
        event(body, &uid, run, "Not available", &stamp);
    }
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
        // The departure date; the end of an event is exclusive.
        ("DTEND;VALUE=DATE", &compact(&to_date_text(stay.until))),
        ("SUMMARY", summary),
        ("TRANSP", "OPAQUE"),
        ("END", "VEVENT"),
    ] {
        write(body, property, value);
    }
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{
        Block, Reservation, ReservationStatus, RoomStay, parse_date,
        testing::{CoreData, FakeHost, get},
    };

    use super::*;

    fn nights(start: &str, until: &str) -> Nights {
        let day = |text| parse_date(text).expect(text);
        Nights { start: day(start), until: day(until) }
    }

    fn booked(reference: &str, stay: Nights, status: ReservationStatus) -> CoreBooking {
        let rooms = vec![RoomStay::new(Some("loft".to_owned()))];
        let reservation = Reservation { rooms, stay: Some(stay), ..Reservation::new(reference, status) };
        CoreBooking { our_reference: reference.to_owned(), changed_at: "2027-05-01T09:30:00Z".to_owned(), reservation }
    }

    fn ready(quantity: u32) {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"unitId":"loft","unitName":"Loft","source":"","blockWords":[]}"#);
        FakeHost::set_now("2027-05-20T00:00:00Z");
        let mut shut = CalendarNights::new("loft", nights("2027-06-03", "2027-06-05"));
        shut.available = Some(false);
        let of_unit = |unit: Option<&str>, stay: Nights| Block {
            unit_id: unit.map(str::to_owned),
            reason: Some("painters".to_owned()),
            ..Block::new(vec!["loft".to_owned()], stay)
        };
        FakeHost::set_core_data(CoreData {
            properties: vec![gassync_plugin::Property::new("loft", "Loft")],
            room_types: vec![RoomType { quantity: Some(quantity), ..RoomType::new("loft", "loft", "Loft") }],
            calendar: vec![shut],
            reservations: vec![
                booked("old", nights("2026-06-01", "2026-06-03"), ReservationStatus::Confirmed),
                booked("new-year", nights("2026-12-30", "2027-01-02"), ReservationStatus::Confirmed),
                booked("live", nights("2027-06-01", "2027-06-04"), ReservationStatus::Confirmed),
                booked("gone", nights("2027-07-01", "2027-07-03"), ReservationStatus::Cancelled),
            ],
            blocks: vec![
                of_unit(Some("1"), nights("2027-06-05", "2027-06-07")),
                Block::new(Vec::new(), nights("2027-12-30", "2028-01-02")),
            ],
            ..CoreData::default()
        });
    }

    /// UID, start and end of each event.
    fn events() -> Vec<(String, String, String)> {
        let (mut text, mut cursor) = (String::new(), None);
        loop {
            let rendered = render(&get("/calendars/loft.ics"), cursor.as_deref()).expect("a chunk");
            text.push_str(&String::from_utf8(rendered.body).expect("text"));
            cursor = rendered.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(!text.contains("painters"), "{text}");
        let said = |event: &str, name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim_end_matches("@gassync").to_owned()
        };
        let reported =
            |event: &str| (said(event, "UID:"), said(event, "DTSTART;VALUE=DATE:"), said(event, "DTEND;VALUE=DATE:"));
        text.split("BEGIN:VEVENT").skip(1).map(reported).collect()
    }

    fn reported(events: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        events.iter().map(|(uid, start, end)| ((*uid).to_owned(), (*start).to_owned(), (*end).to_owned())).collect()
    }

    #[test]
    fn bookings_blocks_and_closed_nights_are_events() {
        ready(1);
        let expected = reported(&[
            ("new-year", "20261230", "20270102"),
            ("live", "20270601", "20270604"),
            ("closed-loft-2027-06-04", "20270604", "20270607"),
            ("closed-loft-2027-12-30", "20271230", "20280101"),
            ("closed-loft-2028-01-01", "20280101", "20280102"),
        ]);
        assert_eq!(events(), expected, "a night that is sold is not closed as well, and what touches is one");
    }

    #[test]
    fn of_several_units_one_closes_nothing() {
        ready(2);
        let expected = reported(&[
            ("closed-loft-2027-06-03", "20270603", "20270605"),
            ("closed-loft-2027-12-30", "20271230", "20280101"),
            ("closed-loft-2028-01-01", "20280101", "20280102"),
        ]);
        assert_eq!(events(), expected);
    }
}
