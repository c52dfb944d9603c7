//! Days, and nights between them.

use std::cmp::Ordering;

use crate::{Date, Nights};

/// Reads `YYYY-MM-DD`, with or without a time behind it.
pub fn parse_date(text: &str) -> Option<Date> {
    let (date, rest) = text.split_at_checked(10)?;
    let fits = |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    if !date.bytes().enumerate().all(fits) || !(rest.is_empty() || rest.starts_with(['T', ' '])) {
        return None;
    }
    let date = Date { year: date[..4].parse().ok()?, month: date[5..7].parse().ok()?, day: date[8..].parse().ok()? };
    // A day that is in no calendar comes back as another.
    (date_of(number_of(date)) == date).then_some(date)
}

/// Writes `YYYY-MM-DD`.
pub fn to_date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

impl Date {
    /// So many days later, or earlier. It stops at the last day that the contract can say: what a channel sends never
    /// makes a plugin panic.
    #[must_use]
    pub fn add_days(self, days: i64) -> Self {
        let first = number_of(Self { year: i16::MIN, month: 1, day: 1 });
        let last = number_of(Self { year: i16::MAX, month: 12, day: 31 });
        date_of(number_of(self).saturating_add(days).clamp(first, last))
    }

    /// The day after.
    #[must_use]
    pub fn next_day(self) -> Self {
        self.add_days(1)
    }

    /// The day before.
    #[must_use]
    pub fn day_before(self) -> Self {
        self.add_days(-1)
    }

    /// How many days later the other one is: of an arrival and a departure, the number of nights.
    pub fn days_until(self, other: Self) -> i64 {
        number_of(other) - number_of(self)
    }

    /// The day of the week, from 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> usize {
        // 1970 began on a Thursday.
        usize::try_from((number_of(self) + 3).rem_euclid(7)).unwrap_or(0)
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
    /// From the first night to the last, both slept: for channels whose ranges include their end.
    pub fn through(first: Date, last: Date) -> Self {
        Self { start: first, until: last.next_day() }
    }

    /// The last night that is slept, for channels whose ranges include their end.
    pub fn last_night(self) -> Date {
        self.until.day_before()
    }

    /// Each night that is slept, in order; none where it ends before it begins.
    pub fn each_night(self) -> impl DoubleEndedIterator<Item = Date> {
        (number_of(self.start)..number_of(self.until)).map(date_of)
    }
}

/// A day's number; 1970-01-01 is 0.
fn number_of(date: Date) -> i64 {
    // The year begins in March here, so that a leap day is its last.
    let year = i64::from(date.year) - i64::from(date.month < 3);
    let month = (i64::from(date.month) + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(date.day) - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The day of a number that [`number_of`] gave, or of one between two of those.
fn date_of(number: i64) -> Date {
    let days = number + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
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
    fn counting_stops_where_the_contract_does() {
        assert_eq!(day("2027-03-01").add_days(i64::MAX), Date { year: i16::MAX, month: 12, day: 31 });
        assert_eq!(day("2027-03-01").add_days(i64::MIN), Date { year: i16::MIN, month: 1, day: 1 });
        let last = Date { year: i16::MAX, month: 12, day: 31 };
        assert_eq!(last.next_day(), last);
    }

    #[test]
    fn nights_are_told_by_their_last_and_one_by_one() {
        let stay = Nights::through(day("2027-02-27"), day("2027-03-01"));
        assert_eq!(stay, Nights { start: day("2027-02-27"), until: day("2027-03-02") });
        assert_eq!(stay.last_night(), day("2027-03-01"));
        let nights: Vec<String> = stay.each_night().map(to_date_text).collect();
        assert_eq!(nights, ["2027-02-27", "2027-02-28", "2027-03-01"]);
        let backwards = Nights { start: stay.until, until: stay.start };
        assert_eq!(backwards.each_night().count(), 0);
    }
}
