//! Changed values of nights. Consecutive nights with the same values become one range.

use std::collections::BTreeMap;

use gassync_plugin::{CalendarNights, CalendarPart, Date, FieldError, Lenient, Price, to_date_text};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::{RawValue, to_raw_value};

use super::form::number;
use crate::settings::Settings;

/// Values of a night by key, as JSON.
pub(crate) type Values = BTreeMap<String, Box<RawValue>>;

/// The nights of one room.
#[derive(Debug, Default)]
pub(crate) struct Nights(BTreeMap<Date, Values>);

/// Consecutive nights with the same values; both ends are inclusive.
#[derive(Debug)]
pub(crate) struct Range<'a> {
    from: Date,
    to: Date,
    values: &'a Values,
}

impl Nights {
    /// Adds values; later ones overwrite earlier ones.
    pub fn write(&mut self, row: &CalendarNights, values: &Values) {
        for night in row.stay.each_night() {
            self.0.entry(night).or_default().extend(values.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
    }

    pub fn of(&self, night: Date) -> Option<&Values> {
        self.0.get(&night)
    }

    pub fn ranges(&self) -> Vec<Range<'_>> {
        let mut ranges: Vec<Range<'_>> = Vec::new();
        for (night, values) in &self.0 {
            match ranges.last_mut() {
                Some(last) if last.to.next_day() == *night && is_same(last.values, values) => last.to = *night,
                _ => ranges.push(Range { from: *night, to: *night, values }),
            }
        }
        ranges
    }
}

fn is_same(one: &Values, other: &Values) -> bool {
    let texts = |values: &Values| values.iter().map(|(key, value)| (key.clone(), value.get().to_owned())).collect();
    let (one, other): (Vec<_>, Vec<_>) = (texts(one), texts(other));
    one == other
}

/// Returns the changed values of a row by Beds24 keys. Values that Beds24 does not support become warnings.
pub(crate) fn values(
    row: &CalendarNights,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Values, FieldError> {
    let mut values = Values::new();
    if let Some(word) = closed(row) {
        values.insert("override".to_owned(), json(&word));
    }
    if row.changed.contains(CalendarPart::PRICE) {
        prices(row, settings, &mut values, warnings)?;
    }
    if row.changed.contains(CalendarPart::RULES) {
        lengths(row, &mut values, warnings);
    }
    Ok(values)
}

/// Returns the value of `override`. It combines availability with arrival and departure rules, so it is computed from
/// all of them when any changes. Beds24 counts available units itself.
fn closed(row: &CalendarNights) -> Option<&'static str> {
    let rules = &row.rules;
    let free = row.units_available.map(|units| units > 0);
    let is_closed = row.available == Some(false) || free == Some(false);
    let says_sale = row.changed.contains(CalendarPart::AVAILABILITY) && (row.available.is_some() || free.is_some());
    let knows_ways = rules.closed_to_arrival.is_some() || rules.closed_to_departure.is_some();
    let says_ways = row.changed.contains(CalendarPart::RULES) && knows_ways;
    if !says_sale && !says_ways {
        return None;
    }
    let ways = (rules.closed_to_arrival == Some(true), rules.closed_to_departure == Some(true));
    Some(match (is_closed, ways) {
        (true, _) => "blackout",
        (false, (true, true)) => "noCheckInOrCheckOut",
        (false, (true, false)) => "noCheckIn",
        (false, (false, true)) => "noCheckOut",
        (false, (false, false)) => "none",
    })
}

/// Adds prices. If two map to the same daily price, the room price, which applies to any number of guests, wins.
fn prices(
    row: &CalendarNights,
    settings: &Settings,
    values: &mut Values,
    warnings: &mut Vec<String>,
) -> Result<(), FieldError> {
    let (of_room, of_guests): (Vec<_>, Vec<_>) = row.prices.iter().partition(|price| price.occupancy.is_none());
    for price in of_room.into_iter().chain(of_guests) {
        let Some(key) = key_of(price, settings, warnings) else { continue };
        let amount = number(&key, &price.amount.amount)?;
        if amount.get().starts_with('-') {
            return Err(FieldError::new(format_args!("/{key}"), "is below zero"));
        }
        match values.get(&key) {
            None => drop(values.insert(key, amount)),
            Some(first) if first.get() == amount.get() => {}
            Some(_) => warnings.push(format!("of two prices for {key} the one of the room was sent")),
        }
    }
    Ok(())
}

/// Returns the key of a daily price; `price1` is the room price.
fn key_of(price: &Price, settings: &Settings, warnings: &mut Vec<String>) -> Option<String> {
    let Some(guests) = price.occupancy else { return Some("price1".to_owned()) };
    let key = settings.price_for(guests);
    if key.is_none() {
        warnings.push(format!("Beds24 has no daily price for {guests} guests: it was not sent"));
    }
    key
}

fn lengths(row: &CalendarNights, values: &mut Values, warnings: &mut Vec<String>) {
    let rules = &row.rules;
    // A setting of the room in Beds24 determines if a minimum stay applies to arrivals or to every night. An exact stay
    // of 0 removes the rule.
    let exact = rules.exact_stay.filter(|nights| *nights > 0);
    let least = exact.or(rules.min_stay_arrival.max(rules.min_stay_through));
    let most = exact.or(rules.max_stay);
    for (key, nights) in [("minStay", least), ("maxStay", most)] {
        match nights {
            // Beds24 would store 1.
            Some(0) => warnings.push(format!("{key} of no nights is none: it was not sent")),
            Some(nights) => drop(values.insert(key.to_owned(), json(&nights))),
            None => {}
        }
    }
    if rules.min_advance_days.is_some() || rules.max_advance_days.is_some() {
        warnings.push("Beds24's calendar has no rule for how long before arrival a booking is made".to_owned());
    }
}

/// True if an echoed range contains the night.
pub(crate) fn covers(range: &BTreeMap<String, Lenient>, night: Date) -> bool {
    let day = |key: &str| range.get(key).cloned().unwrap_or_default().date("").ok().flatten();
    let Some(from) = day("from") else { return false };
    from <= night && night <= day("to").unwrap_or(from)
}

fn json<T: Serialize>(value: &T) -> Box<RawValue> {
    // Words and numbers always serialise.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

impl Serialize for Range<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + self.values.len()))?;
        map.serialize_entry("from", &to_date_text(self.from))?;
        map.serialize_entry("to", &to_date_text(self.to))?;
        for (key, value) in self.values {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Nights as Stay, money, parse_date};

    use super::*;

    const ALL: CalendarPart = CalendarPart::all();

    fn day(text: &str) -> Date {
        parse_date(text).expect("a date")
    }

    fn row(changed: CalendarPart) -> CalendarNights {
        let stay = Stay::through(day("2027-06-01"), day("2027-06-03"));
        CalendarNights { changed, ..CalendarNights::new("5200", stay) }
    }

    fn price(occupancy: Option<u32>, amount: &str) -> Price {
        Price { rate_plan_id: None, occupancy, amount: money(amount, Some("EUR")), tax_included: None }
    }

    fn written(row: &CalendarNights) -> (String, Vec<String>) {
        let mut warnings = Vec::new();
        let values = values(row, &Settings::default(), &mut warnings).expect("values");
        (serde_json::to_string(&values).expect("JSON"), warnings)
    }

    #[test]
    fn one_word_is_made_of_all_that_closes_a_night() {
        let word = |available: Option<bool>, units: Option<i32>, arrival: Option<bool>, departure: Option<bool>| {
            let mut row = row(ALL);
            (row.available, row.units_available) = (available, units);
            (row.rules.closed_to_arrival, row.rules.closed_to_departure) = (arrival, departure);
            closed(&row)
        };
        assert_eq!(word(Some(true), Some(2), None, None), Some("none"));
        assert_eq!(word(Some(false), Some(2), Some(true), None), Some("blackout"), "closed is closed");
        assert_eq!(word(None, Some(0), None, None), Some("blackout"));
        assert_eq!(word(Some(true), Some(-1), None, None), Some("blackout"));
        assert_eq!(word(Some(true), None, Some(true), Some(false)), Some("noCheckIn"));
        assert_eq!(word(Some(true), None, None, Some(true)), Some("noCheckOut"));
        assert_eq!(word(None, None, Some(true), Some(true)), Some("noCheckInOrCheckOut"));
        assert_eq!(word(None, None, Some(false), None), Some("none"));
        assert_eq!(word(None, None, None, None), None, "what nobody knows opens nothing");
    }

    #[test]
    fn only_what_is_new_is_written_but_a_word_takes_all_there_is() {
        let mut row = row(CalendarPart::PRICE);
        (row.available, row.rules.closed_to_arrival, row.rules.min_stay_arrival) = (Some(false), Some(true), Some(2));
        row.prices.push(price(None, "119.50"));
        assert_eq!(written(&row).0, r#"{"price1":119.50}"#);
        row.changed = CalendarPart::RULES;
        assert_eq!(written(&row).0, r#"{"minStay":2,"override":"blackout"}"#, "a rule opens no closed night");
        (row.available, row.units_available) = (None, Some(3));
        row.changed = CalendarPart::AVAILABILITY;
        assert_eq!(written(&row).0, r#"{"override":"noCheckIn"}"#, "and opening a night drops no rule");
        row.rules.closed_to_arrival = None;
        row.changed = CalendarPart::RULES;
        assert_eq!(written(&row).0, r#"{"minStay":2}"#, "what somebody closed by hand stays as it is");
    }

    #[test]
    fn prices_are_for_the_room_or_for_a_number_of_guests() {
        let mut row = row(CalendarPart::PRICE);
        row.prices = vec![price(Some(1), "90"), price(None, "120.00"), price(Some(2), "120"), price(Some(20), "300")];
        let (values, warnings) = written(&row);
        assert_eq!(values, r#"{"price1":120.00,"price2":120}"#);
        let expected = [
            "of two prices for price1 the one of the room was sent",
            "Beds24 has no daily price for 20 guests: it was not sent",
        ];
        assert_eq!(warnings, expected);
        row.prices = vec![price(None, "-1")];
        let refused = super::values(&row, &Settings::default(), &mut Vec::new());
        assert_eq!(refused.err().map(|error| error.path).as_deref(), Some("/price1"));
        row.prices = vec![price(None, "a lot")];
        assert!(super::values(&row, &Settings::default(), &mut Vec::new()).is_err());
    }

    #[test]
    fn lengths_that_beds24_would_misread_are_not_sent() {
        let mut row = row(CalendarPart::RULES);
        (row.rules.max_stay, row.rules.min_stay_arrival, row.rules.min_stay_through) = (Some(0), Some(2), Some(3));
        row.rules.min_advance_days = Some(1);
        let (values, warnings) = written(&row);
        assert_eq!((values.as_str(), warnings.len()), (r#"{"minStay":3}"#, 2));
        row.rules.exact_stay = Some(7);
        assert_eq!(written(&row).0, r#"{"maxStay":7,"minStay":7}"#);
    }

    #[test]
    fn nights_of_the_same_values_are_one_range() {
        let mut nights = Nights::default();
        let mut write = |from: &str, to: &str, price_: &str| {
            let mut row = row(CalendarPart::PRICE);
            row.stay = Stay::through(day(from), day(to));
            row.prices.push(price(None, price_));
            nights.write(&row, &values(&row, &Settings::default(), &mut Vec::new()).expect("values"));
        };
        write("2027-06-04", "2027-06-05", "90");
        write("2027-06-01", "2027-06-03", "90");
        write("2027-06-03", "2027-06-03", "95");
        write("2027-06-07", "2027-06-07", "90");
        let ranges = serde_json::to_string(&nights.ranges()).expect("JSON");
        let range = |from: &str, to: &str, price: &str| {
            format!(r#"{{"from":"2027-06-0{from}","to":"2027-06-0{to}","price1":{price}}}"#)
        };
        let expected =
            [range("1", "2", "90"), range("3", "3", "95"), range("4", "5", "90"), range("7", "7", "90")].join(",");
        assert_eq!(ranges, format!("[{expected}]"), "the later word on a night counts");
    }
}
