//! Credits: by default 100 per rolling five minutes and account, for all tokens together.

use std::collections::VecDeque;

use axum::{
    http::{HeaderName, HeaderValue},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};

use super::{CreditHeaders, Settings};

/// Length of the rolling window.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Credits of one account, in hundredths: costs are decimal, and their sums must be exact.
pub(super) struct Credits {
    budget: i64,
    spent: VecDeque<Charge>,
    charges: u64,
    headers: CreditHeaders,
}

struct Charge {
    number: u64,
    at: Timestamp,
    cost: Cost,
}

/// Cost of a call, in hundredths of a credit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost(i64);

impl Cost {
    pub const NOTHING: Self = Self(0);

    pub fn new(credits: f64) -> Self {
        Self((credits * 100.0).round() as i64)
    }

    pub fn credits(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

/// A charge, which is refunded if the call is refused.
pub(super) struct Paid(u64);

/// Not enough credits are left.
pub(super) struct Exhausted;

impl Credits {
    pub fn new(settings: &Settings) -> Self {
        Self {
            budget: Cost::new(settings.credits_per_five_minutes).0,
            spent: VecDeque::new(),
            charges: 0,
            headers: settings.credit_headers,
        }
    }

    pub fn charge(&mut self, cost: Cost, now: Timestamp) -> Result<Paid, Exhausted> {
        if self.left(now) < cost.0 {
            return Err(Exhausted);
        }
        self.charges += 1;
        self.spent.push_back(Charge { number: self.charges, at: now, cost });
        Ok(Paid(self.charges))
    }

    pub fn refund(&mut self, paid: &Paid) {
        self.spent.retain(|charge| charge.number != paid.0);
    }

    /// Returns the credits left now.
    pub fn remaining(&mut self, now: Timestamp) -> f64 {
        Cost(self.left(now)).credits()
    }

    fn left(&mut self, now: Timestamp) -> i64 {
        while self.spent.front().is_some_and(|charge| now.duration_since(charge.at) >= WINDOW) {
            self.spent.pop_front();
        }
        self.budget - self.spent.iter().map(|charge| charge.cost.0).sum::<i64>()
    }

    /// Sets the response headers for the credits left, the time until renewal, and the cost of the call.
    pub fn write_headers(&mut self, answer: &mut Response, cost: Cost, now: Timestamp) {
        let remaining = self.remaining(now);
        let first = self.spent.front().map_or(0, |first| (WINDOW - now.duration_since(first.at)).as_secs().max(1));
        let names = match self.headers {
            CreditHeaders::Wire => ["x-five-min-limit-remaining", "x-five-min-limit-resets-in", "x-request-cost"],
            CreditHeaders::File => ["x-fivemincreditlimit-remaining", "x-fivemincreditlimit-resetsin", "x-requestcost"],
        };
        let figures = [number(remaining), first.to_string(), number(cost.credits())];
        let headers = answer.headers_mut();
        for (name, figure) in names.into_iter().zip(figures) {
            if let Ok(value) = HeaderValue::from_str(&figure) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        if self.headers == CreditHeaders::File
            && let Ok(value) = HeaderValue::from_str(&number(Cost(self.budget).credits()))
        {
            headers.insert(HeaderName::from_static("x-fivemincreditlimit"), value);
        }
    }
}

/// Formats with as many decimals as necessary.
fn number(credits: f64) -> String {
    format!("{credits}")
}
