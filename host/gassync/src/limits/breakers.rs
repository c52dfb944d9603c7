use std::collections::HashMap;

use async_trait::async_trait;
use gassync_domain::{Breaker, BreakerState, Timestamp};
use parking_lot::Mutex;

/// Number of breakers at which closed ones are removed.
const SWEEP_AT: usize = 10_000;

/// What an admitted call shows about the channel's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallHealth {
    /// The channel works, whatever it responded.
    Working,
    /// It is unreachable, timed out, or reported a server error.
    Broken,
    /// It was never called.
    Nothing,
}

/// Circuit breakers per connection, for this process or shared between processes.
#[async_trait]
pub trait Breakers: Send + Sync {
    /// Admits a call, or returns when to retry. An admitted caller must report the result.
    async fn try_acquire(&self, connection: &str, now: Timestamp) -> Result<(), Timestamp>;

    /// Reports the result of an admitted call.
    async fn record(&self, connection: &str, health: CallHealth, now: Timestamp);

    /// The state of a breaker, and until when it rejects calls.
    async fn status(&self, connection: &str, now: Timestamp) -> (BreakerState, Option<Timestamp>);

    /// Connections whose breakers are open or half-open, and since when.
    async fn open_breakers(&self) -> Vec<(String, Timestamp)>;
}

/// Circuit breakers of this process.
#[derive(Debug, Default)]
pub struct LocalBreakers(Mutex<HashMap<String, Kept>>);

/// A breaker, and since when it has not been closed.
#[derive(Debug, Default)]
struct Kept {
    breaker: Breaker,
    down_since: Option<Timestamp>,
}

impl LocalBreakers {
    fn with<T>(&self, connection: &str, now: Timestamp, work: impl FnOnce(&mut Breaker) -> T) -> T {
        // After a panic the breaker is still consistent: it is written at once.
        let mut breakers = self.0.lock();
        if breakers.len() >= SWEEP_AT {
            breakers.retain(|_, kept| kept.breaker.state(now) != BreakerState::Closed);
        }
        let kept = breakers.entry(connection.to_owned()).or_default();
        let result = work(&mut kept.breaker);
        kept.down_since = match kept.breaker.state(now) {
            BreakerState::Closed => None,
            BreakerState::Open | BreakerState::HalfOpen => kept.down_since.or(Some(now)),
        };
        result
    }
}

#[async_trait]
impl Breakers for LocalBreakers {
    async fn try_acquire(&self, connection: &str, now: Timestamp) -> Result<(), Timestamp> {
        self.with(connection, now, |breaker| breaker.try_acquire(now))
    }

    async fn record(&self, connection: &str, health: CallHealth, now: Timestamp) {
        self.with(connection, now, |breaker| match health {
            CallHealth::Working => breaker.succeeded(),
            CallHealth::Broken => breaker.failed(now),
            CallHealth::Nothing => breaker.never_called(),
        });
    }

    async fn status(&self, connection: &str, now: Timestamp) -> (BreakerState, Option<Timestamp>) {
        self.with(connection, now, |breaker| (breaker.state(now), breaker.open_until(now)))
    }

    async fn open_breakers(&self) -> Vec<(String, Timestamp)> {
        let breakers = self.0.lock();
        let mut open: Vec<_> =
            breakers.iter().filter_map(|(connection, kept)| Some((connection.clone(), kept.down_since?))).collect();
        open.sort_unstable();
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("an instant")
    }

    #[tokio::test]
    async fn each_connection_has_its_own_breaker() {
        let breakers = LocalBreakers::default();
        for _ in 0..Breaker::FAILURES_TO_OPEN {
            assert_eq!(breakers.try_acquire("1/1", at(0)).await, Ok(()));
            breakers.record("1/1", CallHealth::Broken, at(0)).await;
        }
        assert_eq!(breakers.try_acquire("1/1", at(1)).await, Err(at(Breaker::OPEN_SECONDS)));
        assert_eq!(breakers.status("1/1", at(1)).await, (BreakerState::Open, Some(at(Breaker::OPEN_SECONDS))));
        assert_eq!(breakers.try_acquire("1/2", at(1)).await, Ok(()));
        assert_eq!(breakers.open_breakers().await, [("1/1".to_owned(), at(0))]);
        assert_eq!(breakers.try_acquire("1/1", at(61)).await, Ok(()), "on trial");
        breakers.record("1/1", CallHealth::Working, at(61)).await;
        assert_eq!(breakers.try_acquire("1/1", at(62)).await, Ok(()));
        assert_eq!(breakers.open_breakers().await, [("1/1".to_owned(), at(0))], "one success does not make it well");
        breakers.record("1/1", CallHealth::Working, at(62)).await;
        assert_eq!(breakers.status("1/1", at(62)).await, (BreakerState::Closed, None));
        assert_eq!(breakers.open_breakers().await, []);
    }
}
