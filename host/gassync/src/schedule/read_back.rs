use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{JobSpec, priority};

/// Reads back what was pushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack {}

impl JobSpec for ReadBack {
    const NAME: &'static str = "read-back";
    const PRIORITY: i64 = priority::VERIFICATION;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(24));
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&ReadBack {}, "{}");
    }
}
