use gassync_domain::{CoreId, SourceKey, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{JobSpec, priority};
use crate::store::{
    Result, Tx,
    outbound::bookings,
    queue::{self, NewJob},
};

/// Pushes a booking to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushBooking {
    /// The core's booking.
    pub booking: CoreId,
}

impl JobSpec for PushBooking {
    const NAME: &'static str = "push-booking";
    const PRIORITY: i64 = priority::BOOKINGS;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(72));
}

/// Enqueues a source's pending bookings.
pub async fn push_due_bookings(tx: &mut Tx, source: SourceKey, now: Timestamp) -> Result<()> {
    let due = bookings::pending(tx, source).await?;
    let work: Vec<NewJob> = due.into_iter().map(|booking| PushBooking { booking }.of(source)).collect();
    queue::enqueue(tx, &work, now).await
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&PushBooking { booking: CoreId(12) }, r#"{"booking":12}"#);
    }
}
