use jiff::civil::Date;

/// Maximum length of a stay, in nights: a little over five years, for long-term guests.
pub const MAX_STAY_NIGHTS: i32 = 1_830;

/// The nights from check-in (inclusive) to check-out (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stay {
    check_in: Date,
    check_out: Date,
}

/// Why two dates are not a valid stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StayError {
    /// There is no night between the dates.
    #[error("must be after checkIn ({check_in})")]
    NoNights {
        /// The arrival.
        check_in: Date,
    },
    /// Longer than [`MAX_STAY_NIGHTS`].
    #[error("makes a stay of {nights} nights; the limit is {MAX_STAY_NIGHTS}")]
    TooLong {
        /// The length in nights.
        nights: i32,
    },
}

impl Stay {
    /// Creates a stay of 1 to [`MAX_STAY_NIGHTS`] nights.
    pub fn new(check_in: Date, check_out: Date) -> Result<Self, StayError> {
        let nights = nights_between(check_in, check_out);
        if nights < 1 {
            return Err(StayError::NoNights { check_in });
        }
        if nights > MAX_STAY_NIGHTS {
            return Err(StayError::TooLong { nights });
        }
        Ok(Self { check_in, check_out })
    }

    /// A span of any length, for calendars; `None` if it has no night.
    pub fn spanning(first: Date, end: Date) -> Option<Self> {
        (first < end).then_some(Self { check_in: first, check_out: end })
    }

    /// The nights common to two stays.
    pub fn shared_with(self, other: Self) -> Option<Self> {
        Self::spanning(self.check_in.max(other.check_in), self.check_out.min(other.check_out))
    }

    /// The first night.
    pub fn check_in(self) -> Date {
        self.check_in
    }

    /// The day of departure, exclusive.
    pub fn check_out(self) -> Date {
        self.check_out
    }

    /// Iterates over the nights.
    pub fn each(self) -> impl Iterator<Item = Date> {
        self.check_in.series(jiff::Span::new().days(1)).take_while(move |night| *night < self.check_out)
    }

    /// The number of nights.
    pub fn nights(self) -> i32 {
        nights_between(self.check_in, self.check_out)
    }
}

fn nights_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn check_out_is_not_a_night() {
        let stay = Stay::new(date(2027, 2, 27), date(2027, 3, 2)).expect("a stay");
        assert_eq!(stay.nights(), 3);
        let each: Vec<Date> = stay.each().collect();
        assert_eq!(each, [date(2027, 2, 27), date(2027, 2, 28), date(2027, 3, 1)]);
    }

    #[test]
    fn impossible_stays_say_why() {
        let day = date(2027, 3, 2);
        assert_eq!(Stay::new(day, day), Err(StayError::NoNights { check_in: day }));
        assert_eq!(Stay::new(day, date(2027, 3, 1)), Err(StayError::NoNights { check_in: day }));
        assert!(matches!(Stay::new(day, date(2032, 3, 6)), Err(StayError::TooLong { nights: 1831 })));
    }
}
