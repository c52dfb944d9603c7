//! Covers nights by as few spans as possible, which may be limited to weekdays.

use std::collections::BTreeSet;

use gassync_plugin::{Date, Nights, to_date_text, xml::Element};

/// Google's names of the weekdays, from Monday.
const NAMES: [&str; 7] = ["Mon", "Tue", "Weds", "Thur", "Fri", "Sat", "Sun"];

/// From one night to another, both inclusive, on some weekdays.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    first: Date,
    last: Date,
    on: [bool; 7],
}

impl Span {
    /// One span over all nights if they are the same weekdays of every week, else one per run of consecutive nights.
    pub fn cover(nights: &BTreeSet<Date>) -> Vec<Self> {
        let (Some(first), Some(last)) = (nights.first(), nights.last()) else { return Vec::new() };
        let mut on = [false; 7];
        for night in nights {
            on[night.weekday()] = true;
        }
        let whole = Self { first: *first, last: *last, on };
        if whole.weekdays().filter(|day| on[*day]).count() == nights.len() {
            return vec![whole];
        }
        let nights: Vec<Date> = nights.iter().copied().collect();
        let run = |run: &[Date]| Some(Self { first: *run.first()?, last: *run.last()?, on: [true; 7] });
        nights.chunk_by(|a, b| a.next_day() == *b).filter_map(run).collect()
    }

    /// Writes the span as attributes of an element.
    pub fn write(&self, element: Element) -> Element {
        let dates = element.with("Start", to_date_text(self.first)).with("End", to_date_text(self.last));
        if self.weekdays().all(|day| self.on[day]) {
            return dates;
        }
        NAMES.iter().zip(self.on).fold(dates, |dates, (name, on)| dates.with(name, u8::from(on)))
    }

    fn weekdays(&self) -> impl Iterator<Item = usize> {
        Nights::through(self.first, self.last).each_night().map(Date::weekday)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_are_one_span_and_gaps_are_several() {
        let monday = Date { year: 2027, month: 3, day: 1 };
        let weekends: BTreeSet<Date> = [4, 5, 11, 12, 18, 19].map(|days| monday.add_days(days)).into();
        let covered = Span::cover(&weekends);
        assert_eq!(covered.len(), 1);
        assert_eq!(covered[0].on, [false, false, false, false, true, true, false]);
        let gap: BTreeSet<Date> = [0, 1, 2, 7, 8, 14].map(|days| monday.add_days(days)).into();
        assert_eq!(Span::cover(&gap).len(), 3, "the second Wednesday is missing");
        let last = monday.add_days(19);
        let run: BTreeSet<Date> = Nights::through(monday, last).each_night().collect();
        assert_eq!(Span::cover(&run), [Span { first: monday, last, on: [true; 7] }]);
    }
}
