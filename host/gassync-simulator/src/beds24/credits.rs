use std::collections::VecDeque;

use axum::{http::HeaderValue, response::Response};
use jiff::{SignedDuration, Timestamp};

/// The window that credits are counted in.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// What a reading call costs.
const READ_COST: f64 = 1.0;

/// Credits of one account, shared by all its tokens.
pub(super) struct Credits {
    budget: f64,
    spent: VecDeque<(Timestamp, f64)>,
}

/// A charge, to be given back when the call is refused.
pub(super) struct Paid(Timestamp);

/// What is left, and when it is whole again.
pub(super) struct Left {
    remaining: f64,
    resets_in: i64,
}

/// There is nothing left.
pub(super) struct Exhausted;

impl Credits {
    pub fn new(budget: f64) -> Self {
        Self { budget, spent: VecDeque::new() }
    }

    pub fn charge(&mut self, now: Timestamp) -> Result<Paid, Exhausted> {
        if self.left(now).remaining < READ_COST {
            return Err(Exhausted);
        }
        self.spent.push_back((now, READ_COST));
        Ok(Paid(now))
    }

    pub fn refund(&mut self, paid: &Paid) {
        if let Some(place) = self.spent.iter().rposition(|(at, _)| *at == paid.0) {
            self.spent.remove(place);
        }
    }

    pub fn left(&mut self, now: Timestamp) -> Left {
        while self.spent.front().is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.spent.pop_front();
        }
        let spent: f64 = self.spent.iter().map(|(_, cost)| cost).sum();
        let resets_in = self.spent.front().map_or(0, |(at, _)| (WINDOW - now.duration_since(*at)).as_secs().max(1));
        Left { remaining: self.budget - spent, resets_in }
    }
}

impl Left {
    /// Says so in the headers that are seen on the wire.
    pub fn on(&self, mut answer: Response) -> Response {
        let headers = answer.headers_mut();
        let figures = [
            ("x-five-min-limit-remaining", format!("{:.1}", self.remaining)),
            ("x-five-min-limit-resets-in", self.resets_in.to_string()),
            ("x-request-cost", format!("{READ_COST:.1}")),
        ];
        for (name, figure) in figures {
            if let Ok(value) = HeaderValue::from_str(&figure) {
                headers.insert(name, value);
            }
        }
        answer
    }
}
