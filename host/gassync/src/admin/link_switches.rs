//! What is done with a link: it is removed, or one of its two switches is set, whether records of the channel are applied to
//! the core, and whether core changes are pushed.

use gassync_domain::Timestamp;

use crate::{
    http::{ApiError, Problem},
    inbound::{apply::IngestContext, link},
    schedule,
    store::{
        Tx,
        mappings::{self, EntityKind},
        outbound::invalidations,
        source_switches,
        sources::Source,
    },
};

gassync_domain::words! {
    /// What is done with a link.
    pub enum LinkAct {
        /// It is removed: the record is parked again, the core entity stays.
        Unlink = "unlink",
        /// Changes of the record are not applied.
        Pause = "pause",
        /// They are applied again, parked ones first.
        Resume = "resume",
        /// Changes of the entity are not pushed.
        PushOff = "push-off",
        /// They are pushed again.
        PushOn = "push-on",
    }
}

/// Removes a link, or sets a switch of it.
pub(super) async fn set(
    tx: &mut Tx,
    source: &Source,
    link: (EntityKind, &str),
    (act, now): (LinkAct, Timestamp),
) -> Result<(), ApiError> {
    let key = source.key();
    let known = match act {
        LinkAct::Unlink => {
            link::unlink(tx, &IngestContext::from_source(source, now, now), link.0, link.1).await?;
            true
        }
        LinkAct::Pause => mappings::set_auto_sync(tx, key, link, false).await?,
        LinkAct::Resume => mappings::set_auto_sync(tx, key, link, true).await?,
        LinkAct::PushOff => mappings::set_push(tx, key, link, false).await?,
        LinkAct::PushOn => mappings::set_push(tx, key, link, true).await?,
    };
    if !known {
        return Err(Problem::NotFound.into());
    }
    match act {
        LinkAct::Unlink | LinkAct::Pause => {}
        // Retry parked records.
        LinkAct::Resume => {
            if source.effective_authority().source_owns_content(source.creates) {
                source_switches::reapply(tx, key, link).await?;
            }
            schedule::linked(tx, key, now).await?;
        }
        // The channel's state of data that was not pushed is unknown.
        LinkAct::PushOn => {
            schedule::invalidate_source(tx, key, (invalidations::FIRST, true), now).await?;
            schedule::push_due_bookings(tx, key, now).await?;
        }
        LinkAct::PushOff => schedule::invalidate_source(tx, key, (invalidations::FIRST, false), now).await?,
    }
    Ok(())
}
