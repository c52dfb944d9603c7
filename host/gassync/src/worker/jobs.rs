//! The registry of jobs.

use super::{
    backfill::ContinueBackfill,
    job::{Job, RegisteredJob},
};
use crate::schedule::{Deliver, ExtendHorizon, PushBooking, PushCalendar, ReadBack, Refetch, RetryParked, RunPoll};

/// All jobs.
static JOBS: [RegisteredJob; 9] = [
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
