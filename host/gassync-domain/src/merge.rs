use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{Completeness, Reservation, Status};

/// The version of a record, ordered by revision, else modification time, else time of observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The channel's own version.
    pub revision: Option<String>,
    /// When the channel changed it.
    pub modified_at: Option<Timestamp>,
    /// When the fetch that brought it began, or when the message arrived.
    pub observed_at: Timestamp,
}

impl Version {
    /// Whether a record of this version must not replace the stored version.
    ///
    /// Equal versions are not older: a channel with a clock of whole seconds may change a record twice within one
    /// second, and the later record counts.
    pub fn is_older_than(&self, stored: &Self) -> bool {
        if let (Some(mine), Some(theirs)) = (number(&self.revision), number(&stored.revision)) {
            return mine < theirs;
        }
        if let (Some(mine), Some(theirs)) = (self.modified_at, stored.modified_at) {
            return mine < theirs;
        }
        self.observed_at < stored.observed_at
    }

    fn same_moment(&self, other: &Self) -> bool {
        match (number(&self.revision), number(&other.revision)) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.modified_at.is_some() && self.modified_at == other.modified_at,
        }
    }
}

/// Only numeric revisions are ordered.
fn number(revision: &Option<String>) -> Option<u128> {
    revision.as_deref()?.parse().ok()
}

/// A digest of a record's content, without its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of a reservation; versions and trailing zeros of amounts are ignored.
    pub fn of(reservation: &Reservation) -> Self {
        let mut said = reservation.clone();
        said.modified_at = None;
        said.revision = None;
        said.each_amount(|amount| *amount = crate::Amount::from_ten_thousandths(amount.ten_thousandths()));
        Self::of_json(&said)
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest of any record, by its JSON.
    pub fn of_json<T: serde::Serialize>(record: &T) -> Self {
        // Serialising our own records cannot fail; if it did, the digest would match no other.
        let bytes = serde_json::to_vec(record).unwrap_or_default();
        Self(hex::encode(Sha256::digest(bytes)))
    }
}

/// How to apply a received record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeDecision {
    /// The first record with this id.
    Create,
    /// Newer, with other content.
    Update,
    /// Same content as stored; only its version may be newer.
    Unchanged,
    /// Older: kept in the log only.
    Stale,
}

/// Decides by version and content alone, so that the same messages in any order end in the same state.
pub fn decide(stored: Option<(&Version, &Digest, &Status)>, incoming: (&Version, &Digest, &Status)) -> MergeDecision {
    let Some((stored_version, stored_digest, stored_status)) = stored else {
        return MergeDecision::Create;
    };
    let (version, digest, status) = incoming;
    if version.is_older_than(stored_version) {
        return MergeDecision::Stale;
    }
    if digest == stored_digest {
        return MergeDecision::Unchanged;
    }
    // Within one tick of the channel's clock a cancellation wins, whatever the order of arrival.
    let revives = *stored_status == Status::Cancelled && *status != Status::Cancelled;
    if revives && version.same_moment(stored_version) {
        return MergeDecision::Stale;
    }
    MergeDecision::Update
}

/// Completes a partial record, or a cancellation without details, from the stored record.
pub fn fill(incoming: &mut Reservation, stored: &Reservation) {
    let bare_cancellation = incoming.status == Status::Cancelled && incoming.rooms.is_empty();
    if incoming.completeness == Completeness::Full && !bare_cancellation {
        return;
    }
    macro_rules! keep {
        ($($field:ident),*) => {$(
            if incoming.$field.is_none() {
                incoming.$field.clone_from(&stored.$field);
            }
        )*};
    }
    keep!(
        ota_reference,
        group_id,
        property_id,
        room_type_id,
        check_in,
        check_out,
        source,
        guests,
        adults,
        children,
        infants,
        pets,
        total_price,
        currency,
        commission,
        payout,
        payment_collected_by,
        booked_at,
        modified_at,
        revision,
        notes
    );
    match (&mut incoming.guest, &stored.guest) {
        (Some(guest), Some(known)) => guest.fill(known),
        (guest @ None, known) => guest.clone_from(known),
        (Some(_), None) => {}
    }
    if incoming.rooms.is_empty() {
        incoming.rooms.clone_from(&stored.rooms);
    }
    if incoming.price_lines.is_empty() && incoming.total_price == stored.total_price {
        incoming.price_lines.clone_from(&stored.price_lines);
    }
    incoming.extra.fill(&stored.extra);
    incoming.completeness = Completeness::Full;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(modified: Option<&str>, observed: &str) -> Version {
        Version {
            revision: None,
            modified_at: modified.map(|t| t.parse().expect("instant")),
            observed_at: observed.parse().expect("instant"),
        }
    }

    #[test]
    fn modified_at_takes_precedence_over_observed_at() {
        let early = version(Some("2027-01-01T00:00:00Z"), "2027-01-09T00:00:00Z");
        let late = version(Some("2027-01-02T00:00:00Z"), "2027-01-03T00:00:00Z");
        assert!(early.is_older_than(&late));
        assert!(!late.is_older_than(&early));
        let unsaid = version(None, "2027-01-04T00:00:00Z");
        assert!(unsaid.is_older_than(&early), "without a channel's time the moment of observing decides");
    }

    #[test]
    fn revisions_compare_as_numbers() {
        let mut nine = version(None, "2027-01-02T00:00:00Z");
        let mut ten = version(None, "2027-01-01T00:00:00Z");
        nine.revision = Some("9".into());
        ten.revision = Some("10".into());
        assert!(nine.is_older_than(&ten) && !ten.is_older_than(&nine));
    }

    #[test]
    fn a_cancellation_wins_at_equal_timestamps() {
        let moment = version(Some("2027-01-01T00:00:00Z"), "2027-01-01T00:00:01Z");
        let (a, b) = (Digest("a".into()), Digest("b".into()));
        let (cancelled, confirmed) = (Status::Cancelled, Status::Confirmed);
        assert_eq!(decide(Some((&moment, &a, &cancelled)), (&moment, &b, &confirmed)), MergeDecision::Stale);
        assert_eq!(decide(Some((&moment, &b, &confirmed)), (&moment, &a, &cancelled)), MergeDecision::Update);
    }

    #[test]
    fn a_partial_cancellation_keeps_booked_fields() {
        let mut stored = Reservation::new("r", Status::Confirmed);
        stored.room_type_id = Some("t".into());
        stored.check_in = Some(jiff::civil::date(2027, 1, 1));
        stored.check_out = Some(jiff::civil::date(2027, 1, 4));
        stored.normalise();
        let mut cancellation = Reservation::new("r", Status::Cancelled);
        fill(&mut cancellation, &stored);
        assert_eq!(cancellation.rooms, stored.rooms);
        assert_eq!(cancellation.check_out, stored.check_out);
        assert_eq!(cancellation.status, Status::Cancelled);
    }
}
