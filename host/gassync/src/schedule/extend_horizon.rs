use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{JobSpec, priority};
use crate::store::queue::QueueKey;

/// Computes the nights that have entered a source's horizon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendHorizon {}

impl JobSpec for ExtendHorizon {
    const NAME: &'static str = "extend-horizon";
    const PRIORITY: i64 = priority::VERIFICATION;
    const MAX_AGE: Option<SignedDuration> = None;

    fn queue(&self) -> QueueKey {
        QueueKey::Host
    }
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&ExtendHorizon {}, "{}");
    }
}
