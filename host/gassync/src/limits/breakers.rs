use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use gassync_domain::{Breaker, BreakerState, Timestamp};

/// Breakers kept before those that are closed again are thrown away.
const SWEEP_AT: usize = 10_000;

/// How a call that was admitted ended, as far as its channel is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallHealth {
    /// The channel works, whatever it said.
    Working,
    /// It cannot be reached, did not answer in time, or answered that it is broken.
    Broken,
    /// It was never called.
    Nothing,
}

/// Keeps calls from channels that are down, by connection: in this process, or for all that share one.
#[async_trait]
pub trait Breakers: Send + Sync {
    /// Whether a call may be made now; if not, when to ask again. Whoever is admitted says how it ended.
    async fn try_acquire(&self, connection: &str, now: Timestamp) -> Result<(), Timestamp>;

    /// How a call that was admitted ended.
    async fn record(&self, connection: &str, health: CallHealth, now: Timestamp);

    /// How a breaker stands, and until when it admits nothing.
    async fn status(&self, connection: &str, now: Timestamp) -> (BreakerState, Option<Timestamp>);

    /// The connections whose breakers are not closed, and since when: the channel is down, or on trial after that.
    async fn open(&self) -> Vec<(String, Timestamp)>;
}

/// Kept in this process alone.
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
        // A thread that panicked here left a whole breaker: each is written at once.
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    async fn open(&self) -> Vec<(String, Timestamp)> {
        let breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        assert_eq!(breakers.open().await, [("1/1".to_owned(), at(0))]);
        assert_eq!(breakers.try_acquire("1/1", at(61)).await, Ok(()), "on trial");
        breakers.record("1/1", CallHealth::Working, at(61)).await;
        assert_eq!(breakers.try_acquire("1/1", at(62)).await, Ok(()));
        assert_eq!(breakers.open().await, [("1/1".to_owned(), at(0))], "one success does not make it well");
        breakers.record("1/1", CallHealth::Working, at(62)).await;
        assert_eq!(breakers.status("1/1", at(62)).await, (BreakerState::Closed, None));
        assert_eq!(breakers.open().await, []);
    }
}
