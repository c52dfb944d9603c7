//! Schedules later work: the kinds of jobs ([`kind`]), how they are enqueued ([`polls`], [`pushes`], [`backfills`],
//! [`refetches`]) and how they end ([`outcome`]). The worker runs them.

mod backfills;
mod kind;
mod outcome;
mod polls;
mod pushes;
mod refetches;

use gassync_domain::{SourceKey, Timestamp};
use serde_json::json;

pub use backfills::continue_backfill;
pub use kind::JobKind;
pub use outcome::{FailureClass, JobOutcome};
pub use polls::{
    begin as begin_polls, begin_new as begin_new_polls, hasten as hasten_polls,
    interval_seconds as poll_interval_seconds, named as poll_named, of_bookings as polls_of_bookings,
};
pub use pushes::{
    due_bookings as push_due_bookings, invalidate_source, of_booking as push_of_booking,
    of_calendar as push_of_calendar,
};
pub use refetches::{retry as retry_set_aside, retry_all as retry_all_set_aside};

use crate::{
    core,
    store::{self, Tx, outbound::invalidations},
};

/// Schedules work after something was linked: retries the records that waited for the link, in a separate transaction,
/// and pushes what is linked.
pub async fn linked(tx: &mut Tx, source: SourceKey, now: Timestamp) -> store::Result<()> {
    core::set_missing_time_zone(tx, source, None, now).await?;
    store::queue::enqueue(tx, &[JobKind::RetryParked.job(source, json!({}), (now, now))], now).await?;
    invalidate_source(tx, source, (invalidations::FIRST, false), now).await
}
