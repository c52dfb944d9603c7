use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{JobSpec, priority};
use crate::store::queue::QueueKey;

/// Retries parked records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryParked {}

impl JobSpec for RetryParked {
    const NAME: &'static str = "retry-parked";
    const PRIORITY: i64 = priority::PRICES;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(72));

    fn queue(&self) -> QueueKey {
        QueueKey::Host
    }
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&RetryParked {}, "{}");
    }
}
