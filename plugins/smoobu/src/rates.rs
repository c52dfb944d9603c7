//! Reads nights: prices, shortest stays, and whether an apartment is free.

use std::collections::BTreeMap;

use gassync_plugin::{
    CalendarNights, Change, ChangeKind, ChannelError, Lenient, Nights, Price, Route, change, lenient, money, note,
    parse_date, read_json,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::price::amount;

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Night {
    price: Lenient,
    min_length_of_stay: Lenient,
    available: Lenient,
}

/// A night as it was sent; one that is no object has no values.
#[derive(Deserialize)]
struct Sent(#[serde(deserialize_with = "lenient")] Night);

/// Nights by date.
type Dates = BTreeMap<String, Sent>;

/// Returns the nights by apartment id, which is an object key, so a text. An empty object may be written as a list.
pub(crate) fn by_apartment(data: &RawValue, path: &str) -> Result<BTreeMap<String, Box<RawValue>>, ChannelError> {
    if is_empty_list(data) { Ok(BTreeMap::new()) } else { read_json(data.get(), path) }
}

fn is_empty_list(data: &RawValue) -> bool {
    serde_json::from_str::<[serde::de::IgnoredAny; 0]>(data.get()).is_ok()
}

/// Reads the calendar of an apartment; `span` limits the nights.
pub(crate) fn read(
    apartment: &str,
    data: &RawValue,
    (span, account): (Option<Nights>, Option<&str>),
    path: &str,
) -> Result<Change, ChannelError> {
    let dates: Dates = if is_empty_list(data) { Dates::new() } else { read_json(data.get(), path)? };
    let mut rows: Vec<CalendarNights> = Vec::new();
    for (text, Sent(night)) in dates {
        let Some(date) = parse_date(&text) else {
            note(format_args!("{path}/{text}"), "is not a date (YYYY-MM-DD)");
            continue;
        };
        if span.is_some_and(|span| date < span.start || date >= span.until) {
            continue;
        }
        let row = night.row(apartment, Nights::through(date, date), &format!("{path}/{text}"));
        match rows.last_mut() {
            // Equal nights in a row are one range.
            Some(last) if last.stay.until == date && is_same(last, &row) => last.stay.until = row.stay.until,
            _ => rows.push(row),
        }
    }
    let route = Route { property_id: Some(apartment.to_owned()), account: account.map(str::to_owned) };
    Ok(Change { route, ..change(None, ChangeKind::Calendar(rows)) })
}

fn is_same(one: &CalendarNights, other: &CalendarNights) -> bool {
    (one.units_available, &one.prices, &one.rules) == (other.units_available, &other.prices, &other.rules)
}

impl Night {
    fn row(&self, apartment: &str, stay: Nights, path: &str) -> CalendarNights {
        let mut row = CalendarNights::new(apartment, stay);
        row.property_id = Some(apartment.to_owned());
        // 0 means booked or blocked, and does not tell which: blocks come with the bookings. So it is a count and never
        // a closing, which the host would derive from a count alone.
        row.units_available = self.units();
        row.available = row.units_available.map(|_| true);
        if row.units_available.is_none() && self.available.as_str().is_some() {
            note(format_args!("{path}/available"), "is not a number");
        }
        // A missing price is no price, not zero.
        row.prices.extend(amount(&self.price).map(|amount| Price {
            rate_plan_id: None,
            occupancy: None,
            amount: money(amount, None),
            tax_included: None,
        }));
        row.rules.min_stay_arrival = self.min_length_of_stay.count_or_note(format_args!("{path}/min_length_of_stay"));
        row
    }

    /// An apartment is one unit, whatever number stands there.
    fn units(&self) -> Option<i32> {
        self.available.integer().or_else(|| self.available.flag().map(i64::from)).map(|units| i32::from(units > 0))
    }
}

/// The nights of an apartment that are not free, by date.
pub(crate) fn taken(data: &RawValue, path: &str) -> Result<Vec<String>, ChannelError> {
    let dates: Dates = if is_empty_list(data) { Dates::new() } else { read_json(data.get(), path)? };
    Ok(dates.into_iter().filter(|(_, Sent(night))| night.units() == Some(0)).map(|(date, _)| date).collect())
}
