use gassync_domain::{Date, SourceKey, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{JobSpec, priority};
use crate::store::{Result, Tx, outbound::invalidations, queue};

/// Pushes unconfirmed calendar nights to a channel. The nights are kept in a table, so that any number of changes is one
/// job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushCalendar {}

impl JobSpec for PushCalendar {
    const NAME: &'static str = "push-calendar";
    const PRIORITY: i64 = priority::AVAILABILITY;
    const MAX_AGE: Option<SignedDuration> = Some(SignedDuration::from_hours(24));
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
    queue::enqueue(tx, &[PushCalendar {}.of(source)], now).await
}

#[cfg(test)]
mod tests {
    use super::{super::spec::tests::assert_stored, *};

    #[test]
    fn its_arguments_are_stored_as_before() {
        assert_stored(&PushCalendar {}, "{}");
    }
}
