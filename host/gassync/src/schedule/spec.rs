use gassync_domain::SourceKey;
use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};

use crate::store::queue::{Due, NewJob, QueueKey};

/// The order of jobs: lower is more urgent.
pub mod priority {
    /// Bookings.
    pub const BOOKINGS: i64 = 1;
    /// Availability, and what subscribers wait for.
    pub const AVAILABILITY: i64 = 2;
    /// Prices and new records.
    pub const PRICES: i64 = 3;
    /// Verification: pushing pending changes is more urgent than verifying earlier ones.
    pub const VERIFICATION: i64 = 4;
    /// Backfills and replays.
    pub const BACKFILLS: i64 = 5;
}

/// A job as it is enqueued: the type holds its arguments, which are stored as JSON. Rows of earlier versions are read
/// again, so that fields are added as optional ones only.
pub trait JobSpec: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name in the database.
    const NAME: &'static str;
    /// Its place in the order of jobs.
    const PRIORITY: i64;
    /// Maximum age before it is given up; `None` for no limit.
    const MAX_AGE: Option<SignedDuration>;

    /// The queue it waits in.
    fn queue(&self) -> QueueKey {
        QueueKey::Channel
    }

    /// Sequence number of the fact that it delivers.
    fn sequence(&self) -> Option<i64> {
        None
    }

    /// The job for a source, due at once.
    ///
    /// # Panics
    ///
    /// If the arguments are not JSON, such as a map whose keys are no texts.
    fn of(&self, source: SourceKey) -> NewJob {
        NewJob {
            source,
            queue: self.queue(),
            kind: Self::NAME,
            payload: serde_json::to_value(self).expect("arguments are JSON"),
            priority: Self::PRIORITY,
            due: Due::NOW,
            max_age: Self::MAX_AGE,
            sequence: self.sequence(),
            run: None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Asserts that these arguments are stored as this JSON, and read from it.
    pub(in crate::schedule) fn assert_stored<J: JobSpec + PartialEq + std::fmt::Debug>(job: &J, json: &str) {
        let source = SourceKey { account: 1.into(), source: 2.into() };
        assert_eq!(job.of(source).payload.to_string(), json);
        assert_eq!(&serde_json::from_str::<J>(json).expect("arguments"), job);
    }
}
