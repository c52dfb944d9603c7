/// Delays after the first to the fifth failed attempt, in milliseconds.
pub const ATTEMPT_DELAYS: [i64; 5] = [2_000, 4_000, 8_000, 16_000, 32_000];
/// Delay after every further attempt, until the job's deadline, in milliseconds.
const LATER_DELAY: i64 = 600_000;

/// How long to wait, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryDelay(pub i64);

/// The delay after `attempts` failed attempts (1 = the first has just failed). `jitter` (0.0–1.0) adds up to half of it
/// to spread retries. The deadline, not this rule, ends the retries.
pub fn retry_delay(attempts: u32, jitter: f64) -> RetryDelay {
    let index = attempts.max(1) as usize - 1;
    let base = ATTEMPT_DELAYS.get(index).copied().unwrap_or(LATER_DELAY);
    RetryDelay(base + (base as f64 / 2.0 * jitter.clamp(0.0, 1.0)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_then_wait_for_the_deadline() {
        let shortest: Vec<i64> = (1..=7).map(|n| retry_delay(n, 0.0).0).collect();
        assert_eq!(shortest, [2_000, 4_000, 8_000, 16_000, 32_000, 600_000, 600_000]);
        assert_eq!(retry_delay(1, 1.0), RetryDelay(3_000));
    }
}
