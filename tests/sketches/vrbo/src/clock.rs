//! What day it is, and days counted: the XML channels share this file.

use std::time::{SystemTime, UNIX_EPOCH};

use gassync_plugin::{Date, Nights, to_date_text};

const DAY_SECONDS: i64 = 86_400;

/// Now, RFC 3339 in UTC.
pub fn now() -> String {
    let seconds = seconds();
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    let date = to_date_text(date(seconds.div_euclid(DAY_SECONDS)));
    format!("{date}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// Today, in UTC.
pub fn today() -> Date {
    date(seconds().div_euclid(DAY_SECONDS))
}

/// Nanoseconds since 1970, for names that must not come twice.
#[expect(clippy::disallowed_methods, reason = "a guest's clock is the one its host gives it")]
pub fn nanoseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn seconds() -> i64 {
    i64::try_from(nanoseconds() / 1_000_000_000).unwrap_or(i64::MAX)
}

/// A day's number; 1970-01-01 is 0.
pub fn number(date: Date) -> i64 {
    // The year begins in March here, so that a leap day is its last.
    let year = i64::from(date.year) - i64::from(date.month < 3);
    let month = (i64::from(date.month) + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(date.day) - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The day of a number.
pub fn date(number: i64) -> Date {
    let days = number + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month < 3);
    Date {
        year: i16::try_from(year).unwrap_or(i16::MAX),
        month: u8::try_from(month).unwrap_or(1),
        day: u8::try_from(day).unwrap_or(1),
    }
}

/// The numbers of the nights.
pub fn numbers(nights: Nights) -> std::ops::Range<i64> {
    number(nights.start)..number(nights.until)
}

/// Monday is 0.
pub fn weekday(number: i64) -> usize {
    usize::try_from((number + 3).rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_both_ways() {
        let day = |text| gassync_plugin::parse_date(text).expect("a date");
        for (text, known) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2027-03-01", 20_878), ("1969-12-31", -1)] {
            assert_eq!(number(day(text)), known, "{text}");
            assert_eq!(to_date_text(date(known)), text);
        }
        assert_eq!((weekday(0), weekday(20_878)), (3, 0), "a Thursday, and a Monday");
    }
}
