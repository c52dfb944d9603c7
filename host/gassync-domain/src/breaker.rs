use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Circuit breaker: [`Breaker::FAILURES_TO_OPEN`] consecutive failures open it for [`Breaker::OPEN_SECONDS`]; then it
/// admits one trial call at a time, until [`Breaker::SUCCESSES_TO_CLOSE`] consecutive trials succeed or one fails.
///
/// Every admitted caller reports the result. Only faults of the channel count as failures: it is unreachable, times
/// out, or reports a server error. A channel that rejects a request works, which counts as a success.
///
/// In JSON it is `{"state":"closed","failures":0}`, `{"state":"open","until":T}` or
/// `{"state":"half-open","successes":0,"trialUntil":T}`, with instants in RFC 3339.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Breaker(Position);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Position {
    Closed {
        failures: u32,
    },
    Open {
        until: Timestamp,
    },
    HalfOpen {
        successes: u32,
        /// When the running trial expires.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trial_until: Option<Timestamp>,
    },
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls are admitted.
    Closed,
    /// Calls are rejected.
    Open,
    /// One trial call at a time is admitted.
    HalfOpen,
}

impl Default for Position {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Consecutive failures that open a closed breaker.
    pub const FAILURES_TO_OPEN: u32 = 5;
    /// Consecutive successful trials that close it.
    pub const SUCCESSES_TO_CLOSE: u32 = 2;
    /// How long an open breaker rejects calls, in seconds.
    pub const OPEN_SECONDS: i64 = 60;
    /// After how many seconds an unreported trial expires: the maximum duration of a channel call.
    pub const TRIAL_SECONDS: i64 = 60;
    /// Retry delay in seconds while another trial is running.
    pub const ASK_AGAIN_SECONDS: i64 = 5;

    /// Admits a call, or returns when to retry. A caller admitted while half-open holds the only trial.
    pub fn try_acquire(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let successes = match &mut self.0 {
            Position::Closed { .. } => return Ok(()),
            Position::Open { until } => {
                // A clock that was set back must not prolong it.
                *until = (*until).min(after(now, Self::OPEN_SECONDS));
                if now < *until {
                    return Err(*until);
                }
                0
            }
            Position::HalfOpen { successes, trial_until } => {
                if let Some(until) = trial_until {
                    *until = (*until).min(after(now, Self::TRIAL_SECONDS));
                    if now < *until {
                        return Err((*until).min(after(now, Self::ASK_AGAIN_SECONDS)));
                    }
                }
                *successes
            }
        };
        self.0 = Position::HalfOpen { successes, trial_until: Some(after(now, Self::TRIAL_SECONDS)) };
        Ok(())
    }

    /// Reports that an admitted call found the channel working.
    pub fn succeeded(&mut self) {
        match self.0 {
            Position::Closed { .. } => self.0 = Position::default(),
            Position::HalfOpen { successes, trial_until: Some(_) }
                if successes.saturating_add(1) >= Self::SUCCESSES_TO_CLOSE =>
            {
                self.0 = Position::default();
            }
            Position::HalfOpen { successes, trial_until: Some(_) } => {
                self.0 = Position::HalfOpen { successes: successes + 1, trial_until: None };
            }
            // A call started before it opened says nothing about the current state.
            Position::Open { .. } | Position::HalfOpen { trial_until: None, .. } => {}
        }
    }

    /// Reports that an admitted call failed by the channel's fault.
    pub fn failed(&mut self, now: Timestamp) {
        match self.0 {
            Position::Closed { failures } if failures.saturating_add(1) < Self::FAILURES_TO_OPEN => {
                self.0 = Position::Closed { failures: failures + 1 };
            }
            // Calls started before it opened do not prolong it when they fail.
            Position::Open { until } if now < until => {}
            _ => self.0 = Position::Open { until: after(now, Self::OPEN_SECONDS) },
        }
    }

    /// Reports that an admitted call never reached the channel, so that another call may take the trial.
    pub fn never_called(&mut self) {
        if let Position::HalfOpen { trial_until, .. } = &mut self.0 {
            *trial_until = None;
        }
    }

    /// When an open breaker admits the next call.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.0 {
            Position::Open { until } if now < until => Some(until),
            _ => None,
        }
    }

    /// The current state.
    pub fn state(&self, now: Timestamp) -> BreakerState {
        match self.0 {
            Position::Closed { .. } => BreakerState::Closed,
            Position::Open { until } if now < until => BreakerState::Open,
            Position::Open { .. } | Position::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    // No wait goes beyond the last representable instant.
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("an instant")
    }

    /// A breaker that has just opened.
    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        (0..Breaker::FAILURES_TO_OPEN).for_each(|_| breaker.failed(at(0)));
        breaker
    }

    /// A half-open breaker whose trial began when the open time ended.
    fn on_trial() -> Breaker {
        let mut breaker = opened();
        breaker.try_acquire(at(Breaker::OPEN_SECONDS)).expect("a trial");
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_the_breaker() {
        let mut breaker = Breaker::default();
        for _ in 1..Breaker::FAILURES_TO_OPEN {
            breaker.failed(at(0));
        }
        assert_eq!((breaker.state(at(0)), breaker.try_acquire(at(0))), (BreakerState::Closed, Ok(())));
        breaker.succeeded();
        for _ in 1..Breaker::FAILURES_TO_OPEN {
            breaker.failed(at(1));
        }
        assert_eq!(breaker.state(at(1)), BreakerState::Closed, "a success begins the count anew");
        breaker.failed(at(2));
        assert_eq!(breaker.state(at(2)), BreakerState::Open);
        assert_eq!(breaker.try_acquire(at(2)), Err(at(62)));
    }

    #[test]
    fn an_open_breaker_ignores_results_until_its_time_is_over() {
        let mut breaker = opened();
        breaker.failed(at(30));
        breaker.succeeded();
        breaker.never_called();
        assert_eq!(breaker, opened(), "those calls were made before it opened");
        assert_eq!(breaker.try_acquire(at(59)), Err(at(60)));
        assert_eq!((breaker.state(at(59)), breaker.state(at(60))), (BreakerState::Open, BreakerState::HalfOpen));
        assert_eq!(breaker.try_acquire(at(60)), Ok(()));
        let mut late = opened();
        late.failed(at(60));
        assert_eq!(late.try_acquire(at(61)), Err(at(120)), "a fault after the time is new");
    }

    #[test]
    fn two_successful_trials_close_the_breaker() {
        let mut breaker = on_trial();
        assert_eq!(breaker.try_acquire(at(61)), Err(at(66)), "a trial runs");
        breaker.succeeded();
        assert_eq!(breaker.state(at(62)), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker.state(at(62)), BreakerState::HalfOpen, "of one trial a second success is none");
        assert_eq!(breaker.try_acquire(at(62)), Ok(()));
        assert_eq!(breaker.try_acquire(at(62)), Err(at(67)));
        breaker.succeeded();
        assert_eq!(breaker, Breaker::default());
        assert_eq!((breaker.try_acquire(at(63)), breaker.try_acquire(at(63))), (Ok(()), Ok(())));
    }

    #[test]
    fn a_failed_trial_reopens_the_breaker() {
        let mut first = on_trial();
        first.failed(at(70));
        assert_eq!(first.try_acquire(at(71)), Err(at(130)));
        let mut second = on_trial();
        second.succeeded();
        second.try_acquire(at(65)).expect("the second trial");
        second.failed(at(70));
        second.try_acquire(at(130)).expect("a trial");
        second.succeeded();
        assert_eq!(second.state(at(131)), BreakerState::HalfOpen, "successes before it opened again do not count");
    }

    #[test]
    fn a_trial_without_a_result_expires() {
        let mut breaker = on_trial();
        assert_eq!(breaker.try_acquire(at(118)), Err(at(120)), "no longer than the trial is waited for");
        assert_eq!(breaker.try_acquire(at(120)), Ok(()));
        assert_eq!(breaker.try_acquire(at(120)), Err(at(125)));
        let mut breaker = on_trial();
        breaker.never_called();
        let before = breaker;
        breaker.succeeded();
        assert_eq!(breaker, before, "nothing is on trial that could have succeeded");
        assert_eq!(breaker.try_acquire(at(61)), Ok(()), "and one that was none makes room at once");
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_the_open_state() {
        let mut open = opened();
        assert_eq!(open.try_acquire(at(-3600)), Err(at(-3540)));
        assert_eq!(open.try_acquire(at(-3540)), Ok(()));
        let mut trial = on_trial();
        assert_eq!(trial.try_acquire(at(-3600)), Err(at(-3595)));
        assert_eq!(trial.try_acquire(at(-3540)), Ok(()));
        let mut last = Breaker::default();
        (0..Breaker::FAILURES_TO_OPEN).for_each(|_| last.failed(Timestamp::MAX));
        assert_eq!(last.try_acquire(Timestamp::MAX), Ok(()), "nobody can wait for what is after the end of time");
    }

    #[test]
    fn json_round_trip() {
        let mut succeeded = on_trial();
        succeeded.succeeded();
        for (breaker, text) in [
            (Breaker::default(), r#"{"state":"closed","failures":0}"#),
            (opened(), r#"{"state":"open","until":"2027-01-15T08:01:00Z"}"#),
            (on_trial(), r#"{"state":"half-open","successes":0,"trialUntil":"2027-01-15T08:02:00Z"}"#),
            (succeeded, r#"{"state":"half-open","successes":1}"#),
        ] {
            assert_eq!(serde_json::to_string(&breaker).expect("JSON"), text);
            assert_eq!(serde_json::from_str::<Breaker>(text).expect(text), breaker);
        }
        let mut odd: Breaker = serde_json::from_str(r#"{"state":"closed","failures":4294967295}"#).expect("a breaker");
        odd.failed(at(0));
        assert_eq!(odd.state(at(0)), BreakerState::Open);
    }

    /// A pseudo-random number generator (SplitMix64), so that each run takes the same steps.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)) % bound
        }
    }

    #[test]
    fn random_sequences_open_in_time_and_recover() {
        let mut seen = [0_u32; 3];
        for seed in 0..200 {
            let (mut dice, mut breaker, mut second) = (Dice(seed), Breaker::default(), 0_i64);
            // The expected state, computed from the history alone.
            let (mut failures_in_a_row, mut trials_in_a_row, mut trial_since) = (0, 0, None);
            for _ in 0..500 {
                second += i64::try_from(dice.below(25)).expect("small");
                let now = at(second);
                let before = breaker.state(now);
                seen[before as usize] += 1;
                let admitted = breaker.try_acquire(now);
                if let Err(until) = admitted {
                    assert!(until > now && until <= after(now, Breaker::OPEN_SECONDS), "{breaker:?}");
                }
                let trial_runs = trial_since.is_some_and(|since| second < since + Breaker::TRIAL_SECONDS);
                let expected = match before {
                    BreakerState::Closed => true,
                    BreakerState::Open => false,
                    BreakerState::HalfOpen => !trial_runs,
                };
                assert_eq!(admitted.is_ok(), expected, "seed {seed}, second {second}");
                let reported = if expected { dice.below(5) } else { 4 };
                if expected {
                    trial_since = (before == BreakerState::HalfOpen && reported == 4).then_some(second);
                }
                match reported {
                    0 | 1 => {
                        breaker.succeeded();
                        (failures_in_a_row, trials_in_a_row) = (0, trials_in_a_row + 1);
                    }
                    2 | 3 => {
                        breaker.failed(now);
                        (failures_in_a_row, trials_in_a_row) = (failures_in_a_row + 1, 0);
                    }
                    // The result is never reported.
                    _ => {}
                }
                let expected = match (before, reported) {
                    (BreakerState::Closed, 2 | 3) if failures_in_a_row >= Breaker::FAILURES_TO_OPEN => {
                        BreakerState::Open
                    }
                    (BreakerState::HalfOpen, 2 | 3) => BreakerState::Open,
                    (BreakerState::HalfOpen, 0 | 1) if trials_in_a_row >= Breaker::SUCCESSES_TO_CLOSE => {
                        BreakerState::Closed
                    }
                    _ => before,
                };
                assert_eq!(breaker.state(now), expected, "seed {seed}, second {second}");
                if expected == BreakerState::Open {
                    trials_in_a_row = 0;
                }
                let kept = serde_json::to_string(&breaker).expect("JSON");
                assert_eq!(serde_json::from_str::<Breaker>(&kept).expect(&kept), breaker);
            }
        }
        assert!(seen.iter().all(|times| *times > 1_000), "every state was tried: {seen:?}");
    }
}
