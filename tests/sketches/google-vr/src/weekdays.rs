//! Nights of which the same is said, as few spans as it takes: a span may leave out weekdays.

use std::collections::BTreeSet;

use gassync_plugin::to_date_text;

use crate::{clock, xml::Element};

/// Google's own names, from Monday on.
const NAMES: [&str; 7] = ["Mon", "Tue", "Weds", "Thur", "Fri", "Sat", "Sun"];

/// From one night to another, both meant, on some days of the week.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    first: i64,
    last: i64,
    on: [bool; 7],
}

impl Span {
    /// One span over all nights where they are the same weekdays of every week, else one for each run of nights.
    pub fn cover(nights: &BTreeSet<i64>) -> Vec<Self> {
        let (Some(first), Some(last)) = (nights.first(), nights.last()) else { return Vec::new() };
        let mut on = [false; 7];
        for night in nights {
            on[clock::weekday(*night)] = true;
        }
        let whole = Self { first: *first, last: *last, on };
        if (*first..=*last).filter(|night| on[clock::weekday(*night)]).count() == nights.len() {
            return vec![whole];
        }
        let nights: Vec<i64> = nights.iter().copied().collect();
        let run = |run: &[i64]| Some(Self { first: *run.first()?, last: *run.last()?, on: [true; 7] });
        nights.chunk_by(|a, b| a + 1 == *b).filter_map(run).collect()
    }

    /// As the attributes of an element.
    pub fn write(&self, element: Element) -> Element {
        let dates = element
            .with("Start", to_date_text(clock::date(self.first)))
            .with("End", to_date_text(clock::date(self.last)));
        let every = (self.first..=self.last).all(|night| self.on[clock::weekday(night)]);
        if every {
            return dates;
        }
        NAMES.iter().zip(self.on).fold(dates, |dates, (name, on)| dates.with(name, u8::from(on)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_are_one_span_and_gaps_are_several() {
        let monday = 20_878;
        let weekends: BTreeSet<i64> = [4, 5, 11, 12, 18, 19].map(|day| monday + day).into();
        let covered = Span::cover(&weekends);
        assert_eq!(covered.len(), 1);
        assert_eq!(covered[0].on, [false, false, false, false, true, true, false]);
        let gap: BTreeSet<i64> = [0, 1, 2, 7, 8, 14].map(|day| monday + day).into();
        assert_eq!(Span::cover(&gap).len(), 3, "the second Wednesday is missing");
        let run: BTreeSet<i64> = (monday..monday + 20).collect();
        assert_eq!(Span::cover(&run), [Span { first: monday, last: monday + 19, on: [true; 7] }]);
    }
}
