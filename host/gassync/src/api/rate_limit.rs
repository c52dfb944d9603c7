//! Request limits per API key: a number of requests per time window, counted per process.

use std::collections::HashMap;

use gassync_domain::Timestamp;
use jiff::SignedDuration;
use parking_lot::Mutex;

/// Number of keys at which finished windows are removed.
const SWEEP_AT: usize = 10_000;

/// Counts calls per key.
#[derive(Debug)]
pub struct RateLimits {
    requests: u32,
    window: SignedDuration,
    counts: Mutex<HashMap<i64, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    calls: u32,
}

/// The limit of a key after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// Whether this call was within the limit.
    pub admitted: bool,
    /// Limit per window.
    pub requests: u32,
    /// Length of a window, in seconds.
    pub window_seconds: i64,
    /// Requests left in this window.
    pub remaining: u32,
    /// Seconds until the next window, rounded up.
    pub reset_seconds: i64,
}

impl RateLimits {
    /// Allows `requests` per window of `window_seconds`.
    pub fn new(requests: u32, window_seconds: u32) -> Self {
        let window = SignedDuration::from_secs(i64::from(window_seconds));
        Self { requests, window, counts: Mutex::default() }
    }

    /// Counts a call.
    pub fn count(&self, key: i64, now: Timestamp) -> RateLimitStatus {
        // After a panic the count is off by one at most.
        let mut counts = self.counts.lock();
        if counts.len() >= SWEEP_AT {
            counts.retain(|_, window| now.duration_since(window.began) < self.window);
        }
        let window = counts.entry(key).or_insert(Window { began: now, calls: 0 });
        if now.duration_since(window.began) >= self.window {
            *window = Window { began: now, calls: 0 };
        }
        window.calls = window.calls.saturating_add(1);
        let left = self.window - now.duration_since(window.began);
        RateLimitStatus {
            admitted: window.calls <= self.requests,
            requests: self.requests,
            window_seconds: self.window.as_secs(),
            remaining: self.requests.saturating_sub(window.calls),
            reset_seconds: left.as_secs() + i64::from(left.subsec_nanos() > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_rejects_until_the_next_begins() {
        let limits = RateLimits::new(2, 60);
        let at = |second: i64| Timestamp::from_second(second).expect("an instant");
        let status = |key, second| {
            let status = limits.count(key, at(second));
            (status.admitted, status.remaining, status.reset_seconds)
        };
        assert_eq!(status(1, 0), (true, 1, 60));
        assert_eq!(status(1, 20), (true, 0, 40));
        assert_eq!(status(1, 59), (false, 0, 1));
        assert_eq!(status(2, 59), (true, 1, 60), "another key has its own window");
        assert_eq!(status(1, 60), (true, 1, 60));
    }
}
