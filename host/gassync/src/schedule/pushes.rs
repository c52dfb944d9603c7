use gassync_domain::{AccountId, CoreId, Date, SourceId, Timestamp};
use serde_json::json;

use super::JobKind;
use crate::store::{
    Result, Tx,
    outbound::{bookings, invalidations},
    queue::{self, NewJob},
};

/// A source's channel is to be told of its calendar, at the first of two times; at the second it is now. Which nights is
/// kept elsewhere, so that whatever has changed waits as one job.
pub fn of_calendar(source_key: (AccountId, SourceId), times: (Timestamp, Timestamp)) -> NewJob<'static> {
    JobKind::PushCalendar.job(source_key, json!({}), times)
}

/// A source's channel is to be told of a booking now.
pub fn of_booking(source_key: (AccountId, SourceId), booking: CoreId, now: Timestamp) -> NewJob<'static> {
    JobKind::PushBooking.job(source_key, json!({ "booking": booking.0 }), (now, now))
}

/// Has a source told of the bookings that it was not told of yet.
pub async fn due_bookings(tx: &mut Tx, (account, source): (AccountId, SourceId), now: Timestamp) -> Result<()> {
    let due = bookings::pending(tx, account, source).await?;
    let work = due.into_iter().map(|booking| of_booking((account, source), booking, now));
    queue::enqueue(tx, &Vec::from_iter(work), now).await
}

/// Something of a source itself has changed, such as a link or how it is pushed to: its nights are reckoned anew, from
/// `first` on. `whole` sends what is there already, too.
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
