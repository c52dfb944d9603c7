//! Prices and minimum stays, night by night.

use std::collections::BTreeMap;

use jiff::{Span, civil::Date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Nights with a price, from today.
const PRICED_NIGHTS: usize = 400;

/// What is set for a night. A night without a price has none; it is not free of charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rate {
    pub price_cents: Option<u64>,
    pub min_stay: Option<u32>,
    pub is_closed: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    set: BTreeMap<(u64, Date), Rate>,
}

impl Rates {
    pub fn get(&self, apartment: u64, night: Date) -> Rate {
        self.set.get(&(apartment, night)).copied().unwrap_or_default()
    }

    pub fn at(&mut self, apartment: u64, night: Date) -> &mut Rate {
        self.set.entry((apartment, night)).or_default()
    }

    /// Sets prices of an apartment from this day on.
    pub fn price(&mut self, apartment: u64, today: Date, rng: &mut ChaCha8Rng) {
        let price = rng.random_range(60..180) * 100;
        for night in today.series(Span::new().days(1)).take(PRICED_NIGHTS) {
            let weekend = night.weekday().to_monday_zero_offset() >= 4;
            let cents = if weekend { price * 5 / 4 } else { price };
            let min_stay = if weekend { 2 } else { 1 };
            *self.at(apartment, night) = Rate { price_cents: Some(cents), min_stay: Some(min_stay), is_closed: false };
        }
    }
}
