//! `GET /bookings`, with its traps: cancelled bookings are left out unless their status is asked for, without a date
//! only upcoming ones come, unknown parameters are ignored, and lists are written by repeating a parameter.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Beds24, book::Booking, envelope, error};

/// Bookings on a page.
pub(super) const PAGE: usize = 100;
/// What is shown when no status is asked for.
const DEFAULT_STATUSES: [&str; 5] = ["confirmed", "request", "new", "black", "inquiry"];

#[derive(Default)]
struct Filter {
    ids: Vec<u64>,
    masters: Vec<u64>,
    properties: Vec<u64>,
    rooms: Vec<u64>,
    statuses: Vec<String>,
    arrival: (Option<Date>, Option<Date>),
    departure: (Option<Date>, Option<Date>),
    modified: (Option<Timestamp>, Option<Timestamp>),
    booked: (Option<Timestamp>, Option<Timestamp>),
    dated: bool,
    page: usize,
}

pub(super) async fn list(State(simulator): State<Beds24>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let filter = match parse(&query) {
        Ok(filter) => filter,
        Err(text) => return error(StatusCode::BAD_REQUEST, &text),
    };
    let today = (simulator.inner.clock)().to_zoned(TimeZone::UTC).date();
    let account = simulator.account();
    let found: Vec<&Booking> = account.book.bookings.iter().filter(|b| filter.takes(b, today)).collect();
    let from = (filter.page - 1) * PAGE;
    let data = found.iter().skip(from).take(PAGE).map(|b| super::wire::booking(b, &account.book)).collect();
    let next = (found.len() > from + PAGE).then(|| format!("/api/v2/bookings?page={}", filter.page + 1));
    envelope("booking", data, next)
}

fn parse(query: &str) -> Result<Filter, String> {
    let mut filter = Filter { page: 1, ..Filter::default() };
    for (name, value) in form(query) {
        let number = || value.parse::<u64>().map_err(|_| format!("Parameter {name} is in an invalid format"));
        match name.trim_end_matches("[]") {
            "id" => filter.ids.push(number()?),
            "masterId" => filter.masters.push(number()?),
            "propertyId" => filter.properties.push(number()?),
            "roomId" => filter.rooms.push(number()?),
            "page" => filter.page = usize::try_from(number()?).unwrap_or(1).max(1),
            "status" => {
                let known = DEFAULT_STATUSES.contains(&value.as_str()) || value == "cancelled";
                if !known {
                    return Err(format!("Parameter status has an invalid value: {value}"));
                }
                filter.statuses.push(value);
            }
            "arrival" => filter.arrival = (Some(date(&name, &value)?), Some(date(&name, &value)?)),
            "arrivalFrom" => filter.arrival.0 = Some(date(&name, &value)?),
            "arrivalTo" => filter.arrival.1 = Some(date(&name, &value)?),
            "departure" => filter.departure = (Some(date(&name, &value)?), Some(date(&name, &value)?)),
            "departureFrom" => filter.departure.0 = Some(date(&name, &value)?),
            "departureTo" => filter.departure.1 = Some(date(&name, &value)?),
            "modifiedFrom" => filter.modified.0 = Some(instant(&name, &value)?),
            "modifiedTo" => filter.modified.1 = Some(instant(&name, &value)?),
            "bookingTimeFrom" => filter.booked.0 = Some(instant(&name, &value)?),
            "bookingTimeTo" => filter.booked.1 = Some(instant(&name, &value)?),
            // Ignored without a word, as the channel does.
            _ => continue,
        }
        filter.dated |= ["arrival", "departure", "modified", "bookingTime"].iter().any(|kind| name.starts_with(kind));
    }
    Ok(filter)
}

impl Filter {
    fn takes(&self, booking: &Booking, today: Date) -> bool {
        let e = &booking.entry;
        let one_of = |list: &[u64], id: u64| list.is_empty() || list.contains(&id);
        if !self.ids.is_empty() {
            // By id a booking comes in any status and at any time.
            return self.ids.contains(&e.id);
        }
        let status = if self.statuses.is_empty() {
            DEFAULT_STATUSES.contains(&e.status.as_str())
        } else {
            self.statuses.contains(&e.status)
        };
        status
            && (self.masters.is_empty() || booking.master_id.is_some_and(|id| self.masters.contains(&id)))
            && one_of(&self.properties, e.property_id)
            && one_of(&self.rooms, e.room_id)
            && (self.dated || e.departure >= today)
            && within(self.arrival, e.arrival)
            && within(self.departure, e.departure)
            && within(self.modified, e.modified)
            && within(self.booked, booking.booked)
    }
}

fn within<T: PartialOrd>((from, to): (Option<T>, Option<T>), value: T) -> bool {
    from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to)
}

fn date(name: &str, value: &str) -> Result<Date, String> {
    let strict = value.len() == 10;
    strict
        .then(|| value.parse().ok())
        .flatten()
        .ok_or_else(|| format!("Parameter {name} is in an invalid format. Expected format: YYYY-MM-DD"))
}

fn instant(name: &str, value: &str) -> Result<Timestamp, String> {
    if value.len() > 10 {
        return value.parse().map_err(|_| format!("Parameter {name} is in an invalid format"));
    }
    let day = date(name, value)?;
    day.to_zoned(TimeZone::UTC).map(|z| z.timestamp()).map_err(|e| e.to_string())
}

/// Names and values of a query, in order.
pub(super) fn form(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            let hex = (*first == b'%').then(|| tail.get(..2)).flatten();
            let byte = hex.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &tail[2..] } else { tail };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decode(n), decode(v))).collect()
}
