use gassync_domain::{CoreId, Date, SourceKey, Timestamp};
use serde_json::json;

use super::JobKind;
use crate::store::{
    Result, Tx,
    outbound::{bookings, invalidations},
    queue::{self, NewJob},
};

/// The calendar push of a source, due at the first of two times; the second is now. The nights are kept in a table, so
/// that any number of changes is one job.
pub fn of_calendar(source_key: SourceKey, times: (Timestamp, Timestamp)) -> NewJob<'static> {
    JobKind::PushCalendar.job(source_key, json!({}), times)
}

/// The push of a booking to a source, due now.
pub fn of_booking(source_key: SourceKey, booking: CoreId, now: Timestamp) -> NewJob<'static> {
    JobKind::PushBooking.job(source_key, json!({ "booking": booking.0 }), (now, now))
}

/// Enqueues a source's pending bookings.
pub async fn due_bookings(tx: &mut Tx, source: SourceKey, now: Timestamp) -> Result<()> {
    let due = bookings::pending(tx, source).await?;
    let work = due.into_iter().map(|booking| of_booking(source, booking, now));
    queue::enqueue(tx, &Vec::from_iter(work), now).await
}

/// Invalidates a source's nights from `first` on, after the source itself changed (a link, its push settings). `whole`
/// also resends confirmed values.
pub async fn invalidate_source(
    tx: &mut Tx,
    source: SourceKey,
    (first, whole): (Date, bool),
    now: Timestamp,
) -> Result<()> {
    if invalidations::insert_for_source(tx, source, (first, whole), now).await? == 0 {
        return Ok(());
    }
    queue::enqueue(tx, &[of_calendar(source, (now, now))], now).await
}
