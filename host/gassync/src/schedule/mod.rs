//! Schedules later work: a file per job that rooms below the worker enqueue, with its arguments and what is needed to
//! enqueue it ([`JobSpec`]); how jobs end ([`outcome`]). What they do stands in the worker, since it calls rooms that enqueue.

mod deliver;
mod extend_horizon;
mod outcome;
mod push_booking;
mod push_calendar;
mod read_back;
mod refetch;
mod retry_parked;
mod run_poll;
mod spec;

use gassync_domain::{SourceKey, Timestamp};

pub use deliver::Deliver;
pub use extend_horizon::ExtendHorizon;
pub use outcome::{FailureClass, JobOutcome};
pub use push_booking::{PushBooking, push_due_bookings};
pub use push_calendar::{PushCalendar, invalidate_source};
pub use read_back::ReadBack;
pub use refetch::{Refetch, retry_all_set_aside, retry_set_aside};
pub use retry_parked::RetryParked;
pub use run_poll::{RunPoll, begin_new_polls, begin_polls, hasten_polls, poll_interval_seconds, poll_now};
pub use spec::{JobSpec, priority};

use crate::{
    core,
    store::{self, Tx, outbound::invalidations, queue},
};

/// Schedules work after something was linked: retries the records that waited for the link, in a separate transaction,
/// and pushes what is linked.
pub async fn linked(tx: &mut Tx, source: SourceKey, now: Timestamp) -> store::Result<()> {
    core::set_missing_time_zone(tx, source, None, now).await?;
    queue::enqueue(tx, &[RetryParked {}.of(source)], now).await?;
    invalidate_source(tx, source, (invalidations::FIRST, false), now).await
}
