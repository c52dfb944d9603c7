//! A reservation on its way from a channel's word to buffer and core.

use gassync_domain::{CoreId, Digest, Mended, Parked, RawJson, Reservation, Version};

use super::{apply::IngestOutcome, parking};
use crate::store::{
    buffer::{Stored, parked_reservations::ParkedReservation},
    core::bookings::BookingState,
    mappings::Mapping,
};

/// A reservation on its way.
pub(super) struct PendingReservation {
    /// What it says, completed from what is stored.
    pub(super) reservation: Reservation,
    /// As it came, masked.
    pub(super) raw: RawJson,
    /// What was mended of it.
    pub(super) mended: Vec<Mended>,
    /// How new it is.
    pub(super) version: Version,
    /// A fingerprint of what it says.
    pub(super) digest: Digest,
    /// The booking it is linked to, and where that stands.
    pub(super) mapping: Option<(Mapping, Option<BookingState>)>,
    /// What is decided, as soon as it is.
    pub(super) outcome: Option<IngestOutcome>,
    /// Whether the buffer takes it as it is now.
    pub(super) kept: bool,
    /// What the buffer has of it.
    pub(super) stored: Option<Stored<Reservation>>,
    /// The word that waits on it.
    pub(super) waiting: Option<ParkedReservation>,
    /// What is written of its booking in the place of what it says itself: the booking as it is, ended.
    pub(super) ended: Option<Reservation>,
    /// What it waits for all the same, once that is written.
    pub(super) parks: Option<Parked>,
    /// What keeps its nights while it waits.
    pub(super) hold: Option<CoreId>,
}

impl PendingReservation {
    /// Decides it.
    pub(super) fn end(&mut self, outcome: IngestOutcome) {
        // What is refused has not happened.
        self.kept = !matches!(outcome, IngestOutcome::Refused(_));
        self.outcome = Some(outcome);
    }

    /// The last word that was applied.
    pub(super) fn applied(&self) -> Option<&Stored<Reservation>> {
        parking::applied(self.stored.as_ref(), self.waiting.as_ref())
    }

    /// The booking that it is linked to, where that still is.
    pub(super) fn booking(&self) -> Option<(CoreId, &BookingState)> {
        self.mapping.as_ref().and_then(|(mapping, state)| Some((mapping.core, state.as_ref()?)))
    }

    /// Whether just this waits already, and for just the same.
    pub(super) fn waits_already(&self) -> bool {
        match (&self.outcome, &self.waiting) {
            (Some(IngestOutcome::Parked(parked)), Some(waiting)) => {
                waiting.digest == self.digest && waiting.missing == *parked && waiting.hold == self.hold
            }
            _ => false,
        }
    }

    /// Whether it may be a booking of ours: by its link, or where nobody had to look that up, by what the buffer knows it as.
    /// Older news counts: within one tick of the channel's clock what stands again is older than what was cancelled.
    pub(super) fn may_be_ours(&self) -> bool {
        match (&self.mapping, &self.outcome) {
            (Some((mapping, _)), _) => mapping.ours,
            (None, Some(IngestOutcome::Unchanged(core) | IngestOutcome::Stale(core))) => core.is_some(),
            (None, _) => false,
        }
    }
}
