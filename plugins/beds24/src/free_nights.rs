//! Responses with less detail than a calendar: availability per night, or bookings per unit.

use std::collections::BTreeMap;

use gassync_plugin::{CalendarNights, ChannelError, Lenient, Nights, malformed, read_json};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Key of bookings that are not assigned to a unit.
const UNASSIGNED: &str = "unassigned";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Room {
    qty: Lenient,
    availability: Option<BTreeMap<String, Lenient>>,
    unit_bookings: Option<BTreeMap<String, BTreeMap<String, Lenient>>>,
}

pub(crate) fn read(raw: &RawValue, room_type_id: &str, path: &str) -> Result<Vec<CalendarNights>, ChannelError> {
    let room: Room = read_json(raw.get(), path)?;
    match (&room.availability, &room.unit_bookings) {
        (Some(nights), _) => {
            let rows = nights.iter().map(|(night, free)| {
                let row = on(night, room_type_id, &format!("{path}/availability"))?;
                Ok(CalendarNights { available: free.flag(), ..row })
            });
            rows.collect()
        }
        (None, Some(nights)) => {
            let rows = nights.iter().map(|(night, taken)| {
                let row = on(night, room_type_id, &format!("{path}/unitBookings"))?;
                Ok(CalendarNights { units_available: free_units(&room.qty, taken), ..row })
            });
            rows.collect()
        }
        (None, None) => Err(malformed(format_args!("{path}/calendar"), "is missing")),
    }
}

fn on(night: &str, room_type_id: &str, path: &str) -> Result<CalendarNights, ChannelError> {
    let said = Lenient::from(Some(night)).date(format_args!("{path}/{night}"))?;
    let date = said.ok_or_else(|| malformed(path, "names no night"))?;
    Ok(CalendarNights::new(room_type_id, Nights::through(date, date)))
}

/// Counts free units. A unit booked twice counts once, and an unassigned booking takes one unit.
fn free_units(quantity: &Lenient, taken: &BTreeMap<String, Lenient>) -> Option<i32> {
    let quantity = i32::try_from(quantity.count()?).ok()?;
    let is_taken = |(unit, bookings): &(&String, &Lenient)| *unit != UNASSIGNED && bookings.count().unwrap_or(0) > 0;
    let units = i32::try_from(taken.iter().filter(is_taken).count()).ok()?;
    let unassigned = taken.get(UNASSIGNED).and_then(Lenient::count).unwrap_or(0);
    quantity.checked_sub(units)?.checked_sub(i32::try_from(unassigned).ok()?)
}

#[cfg(test)]
mod tests {
    use gassync_plugin::to_date_text;

    use super::*;

    fn rows(room: &str) -> Result<Vec<CalendarNights>, ChannelError> {
        read(&RawValue::from_string(room.to_owned()).expect("JSON"), "5200", "/data/0")
    }

    #[test]
    fn a_night_is_free_or_it_is_not() {
        let rows = rows(r#"{"availability":{"2027-03-05":true,"2027-03-06":false,"2027-03-07":null}}"#).expect("rows");
        let reported: Vec<_> = rows.iter().map(|row| (to_date_text(row.stay.start), row.available)).collect();
        let night = |day: &str, free| (format!("2027-03-0{day}"), free);
        assert_eq!(reported, [night("5", Some(true)), night("6", Some(false)), night("7", None)]);
        assert!(rows.iter().all(|row| row.stay.start.days_until(row.stay.until) == 1 && row.units_available.is_none()));
    }

    #[test]
    fn units_are_counted_once_however_often_they_are_taken() {
        let nights = r#""2027-03-05":{"1":0,"2":3,"unassigned":0},"2027-03-06":{"1":1,"2":1,"unassigned":1}"#;
        let rows = rows(&format!(r#"{{"qty":2,"unitBookings":{{{nights},"2027-03-07":{{}}}}}}"#)).expect("rows");
        let units: Vec<_> = rows.iter().map(|row| row.units_available).collect();
        assert_eq!(units, [Some(1), Some(-1), Some(2)]);
        let unknown = super::tests::rows(r#"{"unitBookings":{"2027-03-05":{"1":1}}}"#).expect("rows");
        assert_eq!(unknown[0].units_available, None, "of an unknown number none is known to be left");
    }

    #[test]
    fn what_says_nothing_of_nights_is_no_calendar() {
        for (room, place) in [
            (r#"{"offers":[]}"#, "/data/0/calendar: "),
            (r#"{"availability":{"soon":true}}"#, "/data/0/availability/soon: "),
            (r#"{"availability":{"":true}}"#, "/data/0/availability: "),
            (r#"{"unitBookings":{"2027-02-30":{}}}"#, "/data/0/unitBookings/2027-02-30: "),
        ] {
            assert!(matches!(rows(room), Err(ChannelError::Malformed(why)) if why.starts_with(place)), "{room}");
        }
    }
}
