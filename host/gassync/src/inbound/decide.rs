//! Decisions on parked records: apply, cancel, or ignore. Author and reason are stored, and the same record needs no second
//! decision.

use gassync_domain::{
    Authority, Change, ChangeKind, Completeness, Digest, FieldChange, Intent, Missing, Owner, Parked, RawJson,
    Reservation, Status, differences,
};
use serde_json::Value;

use super::{
    apply::{self, IngestContext, IngestOutcome},
    block,
    dry_run::entity,
    link::{self, LinkError, LinkTarget},
    missing_reservation,
};
use crate::{
    core::{self, WhenFull},
    store::{
        Tx,
        buffer::{
            blocks,
            parked_reservations::{self, ParkedReservation},
            properties, rate_plans, reservations, room_types,
        },
        core::bookings,
        decisions::{self, Decision},
        mappings,
        parked::ParkedKind,
        sync_log,
    },
};

/// Maximum length of the author, in characters.
pub const MAX_WHO_CHARS: usize = 255;
/// Maximum length of the reason, in characters.
pub const MAX_WHY_CHARS: usize = 2_000;

gassync_domain::words! {
    /// A decision.
    #[derive(utoipa::ToSchema)]
    #[schema(as = DecisionKind)]
    pub enum Choice {
        /// Apply the parked record: reinstate a cancelled booking, treat an unknown status as confirmed.
        Stand = "stand",
        /// Cancel it and release its nights.
        Cancel = "cancel",
        /// Leave the core unchanged.
        Ignore = "ignore",
    }
}

impl From<Choice> for Decision {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Stand => Self::Stand,
            Choice::Cancel => Self::Cancel,
            Choice::Ignore => Self::Ignore,
        }
    }
}

/// Who decides, and why.
#[derive(Debug, Clone, Copy)]
pub struct DecidedBy<'a> {
    /// The decider's name or key.
    pub who: &'a str,
    /// The reason as given.
    pub why: &'a str,
}

impl DecidedBy<'_> {
    /// Checks that author and reason are given and within their limits.
    pub fn check(&self) -> Result<(), DecideError> {
        for (field, text, most) in [("by", self.who, MAX_WHO_CHARS), ("why", self.why, MAX_WHY_CHARS)] {
            if text.trim().is_empty() {
                return Err(DecideError::Unsaid(field));
            }
            if text.chars().count() > most {
                return Err(DecideError::TooLong { field, most });
            }
        }
        Ok(())
    }
}

/// The result of a decision.
#[derive(Debug)]
pub struct Decided {
    /// The outcome for the record.
    pub outcome: IngestOutcome,
    /// Field changes of the core entity.
    pub changes: Vec<FieldChange>,
}

/// Why a decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such parked record.
    #[error("the source has no such parked record")]
    NotWaiting,
    /// Something besides the decision is missing.
    #[error("it cannot be applied: {0}; link what is missing (`gassync map apply`), or cancel or ignore it")]
    Lacking(Parked),
    /// Records of this kind cannot be cancelled.
    #[error("only reservations and blocks can be cancelled: link this record, let it stand, or ignore it")]
    NoCancelling,
    /// A field is empty.
    #[error("{0}: is required")]
    Unsaid(&'static str),
    /// A field is too long.
    #[error("{field}: the limit is {most} characters")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its limit, in characters.
        most: usize,
    },
    /// The record cannot be linked.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Decides a parked record. For a dry run, drop the transaction.
pub async fn decide(
    tx: &mut Tx,
    context: &IngestContext,
    (kind, id): (ParkedKind, &str),
    (choice, by): (Choice, DecidedBy<'_>),
) -> Result<Decided, DecideError> {
    by.check()?;
    let IngestContext { account, source, now, .. } = *context;
    // A booking replaces a hold: ledger rows are locked more than once.
    tx.lock_ledger(account, true).await?;
    // An operator's decision overrides the source's authority.
    let authority = Authority { bookings: Some(Owner::Source), ..context.authority };
    let context = IngestContext { authority, when_full: WhenFull::Keep, may_revive: true, ..*context };
    let before = snapshot(tx, &context, kind.linked(), id).await?;
    let (outcome, digest) = match kind {
        ParkedKind::Reservation => reservation(tx, &context, id, choice).await?,
        ParkedKind::Block => a_block(tx, &context, id, choice).await?,
        ParkedKind::Property | ParkedKind::RoomType | ParkedKind::RatePlan => {
            content(tx, &context, (kind, id), choice).await?
        }
    };
    let after = snapshot(tx, &context, kind.linked(), id).await?;
    let new = decisions::NewStoredDecision {
        kind,
        external_id: id,
        digest: &digest,
        decision: choice.into(),
        decided_by: by.who,
        why: by.why,
    };
    decisions::insert(tx, context.key(), &new, now).await?;
    let line = sync_log::NewSyncLogLine {
        source,
        entity_type: kind.as_str(),
        entity_id: id,
        action: sync_log::LogAction::Decide,
        status: sync_log::LogStatus::Success,
        message: Some(format!("{choice}, by {}", by.who)),
    };
    sync_log::inbound(tx, account, &[line], now).await?;
    Ok(Decided { outcome, changes: differences(&before, &after) })
}

/// Records who linked a record manually, and why.
pub async fn record_link(
    tx: &mut Tx,
    context: &IngestContext,
    (kind, id): (ParkedKind, &str),
    by: DecidedBy<'_>,
) -> Result<(), DecideError> {
    by.check()?;
    let new = decisions::NewStoredDecision {
        kind,
        external_id: id,
        // Only the link is recorded.
        digest: &Digest(String::new()),
        decision: Decision::Link,
        decided_by: by.who,
        why: by.why,
    };
    Ok(decisions::insert(tx, context.key(), &new, context.now).await?)
}

async fn snapshot(
    tx: &mut Tx,
    context: &IngestContext,
    kind: Option<mappings::EntityKind>,
    id: &str,
) -> Result<Value, DecideError> {
    let Some(kind) = kind else { return Ok(Value::Null) };
    match mappings::find(tx, context.key(), kind, id).await? {
        Some(mapping) => Ok(entity(tx, context.account, kind, mapping.core).await?),
        None => Ok(Value::Null),
    }
}

async fn reservation(
    tx: &mut Tx,
    context: &IngestContext,
    id: &str,
    choice: Choice,
) -> Result<(IngestOutcome, Digest), DecideError> {
    let IngestContext { account, now, .. } = *context;
    let Some((waiting, raw)) = parked_reservations::with_raw(tx, context.key(), id).await? else {
        // A missing reservation is decided with the same choices.
        let outcome = missing_reservation::resolve(tx, context, id, choice == Choice::Cancel).await?;
        return Ok((outcome.ok_or(DecideError::NotWaiting)?, Digest(String::new())));
    };
    let ParkedReservation { record, digest, version, missing, hold, .. } = waiting;
    let context = IngestContext { observed_at: version.observed_at, ..*context };
    let received = match choice {
        Choice::Ignore => {
            core::drop_holds(tx, account, &Vec::from_iter(hold), now).await?;
            parked_reservations::remove_all(tx, context.key(), &[id]).await?;
            reservations::release(tx, context.key(), id).await?;
            // Records older than the decided one stay stale.
            reservations::confirm(tx, context.key(), id, &version, now).await?;
            let stored = reservations::find(tx, context.key(), id).await?;
            return Ok((IngestOutcome::Unchanged(stored.and_then(|stored| stored.core)), digest));
        }
        Choice::Cancel => Reservation {
            completeness: Completeness::Partial,
            modified_at: record.modified_at,
            revision: record.revision,
            ..Reservation::new(id, Status::Cancelled)
        },
        Choice::Stand => {
            check_complete(&missing)?;
            clear_missing_link(tx, &context, id).await?;
            let status = match record.status {
                Status::Other(_) => Status::Confirmed,
                status => status,
            };
            Reservation { status, intent: Intent::Fact, ..record }
        }
    };
    let outcome = apply_one(tx, &context, ChangeKind::Reservation(Box::new(received)), raw).await?;
    match outcome {
        IngestOutcome::Parked(parked) => Err(DecideError::Lacking(parked)),
        outcome => Ok((outcome, digest)),
    }
}

/// Checks that nothing but the decision itself is missing.
fn check_complete(Parked(missing): &Parked) -> Result<(), DecideError> {
    let decided =
        |missing: &&Missing| matches!(missing, Missing::Authority | Missing::Status { .. } | Missing::Decision { .. });
    let lacking: Vec<Missing> = missing.iter().filter(|missing| !decided(missing)).cloned().collect();
    if lacking.is_empty() { Ok(()) } else { Err(DecideError::Lacking(Parked(lacking))) }
}

/// Clears the link of a reservation whose booking was deleted, so that it is booked again.
async fn clear_missing_link(tx: &mut Tx, context: &IngestContext, id: &str) -> Result<(), DecideError> {
    let IngestContext { account, .. } = *context;
    let kind = mappings::EntityKind::Reservation;
    if let Some(mapping) = mappings::find(tx, context.key(), kind, id).await?
        && !bookings::booking_states(tx, account, &[mapping.core]).await?.contains_key(&mapping.core)
    {
        mappings::unlink(tx, context.key(), kind, id).await?;
    }
    Ok(())
}

async fn a_block(
    tx: &mut Tx,
    context: &IngestContext,
    id: &str,
    choice: Choice,
) -> Result<(IngestOutcome, Digest), DecideError> {
    let IngestContext { account, .. } = *context;
    let stored = blocks::with_raw(tx, context.key(), id).await?;
    let (stored, raw) = stored.filter(|(stored, _)| stored.parked.is_some()).ok_or(DecideError::NotWaiting)?;
    let digest = stored.digest.clone();
    let outcome = match choice {
        Choice::Stand => {
            stored.parked.as_ref().map_or(Ok(()), check_complete)?;
            let context = IngestContext { observed_at: stored.version.observed_at, ..*context };
            apply_one(tx, &context, ChangeKind::Block(stored.record), raw).await?
        }
        Choice::Cancel => block::removed(tx, context, id).await?,
        Choice::Ignore => {
            blocks::release(tx, account, stored.row).await?;
            IngestOutcome::Unchanged(None)
        }
    };
    match outcome {
        IngestOutcome::Parked(parked) => Err(DecideError::Lacking(parked)),
        outcome => Ok((outcome, digest)),
    }
}

/// Creates the core entity of a parked property, room type or rate plan.
async fn content(
    tx: &mut Tx,
    context: &IngestContext,
    (kind, id): (ParkedKind, &str),
    choice: Choice,
) -> Result<(IngestOutcome, Digest), DecideError> {
    macro_rules! of {
        ($table:ident, $kind:ident) => {{
            let stored = $table::find(tx, context.key(), id).await?.filter(|stored| stored.parked.is_some());
            let digest = stored.ok_or(DecideError::NotWaiting)?.digest;
            if choice == Choice::Ignore {
                $table::release(tx, context.key(), id).await?;
            }
            (mappings::EntityKind::$kind, digest)
        }};
    }
    let (linked, digest) = match kind {
        ParkedKind::Property => of!(properties, Property),
        ParkedKind::RoomType => of!(room_types, RoomType),
        _ => of!(rate_plans, RatePlan),
    };
    match choice {
        Choice::Cancel => Err(DecideError::NoCancelling),
        Choice::Ignore => Ok((IngestOutcome::Unchanged(None), digest)),
        Choice::Stand => match link::link(tx, context, (linked, id), LinkTarget::New).await?.outcome {
            IngestOutcome::Parked(parked) => Err(DecideError::Lacking(parked)),
            outcome => Ok((outcome, digest)),
        },
    }
}

async fn apply_one(
    tx: &mut Tx,
    context: &IngestContext,
    data: ChangeKind,
    raw: RawJson,
) -> Result<IngestOutcome, DecideError> {
    let outcomes = apply::changes(tx, context, vec![Change::new(data, Some(raw))]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
}
