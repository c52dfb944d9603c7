use gassync_domain::{AccountId, CoreId, Date, SourceId, Timestamp};
use serde_json::json;

use super::JobKind;
use crate::store::{
    Result, Tx,
    outbound::{bookings, invalidations},
    queue::{self, NewJob},
};

/// The calendar push of a source, due at the first of two times; the second is now. The nights are kept in a table, so
/// that any number of changes is one job.
pub fn of_calendar(source_key: (AccountId, SourceId), times: (Timestamp, Timestamp)) -> NewJob<'static> {
    JobKind::PushCalendar.job(source_key, json!({}), times)
}

/// The push of a booking to a source, due now.
pub fn of_booking(source_key: (AccountId, SourceId), booking: CoreId, now: Timestamp) -> NewJob<'static> {
    JobKind::PushBooking.job(source_key, json!({ "booking": booking.0 }), (now, now))
}

/// Enqueues a source's pending bookings.
pub async fn due_bookings(tx: &mut Tx, (account, source): (AccountId, SourceId), now: Timestamp) -> Result<()> {
    let due = bookings::pending(tx, account, source).await?;
    let work = due.into_iter().map(|booking| of_booking((account, source), booking, now));
    queue::enqueue(tx, &Vec::from_iter(work), now).await
}

/// Invalidates a source's nights from `first` on, after the source itself changed (a link, its push settings). `whole`
/// also resends confirmed values.
pub async fn invalidate_source(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
    (first, whole): (Date, bool),
    now: Timestamp,
) -> Result<()> {
    if invalidations::insert_for_source(tx, account, source, (first, whole), now).await? == 0 {
        return Ok(());
    }
    queue::enqueue(tx, &[of_calendar((account, source), (now, now))], now).await
}
