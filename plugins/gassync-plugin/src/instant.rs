//! Parses instants in the formats of channels.

use crate::{date::FIRST_DAY, parse_date};

const DAY_SECONDS: i64 = 24 * 60 * 60;
/// `YYYY-MM-DD`.
const DATE_BYTES: usize = 10;
/// The last second of the host's time range (its fractions included), 9999-12-30T22:00:00Z: 26 hours before the end of
/// the year, so that the instant has a local time in every zone.
const LAST_SECOND: i64 = 253_402_207_200;
/// Maximum decimal places of a second that the host accepts.
const MAX_FRACTION_DIGITS: usize = 9;

/// Seconds since 1970-01-01T00:00:00Z, and nanoseconds.
pub(crate) type Moment = (i64, u32);

/// Parses a date, usually followed by `T` or a space, a time and a time zone, by default UTC. Returns `None` for a text
/// that the host would not accept as an instant.
pub(crate) fn moment(text: &str) -> Option<Moment> {
    let midnight = FIRST_DAY.days_until(parse_date(text)?) * DAY_SECONDS;
    let (seconds, nanos) = if text.len() == DATE_BYTES { (0, 0) } else { time(text)? };
    let second = midnight + seconds;
    (second <= LAST_SECOND).then_some((second, nanos))
}

/// Parses the text after the date, relative to midnight UTC; the zone may shift it to another day.
fn time(text: &str) -> Option<Moment> {
    let time = text.get(DATE_BYTES + 1..)?;
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-']).unwrap_or(time.len()));
    let (clock, nanos) = match clock.split_once('.') {
        // A fraction requires seconds.
        Some((clock, fraction)) if clock.len() == "09:30:00".len() => (clock, nanos(fraction)?),
        Some(_) => return None,
        None => (clock, 0),
    };
    Some((seconds_of_day(clock)? - offset_seconds(zone)?, nanos))
}

fn seconds_of_day(clock: &str) -> Option<i64> {
    match *clock.split(':').collect::<Vec<_>>() {
        [hour, minute] => Some(two_digits(hour, 23)? * 3_600 + two_digits(minute, 59)? * 60),
        [hour, minute, second] => {
            Some(two_digits(hour, 23)? * 3_600 + two_digits(minute, 59)? * 60 + two_digits(second, 59)?)
        }
        _ => None,
    }
}

/// `Z`, `+02:00`, `+0200`, `+02`, or nothing.
fn offset_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'-', ..] => -1,
        _ => 1,
    };
    let (hours, minutes) = zone.get(1..)?.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { "00" } else { minutes.strip_prefix(':').unwrap_or(minutes) };
    Some(sign * (two_digits(hours, 23)? * 3_600 + two_digits(minutes, 59)? * 60))
}

fn nanos(fraction: &str) -> Option<u32> {
    let is_fraction =
        (1..=MAX_FRACTION_DIGITS).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    is_fraction.then(|| format!("{fraction:0<MAX_FRACTION_DIGITS$}").parse().ok())?
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let written = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| written && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_reads_is_an_instant_and_nothing_else() {
        let noon = moment("2027-03-04T12:00:00Z").expect("an instant");
        for same in [
            "2027-03-04 12:00",
            "2027-03-04T12:00:00.000z",
            "2027-03-04T14:00:00+02:00",
            "2027-03-04T14:00+0200",
            "2027-03-04T04:30:00-0730",
            "2027-03-04T13:00:00+01",
        ] {
            assert_eq!(moment(same), Some(noon), "{same}");
        }
        assert_eq!(moment("2027-03-04"), Some((noon.0 - DAY_SECONDS / 2, 0)));
        assert_eq!(moment("1969-12-31T23:59:59.25Z"), Some((-1, 250_000_000)));
        for none in [
            "2027-03-04T",
            "2027-03-04T12",
            "2027-03-04T24:00Z",
            "2027-03-04T12:60Z",
            "2027-03-04T12:00:60Z",
            "2027-03-04T12:00.5Z",
            "2027-03-04T12:00:00.Z",
            "2027-03-04T12:00:00.1234567890Z",
            "2027-03-04T12:00:00+24:00",
            "2027-03-04T12:00:00+2",
            "2027-03-04T12:00:00+é",
            "2027-03-04T12:00:00ZZ",
            "2027-03-04T-1:00Z",
            "2027-02-30T12:00:00Z",
            "noon",
        ] {
            assert_eq!(moment(none), None, "{none}");
        }
    }

    #[test]
    fn time_ends_where_the_hosts_does() {
        let last = Some((LAST_SECOND, 0));
        for text in ["9999-12-30T22:00:00Z", "9999-12-30 22:00", "9999-12-31T05:00:00+07:00", "9999-12-30T20:00:00-02"]
        {
            assert_eq!(moment(text), last, "{text}");
        }
        assert_eq!(moment("9999-12-30T22:00:00.999999999Z"), Some((LAST_SECOND, 999_999_999)));
        assert_eq!(moment("9999-12-30"), Some((LAST_SECOND - 22 * 3_600, 0)));
        for none in ["9999-12-30T22:00:01Z", "9999-12-31", "9999-12-31T23:59:59Z", "9999-12-30T22:00:00-01:00"] {
            assert_eq!(moment(none), None, "{none}");
        }
    }
}
