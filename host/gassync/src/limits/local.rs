use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use gassync_domain::Timestamp;
use gassync_runtime::Window;
use jiff::SignedDuration;
use parking_lot::Mutex;

use super::{ChannelLimits, Charge, RateLimitHeaders};

/// Buckets of a sliding window: usage counts until its bucket leaves the window.
const PARTS: i64 = 60;
/// Number of budgets at which replenished ones are removed.
const SWEEP_AT: usize = 10_000;
/// Maximum wait, whatever the channel says: its values are not always in seconds.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// Wait after a 429 without a Retry-After.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Tolerance for floating-point sums.
const ROUNDING: f64 = 1e-6;

/// Rate limits counted in this process.
#[derive(Debug, Default)]
pub struct LocalLimits {
    budgets: Mutex<HashMap<String, Budget>>,
}

#[derive(Debug, Default)]
struct Budget {
    windows: Vec<SlidingWindow>,
    /// No request before this time.
    shut_until: Option<Timestamp>,
}

#[derive(Debug)]
struct SlidingWindow {
    window: Window,
    /// The limit reported by the channel; accounts differ, and other clients may use it too.
    reported: Option<f64>,
    /// Start and usage of each part.
    parts: VecDeque<(Timestamp, f64)>,
}

impl SlidingWindow {
    fn length(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.window.seconds))
    }

    fn part(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::from(self.window.seconds) * 1_000 / PARTS)
    }

    /// How long a part counts: its last request may still be in the window.
    fn counts_for(&self) -> SignedDuration {
        self.length() + self.part()
    }

    fn forget(&mut self, now: Timestamp) {
        let counts_for = self.counts_for();
        while self.parts.front().is_some_and(|(began, _)| now.duration_since(*began) >= counts_for) {
            self.parts.pop_front();
        }
    }

    fn limit(&self) -> f64 {
        self.reported.unwrap_or(self.window.limit)
    }

    fn taken(&self) -> f64 {
        self.parts.iter().map(|(_, taken)| taken).sum()
    }

    /// Time until this weight fits; a weight above the limit fits into an empty window.
    fn wait(&mut self, weight: f64, now: Timestamp) -> Option<SignedDuration> {
        self.forget(now);
        let mut over = self.taken() + weight.min(self.limit()) - self.limit();
        let mut parts = self.parts.iter();
        let mut wait = None;
        while over > ROUNDING {
            let (began, taken) = parts.next()?;
            over -= taken;
            wait = Some(self.counts_for() - now.duration_since(*began));
        }
        wait
    }

    fn take(&mut self, weight: f64, now: Timestamp) {
        let part = self.part();
        match self.parts.back_mut() {
            Some((began, taken)) if now.duration_since(*began) < part => *taken = (*taken + weight).max(0.0),
            _ => self.parts.push_back((now, weight.max(0.0))),
        }
    }
}

impl Budget {
    fn fit(&mut self, windows: &[Window]) {
        let same = self.windows.len() == windows.len()
            && self.windows.iter().zip(windows).all(|(sliding, window)| sliding.window == *window);
        if !same {
            // Another plugin version has changed the limit.
            let fresh =
                |window: &Window| SlidingWindow { window: window.clone(), reported: None, parts: VecDeque::new() };
            self.windows = windows.iter().map(fresh).collect();
        }
    }

    fn is_full(&mut self, now: Timestamp) -> bool {
        self.windows.iter_mut().for_each(|sliding| sliding.forget(now));
        self.shut_until.is_none_or(|until| until <= now) && self.windows.iter().all(|sliding| sliding.parts.is_empty())
    }

    fn wait(&mut self, weight: f64, now: Timestamp) -> Option<SignedDuration> {
        let shut = self.shut_until.map(|until| until.duration_since(now)).filter(SignedDuration::is_positive);
        let full = self.windows.iter_mut().filter_map(|sliding| sliding.wait(weight, now)).max();
        shut.max(full)
    }
}

#[async_trait]
impl ChannelLimits for LocalLimits {
    async fn take(&self, charges: &[Charge], now: Timestamp) -> Result<(), SignedDuration> {
        // After a panic the count is off by one request at most.
        let mut budgets = self.budgets.lock();
        if budgets.len() >= SWEEP_AT {
            budgets.retain(|_, budget| !budget.is_full(now));
        }
        let mut longest = None;
        for charge in charges {
            let budget = budgets.entry(charge.budget.clone()).or_default();
            budget.fit(&charge.windows);
            longest = longest.max(budget.wait(charge.weight, now));
        }
        if let Some(wait) = longest {
            return Err(wait);
        }
        for charge in charges {
            if let Some(budget) = budgets.get_mut(&charge.budget) {
                budget.windows.iter_mut().for_each(|sliding| sliding.take(charge.weight, now));
            }
        }
        Ok(())
    }

    async fn correct(&self, charge: &Charge, headers: RateLimitHeaders, now: Timestamp) {
        let mut budgets = self.budgets.lock();
        let Some(budget) = budgets.get_mut(&charge.budget) else { return };
        if headers.refused {
            // Refused although something is left: not this budget, and its reset says nothing.
            let is_left = headers.remaining.is_some_and(|remaining| remaining > charge.weight);
            let resets_in = headers.resets_in.filter(|_| !is_left);
            let wait = headers.retry_after.or(resets_in).filter(SignedDuration::is_positive);
            let wait = wait.unwrap_or(DEFAULT_WAIT).min(MAX_BUDGET_WAIT);
            budget.shut_until = budget.shut_until.max(now.checked_add(wait).ok());
        }
        for sliding in &mut budget.windows {
            if let Some(cost) = headers.cost {
                sliding.take(cost - charge.weight, now);
            }
        }
        // The headers refer to the shortest window.
        if let Some(remaining) = headers.remaining
            && let Some(shortest) = budget.windows.iter_mut().min_by_key(|sliding| sliding.window.seconds)
        {
            shortest.forget(now);
            shortest.reported = Some(shortest.taken() + remaining.max(0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("an instant")
    }

    fn charge(windows: &[(u32, f64)], weight: f64) -> Charge {
        let windows = windows.iter().map(|(seconds, limit)| Window { seconds: *seconds, limit: *limit }).collect();
        Charge { budget: "b".to_owned(), windows, weight }
    }

    #[tokio::test]
    async fn a_window_slides() {
        let limits = LocalLimits::default();
        let one = charge(&[(60, 3.0)], 1.0);
        for second in [0, 10, 20] {
            assert_eq!(limits.take(std::slice::from_ref(&one), at(second)).await, Ok(()));
        }
        let wait = limits.take(std::slice::from_ref(&one), at(30)).await;
        assert_eq!(
            wait,
            Err(SignedDuration::from_secs(31)),
            "until the first, and all of its second, is out of the window"
        );
        assert!(limits.take(std::slice::from_ref(&one), at(61)).await.is_ok());
        assert!(limits.take(std::slice::from_ref(&one), at(62)).await.is_err());
        // However the requests are spread, no window contains more than the limit.
        let many = LocalLimits::default();
        let hundred = charge(&[(300, 100.0)], 1.0);
        let mut taken: Vec<i64> = Vec::new();
        for second in (0..2_000).flat_map(|second| [second, second]) {
            if many.take(std::slice::from_ref(&hundred), at(second)).await.is_ok() {
                taken.push(second);
            }
        }
        let most = taken.iter().map(|from| taken.iter().filter(|at| (*from..from + 300).contains(*at)).count()).max();
        assert_eq!(most, Some(100));
    }

    #[tokio::test]
    async fn a_request_is_charged_to_all_budgets_or_none() {
        let limits = LocalLimits::default();
        let both = charge(&[(1, 2.0), (60, 3.0)], 1.0);
        let other = Charge { budget: "other".to_owned(), ..charge(&[(60, 1.0)], 1.0) };
        assert!(limits.take(&[both.clone(), other.clone()], at(0)).await.is_ok());
        assert!(limits.take(&[both.clone(), other], at(1)).await.is_err());
        assert!(limits.take(std::slice::from_ref(&both), at(1)).await.is_ok(), "the refused one took nothing here");
        assert!(limits.take(std::slice::from_ref(&both), at(2)).await.is_ok());
        let wait = limits.take(std::slice::from_ref(&both), at(10)).await;
        assert_eq!(wait, Err(SignedDuration::from_secs(51)));
    }

    #[tokio::test]
    async fn what_the_channel_reports_counts() {
        let limits = LocalLimits::default();
        let one = charge(&[(300, 100.0)], 1.0);
        let take = async |second| limits.take(std::slice::from_ref(&one), at(second)).await;
        take(0).await.expect("room");
        // The request cost 1.1, and other clients of the account used 90.
        limits
            .correct(
                &one,
                RateLimitHeaders { cost: Some(1.1), remaining: Some(8.9), ..RateLimitHeaders::default() },
                at(0),
            )
            .await;
        for second in 1..=8 {
            take(second).await.expect("room");
        }
        assert_eq!(take(9).await, Err(SignedDuration::from_secs(296)));
        // The channel's number counts even if it is higher: this account has a higher limit.
        limits.correct(&one, RateLimitHeaders { remaining: Some(150.0), ..RateLimitHeaders::default() }, at(9)).await;
        for _ in 0..150 {
            take(10).await.expect("room");
        }
        assert!(take(10).await.is_err());
        let dear = charge(&[(300, 100.0)], 500.0);
        let alone = LocalLimits::default();
        assert!(alone.take(&[dear], at(0)).await.is_ok(), "what is larger than the window goes alone");
    }

    #[tokio::test]
    async fn a_429_blocks_the_budget() {
        let limits = LocalLimits::default();
        let one = charge(&[(60, 30.0)], 1.0);
        limits.take(std::slice::from_ref(&one), at(0)).await.expect("room");
        let headers = RateLimitHeaders {
            resets_in: Some(SignedDuration::from_secs(120)),
            refused: true,
            ..RateLimitHeaders::default()
        };
        limits.correct(&one, headers, at(0)).await;
        assert_eq!(limits.take(std::slice::from_ref(&one), at(20)).await, Err(SignedDuration::from_secs(100)));
        assert!(limits.take(std::slice::from_ref(&one), at(120)).await.is_ok());
        limits.correct(&one, RateLimitHeaders { refused: true, ..RateLimitHeaders::default() }, at(121)).await;
        assert_eq!(limits.take(std::slice::from_ref(&one), at(121)).await, Err(DEFAULT_WAIT));
    }
}
