//! Dates and nights.

use std::cmp::Ordering;

use time::{Date as Calendar, Month};

use crate::{Date, Nights};

/// The first and the last day of the host's calendar.
const FIRST: Date = Date { year: -9999, month: 1, day: 1 };
const LAST: Date = Date { year: 9999, month: 12, day: 31 };

/// The first day of 1970.
pub(crate) const FIRST_DAY: Date = Date { year: 1970, month: 1, day: 1 };

/// Parses `YYYY-MM-DD`, optionally followed by a time.
pub fn parse_date(text: &str) -> Option<Date> {
    parse_date_as(text, "YYYY-MM-DD")
}

/// Parses a date in another format, optionally followed by a time: `YYYY`, `MM` and `DD` are digits, all other
/// characters are literal. The channel's documentation must define the order, since 04/03/2027 is ambiguous. None if
/// one of the three is missing.
///
/// ```
/// use gassync_plugin::{parse_date, parse_date_as};
///
/// assert_eq!(parse_date_as("31.12.2027", "DD.MM.YYYY"), parse_date("2027-12-31"));
/// assert_eq!(parse_date_as("04/03/2027 15:00", "MM/DD/YYYY"), parse_date("2027-04-03"));
/// assert_eq!(parse_date_as("20280229", "YYYYMMDD"), parse_date("2028-02-29"));
/// assert_eq!(parse_date_as("31.11.2027", "DD.MM.YYYY"), None, "November has thirty days");
/// ```
pub fn parse_date_as(text: &str, order: &str) -> Option<Date> {
    let (mut rest, mut order) = (text, order);
    let (mut year, mut month, mut day) = (None, None, None);
    while let Some(next) = order.chars().next() {
        let (part, letters) = if order.starts_with("YYYY") {
            (&mut year, 4)
        } else if order.starts_with("MM") {
            (&mut month, 2)
        } else if order.starts_with("DD") {
            (&mut day, 2)
        } else {
            rest = rest.strip_prefix(next)?;
            order = &order[next.len_utf8()..];
            continue;
        };
        let (digits, behind) = rest.split_at_checked(letters)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        *part = Some(digits.parse::<i16>().ok().filter(|_| is_number)?);
        (rest, order) = (behind, &order[letters..]);
    }
    if !(rest.is_empty() || rest.starts_with(['T', ' '])) {
        return None;
    }
    let date = Date { year: year?, month: month?.try_into().ok()?, day: day?.try_into().ok()? };
    // A nonexistent date converts back to a different one.
    (date_of(number_of(date)) == date).then_some(date)
}

/// Formats as `YYYY-MM-DD`.
pub fn to_date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

impl Date {
    /// Adds days, which may be negative. Saturates at the host's calendar limits, the years -9999 and 9999, so that no
    /// input can cause a panic or an unreadable date.
    #[must_use]
    pub fn add_days(self, days: i64) -> Self {
        date_of(number_of(self).saturating_add(days).clamp(number_of(FIRST), number_of(LAST)))
    }

    /// The next day.
    #[must_use]
    pub fn next_day(self) -> Self {
        self.add_days(1)
    }

    /// The previous day.
    #[must_use]
    pub fn day_before(self) -> Self {
        self.add_days(-1)
    }

    /// Days until another date, such as the nights between arrival and departure.
    pub fn days_until(self, other: Self) -> i64 {
        number_of(other) - number_of(self)
    }

    /// The day of the week, from 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> usize {
        // The first of all days was a Monday.
        usize::try_from(number_of(self).rem_euclid(7)).unwrap_or(0)
    }
}

impl Eq for Date {}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Date {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.year, self.month, self.day).cmp(&(other.year, other.month, other.day))
    }
}

impl Eq for Nights {}

impl Nights {
    /// From first to last night inclusive, for channels with inclusive ranges.
    pub fn through(first: Date, last: Date) -> Self {
        Self { start: first, until: last.next_day() }
    }

    /// The last night, for channels with inclusive ranges.
    pub fn last_night(self) -> Date {
        self.until.day_before()
    }

    /// Each night in order; none for an empty range.
    pub fn each_night(self) -> impl DoubleEndedIterator<Item = Date> {
        (number_of(self.start)..number_of(self.until)).map(date_of)
    }
}

/// A day's number in the calendar that goes on for ever. A date that does not exist, which no text gives, counts as the
/// last day of its month.
fn number_of(date: Date) -> i64 {
    let year = i32::from(date.year.clamp(FIRST.year, LAST.year));
    let month = Month::try_from(date.month).unwrap_or(Month::January);
    let day = date.day.clamp(1, month.length(year));
    Calendar::from_calendar_date(year, month, day).unwrap_or(Calendar::MIN).to_julian_day().into()
}

/// The date of a number within the range of [`number_of`].
fn date_of(number: i64) -> Date {
    let date = i32::try_from(number).ok().and_then(|number| Calendar::from_julian_day(number).ok());
    date.map_or(LAST, |date| Date {
        year: i16::try_from(date.year()).unwrap_or(LAST.year),
        month: date.month().into(),
        day: date.day(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_date(text).expect(text)
    }

    #[test]
    fn dates_are_read_strictly() {
        for text in [
            "2028-02-30",
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-10",
            "2027-01-00",
            "2027-04-31",
            "2027-1-01",
            "+202-01-01",
            "2027-+1-01",
            "2027/01/01",
            "tomorrow",
            "2027-01-01x",
            "2027-01-0é",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for text in ["2028-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(to_date_text(day(text)), text);
        }
        assert_eq!(day("2027-12-31T10:00:00Z"), Date { year: 2027, month: 12, day: 31 });
        assert_eq!(day("2027-12-31 10:00"), day("2027-12-31"));
    }

    #[test]
    fn days_are_counted_over_months_and_leap_days() {
        for (from, days, to) in [
            ("2028-02-28", 1, "2028-02-29"),
            ("2027-02-28", 1, "2027-03-01"),
            ("2027-12-31", 1, "2028-01-01"),
            ("2028-03-01", -1, "2028-02-29"),
            ("2027-01-01", -1, "2026-12-31"),
            ("1970-01-01", 20_878, "2027-03-01"),
            ("2000-02-29", -11_017, "1969-12-31"),
            ("2027-06-01", 0, "2027-06-01"),
        ] {
            assert_eq!(to_date_text(day(from).add_days(days)), to, "{from} {days}");
            assert_eq!(day(from).days_until(day(to)), days, "{from} {to}");
            assert_eq!(day(from).cmp(&day(to)), 0.cmp(&days), "{from} {to}");
        }
        assert_eq!((day("1970-01-01").weekday(), day("2027-03-01").weekday()), (3, 0), "a Thursday, and a Monday");
        assert_eq!(day("2027-02-28").weekday(), 6);
    }

    #[test]
    fn a_day_is_read_in_the_order_that_is_said() {
        for (text, order) in [
            ("31.12.2027", "DD.MM.YYYY"),
            ("12/31/2027", "MM/DD/YYYY"),
            ("20271231", "YYYYMMDD"),
            ("20271231T150000Z", "YYYYMMDD"),
            ("31-12-2027 15:00", "DD-MM-YYYY"),
            ("2027年12月31日", "YYYY年MM月DD日"),
        ] {
            assert_eq!(parse_date_as(text, order), Some(day("2027-12-31")), "{text} as {order}");
        }
        for (text, order) in [
            ("31.12.2027", "MM.DD.YYYY"),
            ("30.02.2028", "DD.MM.YYYY"),
            ("29.02.2027", "DD.MM.YYYY"),
            ("1.3.2027", "DD.MM.YYYY"),
            ("01.03.27", "DD.MM.YYYY"),
            ("01/03/2027", "DD.MM.YYYY"),
            ("01.03.2027x", "DD.MM.YYYY"),
            ("+1.03.2027", "DD.MM.YYYY"),
            ("é.03.2027", "DD.MM.YYYY"),
            ("01.03", "DD.MM.YYYY"),
            ("01.03", "DD.MM"),
            ("", ""),
        ] {
            assert_eq!(parse_date_as(text, order), None, "{text} as {order}");
        }
    }

    #[test]
    fn counting_stops_where_the_host_does() {
        assert_eq!(day("2027-03-01").add_days(i64::MAX), LAST);
        assert_eq!(day("2027-03-01").add_days(i64::MIN), FIRST);
        assert_eq!(day("9999-12-30").add_days(1), LAST);
        assert_eq!((day("9999-12-31"), LAST.next_day(), FIRST.day_before()), (LAST, LAST, FIRST));
        let last_night = Nights::through(LAST, LAST);
        assert_eq!(last_night.until, LAST, "no night ends after the last day");
    }

    #[test]
    fn nights_are_listed_one_by_one() {
        let stay = Nights::through(day("2027-02-27"), day("2027-03-01"));
        assert_eq!(stay, Nights { start: day("2027-02-27"), until: day("2027-03-02") });
        assert_eq!(stay.last_night(), day("2027-03-01"));
        let nights: Vec<String> = stay.each_night().map(to_date_text).collect();
        assert_eq!(nights, ["2027-02-27", "2027-02-28", "2027-03-01"]);
        let backwards = Nights { start: stay.until, until: stay.start };
        assert_eq!(backwards.each_night().count(), 0);
    }
}
