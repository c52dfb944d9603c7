//! The two switches of a link: whether records of the channel are applied to the core, and whether core changes are
//! pushed.

use gassync_domain::Timestamp;

use crate::{
    http::{ApiError, Problem},
    schedule,
    store::{
        Tx,
        mappings::{self, EntityKind},
        outbound::invalidations,
        source_switches,
        sources::Source,
    },
};

/// Sets a switch: `pause` and `resume` for incoming changes, `push-off` and `push-on` for pushes.
pub(super) async fn set(
    tx: &mut Tx,
    source: &Source,
    link: (EntityKind, &str),
    (act, now): (&str, Timestamp),
) -> Result<(), ApiError> {
    let known = match act {
        "pause" | "resume" => mappings::set_auto_sync(tx, source.key(), link, act == "resume").await?,
        "push-off" | "push-on" => mappings::set_push(tx, source.key(), link, act == "push-on").await?,
        _ => false,
    };
    if !known {
        return Err(Problem::NotFound.into());
    }
    match act {
        // Retry parked records.
        "resume" => {
            if source.effective_authority().source_owns_content(source.creates) {
                source_switches::reapply(tx, source.key(), link).await?;
            }
            schedule::linked(tx, source.key(), now).await?;
        }
        // The channel's state of data that was not pushed is unknown.
        "push-on" => {
            schedule::invalidate_source(tx, source.key(), (invalidations::FIRST, true), now).await?;
            schedule::push_due_bookings(tx, source.key(), now).await?;
        }
        "push-off" => schedule::invalidate_source(tx, source.key(), (invalidations::FIRST, false), now).await?,
        _ => {}
    }
    Ok(())
}
