use crate::Date;

/// Reads `YYYY-MM-DD`, with or without a time behind it.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.get(..10)?.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    if text.len() > 10 && !text[10..].starts_with(['T', ' ']) {
        return None;
    }
    (parts.next().is_none() && (1..=12).contains(&month) && (1..=last_day(year, month)).contains(&day))
        .then_some(Date { year, month, day })
}

/// Writes `YYYY-MM-DD`.
pub fn to_date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

fn last_day(year: i16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Date {
    /// The day after: turns a last night into a day of departure.
    #[must_use]
    pub fn next_day(self) -> Self {
        let Self { year, month, day } = self;
        match (day < last_day(year, month), month) {
            (true, _) => Self { year, month, day: day + 1 },
            (false, 12) => Self { year: year + 1, month: 1, day: 1 },
            (false, _) => Self { year, month: month + 1, day: 1 },
        }
    }

    /// The day before: turns a day of departure into a last night.
    #[must_use]
    pub fn day_before(self) -> Self {
        let Self { year, month, day } = self;
        match (day > 1, month) {
            (true, _) => Self { year, month, day: day - 1 },
            (false, 1) => Self { year: year - 1, month: 12, day: 31 },
            (false, _) => Self { year, month: month - 1, day: last_day(year, month - 1) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_strictly_and_step_over_months() {
        for text in ["2028-02-30", "2027-02-29", "2027-13-01", "2027-1-01", "tomorrow", "2027-01-01x"] {
            assert!(parse_date(text).is_none(), "{text}");
        }
        let step = |text: &str| to_date_text(parse_date(text).expect(text).next_day());
        assert_eq!(step("2028-02-28"), "2028-02-29");
        assert_eq!(step("2027-12-31T10:00:00Z"), "2028-01-01");
        assert_eq!(to_date_text(parse_date("2028-03-01").expect("a date").day_before()), "2028-02-29");
    }
}
