//! Filters of `GET /bookings`. Cancelled bookings are returned only if their status is requested, and without a date
//! only upcoming bookings.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::super::{
    Settings,
    booking::BookingRecord,
    plain_keys::STATUSES,
    query::{BadParameter, QueryParams},
};

/// Statuses returned by default.
const DEFAULT_STATUSES: [&str; 5] = ["confirmed", "request", "new", "black", "inquiry"];
/// Maximum age for `filter=new`.
const NEW: SignedDuration = SignedDuration::from_hours(24);

/// A range; both ends are optional.
struct Span<T> {
    from: Option<T>,
    to: Option<T>,
    with_bounds: bool,
}

pub(super) struct BookingFilter {
    ids: Vec<u64>,
    masters: Vec<u64>,
    properties: Vec<u64>,
    rooms: Vec<u64>,
    references: Vec<String>,
    statuses: Vec<String>,
    channel: Option<String>,
    kind: Option<String>,
    search: Option<String>,
    search_finds_reference: bool,
    arrival: Span<Date>,
    departure: Span<Date>,
    modified: Span<Timestamp>,
    booked: Span<Timestamp>,
}

impl BookingFilter {
    pub fn read(query: &QueryParams, settings: &Settings) -> Result<Self, BadParameter> {
        if let Some(bad) = query.texts("status").find(|word| !STATUSES.contains(word)) {
            return Err(BadParameter(format!("Parameter status has an invalid value: {bad}")));
        }
        let days = |name: &str| -> Result<Span<Date>, BadParameter> {
            if let Some(on) = query.date(name)? {
                return Ok(Span { from: Some(on), to: Some(on), with_bounds: true });
            }
            let (from, to) = (query.date(&format!("{name}From"))?, query.date(&format!("{name}To"))?);
            Ok(Span { from, to, with_bounds: settings.bounds_included })
        };
        let instants = |name: &str| -> Result<Span<Timestamp>, BadParameter> {
            let (from, to) = (query.instant(&format!("{name}From"))?, query.instant(&format!("{name}To"))?);
            Ok(Span { from, to, with_bounds: settings.bounds_included })
        };
        Ok(Self {
            ids: query.numbers("id")?,
            masters: query.numbers("masterId")?,
            properties: query.numbers("propertyId")?,
            rooms: query.numbers("roomId")?,
            references: query.texts("apiReference").map(str::to_owned).collect(),
            statuses: query.texts("status").map(str::to_owned).collect(),
            channel: query.text("channel").map(str::to_owned),
            kind: query.word("filter", &["arrivals", "departures", "new", "current"])?.map(str::to_owned),
            search: query.text("searchString").filter(|text| !text.is_empty()).map(str::to_lowercase),
            search_finds_reference: settings.search_finds_reference,
            arrival: days("arrival")?,
            departure: days("departure")?,
            modified: instants("modified")?,
            booked: instants("bookingTime")?,
        })
    }

    /// True if the query is by id.
    pub fn is_by_id(&self) -> bool {
        !self.ids.is_empty()
    }

    pub fn takes(&self, booking: &BookingRecord, now: Timestamp) -> bool {
        let e = &booking.entry;
        if !self.ids.is_empty() {
            // A query by id returns bookings of any status and date.
            return self.ids.contains(&e.id);
        }
        let one_of = |list: &[u64], id: u64| list.is_empty() || list.contains(&id);
        let status = match self.statuses.as_slice() {
            [] => DEFAULT_STATUSES.contains(&e.status.as_str()),
            statuses => statuses.contains(&e.status),
        };
        status
            && (self.masters.is_empty() || e.master_id.is_some_and(|id| self.masters.contains(&id)))
            && one_of(&self.properties, e.property_id)
            && one_of(&self.rooms, e.room_id)
            && (self.references.is_empty() || self.references.contains(&e.api_reference))
            && self.channel.as_ref().is_none_or(|channel| *channel == e.channel)
            && self.search.as_ref().is_none_or(|search| self.finds(search, booking))
            && self.is_in_time(booking, now)
    }

    fn is_in_time(&self, booking: &BookingRecord, now: Timestamp) -> bool {
        let (e, today) = (&booking.entry, super::super::today(now));
        let kind = match self.kind.as_deref() {
            None => return self.is_within(booking) && (self.is_dated() || e.departure >= today),
            Some("arrivals") => e.arrival == today,
            Some("departures") => e.departure == today,
            Some("current") => e.arrival <= today && today < e.departure,
            Some(_) => now.duration_since(booking.booked) < NEW,
        };
        kind && self.is_within(booking)
    }

    fn is_dated(&self) -> bool {
        self.arrival.is_set() || self.departure.is_set() || self.modified.is_set() || self.booked.is_set()
    }

    fn is_within(&self, booking: &BookingRecord) -> bool {
        let e = &booking.entry;
        self.arrival.holds(&e.arrival)
            && self.departure.holds(&e.departure)
            && self.modified.holds(&booking.shown_modified())
            && self.booked.holds(&booking.booked)
    }

    fn finds(&self, search: &str, booking: &BookingRecord) -> bool {
        let e = &booking.entry;
        let name = format!("{} {}", e.first_name, e.last_name);
        let id = e.id.to_string();
        let reference = if self.search_finds_reference { e.reference.as_str() } else { "" };
        [&name, booking.text("email"), &e.api_reference, &id, reference]
            .iter()
            .any(|text| text.to_lowercase().contains(search))
    }
}

impl<T: PartialOrd> Span<T> {
    fn is_set(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn holds(&self, value: &T) -> bool {
        let on_bound = |bound: &T| self.with_bounds && value == bound;
        let begun = self.from.as_ref().is_none_or(|from| value > from || on_bound(from));
        begun && self.to.as_ref().is_none_or(|to| value < to || on_bound(to))
    }
}
