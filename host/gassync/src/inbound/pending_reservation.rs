//! A received reservation while it is being applied.

use gassync_domain::{CoreId, Digest, Mended, Parked, RawJson, Reservation, Version};

use super::{apply::IngestOutcome, parking};
use crate::store::{
    buffer::{Stored, parked_reservations::ParkedReservation},
    core::bookings::BookingState,
    mappings::Mapping,
};

/// A received reservation, what is stored about it, and what has been decided.
pub(super) struct PendingReservation {
    /// The record, completed from the stored one.
    pub(super) reservation: Reservation,
    /// The original record, masked.
    pub(super) raw: RawJson,
    /// The fields mended so far.
    pub(super) mended: Vec<Mended>,
    /// Its version.
    pub(super) version: Version,
    /// Digest of its content.
    pub(super) digest: Digest,
    /// The linked booking and its state.
    pub(super) mapping: Option<(Mapping, Option<BookingState>)>,
    /// The outcome, once decided.
    pub(super) outcome: Option<IngestOutcome>,
    /// True if it is written to the buffer.
    pub(super) kept: bool,
    /// The buffered record.
    pub(super) stored: Option<Stored<Reservation>>,
    /// The parked record of the same id.
    pub(super) waiting: Option<ParkedReservation>,
    /// Written instead of the record itself: the current booking with the ended status.
    pub(super) ended: Option<Reservation>,
    /// Why it is parked after `ended` has been written.
    pub(super) parks: Option<Parked>,
    /// The hold of its nights while it is parked.
    pub(super) hold: Option<CoreId>,
}

impl PendingReservation {
    /// Sets the outcome.
    pub(super) fn end(&mut self, outcome: IngestOutcome) {
        // A refused request is not stored.
        self.kept = !matches!(outcome, IngestOutcome::Refused(_));
        self.outcome = Some(outcome);
    }

    /// The last applied record.
    pub(super) fn applied(&self) -> Option<&Stored<Reservation>> {
        parking::applied(self.stored.as_ref(), self.waiting.as_ref())
    }

    /// The linked booking, if it still exists.
    pub(super) fn booking(&self) -> Option<(CoreId, &BookingState)> {
        self.mapping.as_ref().and_then(|(mapping, state)| Some((mapping.core, state.as_ref()?)))
    }

    /// True if the same record is already parked for the same reasons.
    pub(super) fn waits_already(&self) -> bool {
        match (&self.outcome, &self.waiting) {
            (Some(IngestOutcome::Parked(parked)), Some(waiting)) => {
                waiting.digest == self.digest && waiting.missing == *parked && waiting.hold == self.hold
            }
            _ => false,
        }
    }

    /// True if it may be one of our own bookings: by its link, or by its buffered record if the link was not loaded.
    /// Applies stale records too: within one tick of the channel's clock a reinstatement may be older than the cancellation.
    pub(super) fn may_be_ours(&self) -> bool {
        match (&self.mapping, &self.outcome) {
            (Some((mapping, _)), _) => mapping.ours,
            (None, Some(IngestOutcome::Unchanged(core) | IngestOutcome::Stale(core))) => core.is_some(),
            (None, _) => false,
        }
    }
}
