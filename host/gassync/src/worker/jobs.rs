//! The registry of jobs.

use super::{backfill::ContinueBackfill, job::RegisteredJob};
use crate::schedule::{Deliver, ExtendHorizon, PushBooking, PushCalendar, ReadBack, Refetch, RetryParked, RunPoll};

/// All jobs.
static JOBS: &[RegisteredJob] = &[
    RegisteredJob::of::<PushBooking>(),
    RegisteredJob::of::<Refetch>(),
    RegisteredJob::of::<PushCalendar>(),
    RegisteredJob::of::<ReadBack>(),
    RegisteredJob::of::<RunPoll>(),
    RegisteredJob::of::<ExtendHorizon>(),
    RegisteredJob::of::<ContinueBackfill>(),
    RegisteredJob::of::<RetryParked>(),
    RegisteredJob::of::<Deliver>(),
];

/// The job of this name.
pub fn job_named(name: &str) -> Option<&'static RegisteredJob> {
    JOBS.iter().find(|job| job.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_batches_name_jobs() {
        let names: BTreeSet<&str> = JOBS.iter().map(|job| job.name).collect();
        assert_eq!(names.len(), JOBS.len());
        assert!(names.iter().all(|name| job_named(name).is_some_and(|job| job.name == *name)));
        assert!(job_named("nothing").is_none());
        for job in JOBS {
            assert!(job.batch.kinds.is_empty() || job.batch.kinds.contains(&job.name), "{}", job.name);
            assert!(job.batch.kinds.iter().all(|kind| names.contains(kind)), "{}", job.name);
        }
    }
}
