//! Applies records to buffer, mappings and core in the caller's transaction: reservations in batches, others one by one.

use std::collections::HashSet;

use gassync_domain::{
    AccountId, Authority, Change, ChangeKind, CoreId, Date, Digest, Entity, EntityRef, FieldError, Hint, Ingested,
    Mend, Mended, Parked, RawJson, Reservation, SourceId, SourceKey, Timestamp, UnitCount, Validate, Version,
    join_mended,
};
use jiff::SignedDuration;

use super::{block, calendar, guest, manual_closure, property, rate_plan, reservation, room_type};
use crate::{
    core::{SoldOut, WhenFull},
    schedule::{JobSpec, Refetch},
    store::{
        self, Tx,
        buffer::Envelope,
        closures,
        link_health::{self, LinkOutcome},
        mappings::{self, Mapping},
        sources::Source,
        sync_log::{self, LogAction, LogStatus},
    },
};

/// Delay that lets several hints share one request.
const GATHER: SignedDuration = SignedDuration::from_millis(500);
/// Mended fields named in one audit entry; the record lists all.
const MAX_MENDED_LOGGED: usize = 10;

/// A received reservation, the channel's record of it, and the fields mended so far.
pub(super) type ReceivedReservation = (Reservation, RawJson, Vec<Mended>);

/// The most that a channel's clock may be ahead of ours, whatever its time zone.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// The source of a batch of changes, its rights, and the time of observation.
#[derive(Debug, Clone, Copy)]
pub struct IngestContext {
    /// The tenant.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
    /// True if this source creates core entities.
    pub creates: bool,
    /// The parts that this source owns.
    pub authority: Authority,
    /// How to handle a reservation without availability. Requests are always refused.
    pub when_full: WhenFull,
    /// True if records that need mending are rejected. Requests always are.
    pub strict: bool,
    /// True if a booking cancelled in the core may be reinstated, because the block that replaced it is gone.
    pub may_revive: bool,
    /// True if nights closed in its calendar are closed at all channels.
    pub closes: bool,
    /// How its channel computes the remaining units.
    pub counts: UnitCount,
    /// True if it has a connection to a channel.
    pub has_channel: bool,
    /// When the message arrived, or the fetch began.
    pub observed_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// The outcome for one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestOutcome {
    /// Created in the core.
    Created(CoreId),
    /// Updated in the core.
    Updated(CoreId),
    /// No change.
    Unchanged(Option<CoreId>),
    /// Older than the stored record; ignored.
    Stale(Option<CoreId>),
    /// Stored in the buffer, awaiting a link or a decision.
    Parked(Parked),
    /// Stored in the core on nights without availability.
    Overbooked {
        /// The booking.
        core: CoreId,
        /// True if it is new in the core.
        created: bool,
        /// The overbooked nights.
        nights: Vec<Date>,
    },
    /// Not stored: invalid.
    Rejected(Vec<FieldError>),
    /// Not stored: no availability.
    Refused(SoldOut),
    /// Unreadable or unstorable; the original record is set aside.
    SetAside,
    /// A hint; the fetch is enqueued.
    RefetchQueued,
    /// Stored in the buffer only; the core has no such record.
    BufferedOnly,
    /// A kind of change that this host does not store yet.
    Unsupported,
}

impl IngestOutcome {
    /// The core entity it is linked to.
    pub fn core(&self) -> Option<CoreId> {
        match self {
            Self::Created(core) | Self::Updated(core) | Self::Overbooked { core, .. } => Some(*core),
            Self::Unchanged(core) | Self::Stale(core) => *core,
            Self::Parked(_)
            | Self::Rejected(_)
            | Self::Refused(_)
            | Self::SetAside
            | Self::RefetchQueued
            | Self::BufferedOnly
            | Self::Unsupported => None,
        }
    }

    /// What it waits for.
    pub fn parked(&self) -> Option<&Parked> {
        match self {
            Self::Parked(parked) => Some(parked),
            _ => None,
        }
    }

    /// The error to record at the link: `Some(None)` if the record was applied, `None` if the link is new or was not used.
    fn link_error(&self) -> Option<Option<String>> {
        match self {
            Self::Updated(_) | Self::Overbooked { created: false, .. } => Some(None),
            Self::Parked(parked) => Some(Some(format!("parked: {parked}"))),
            Self::Rejected(errors) => Some(Some(describe_errors(errors))),
            Self::Refused(full) => Some(Some(format!("no availability on {}", format_nights(&full.nights)))),
            _ => None,
        }
    }

    /// What became of the record, for responses and logs.
    pub const fn ingested(&self) -> Ingested {
        match self {
            Self::Created(_) | Self::Overbooked { created: true, .. } => Ingested::Created,
            Self::Updated(_) | Self::Overbooked { .. } | Self::BufferedOnly => Ingested::Updated,
            Self::Unchanged(_) | Self::Stale(_) => Ingested::Unchanged,
            Self::Parked(_) => Ingested::Parked,
            Self::Rejected(_) | Self::Refused(_) => Ingested::Rejected,
            Self::SetAside => Ingested::SetAside,
            Self::RefetchQueued => Ingested::Fetching,
            Self::Unsupported => Ingested::NotKept,
        }
    }
}

impl IngestContext {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    /// For facts reported by a source, which are stored even without availability.
    pub fn from_source(source: &Source, observed_at: Timestamp, now: Timestamp) -> Self {
        Self {
            account: source.account,
            source: source.id,
            creates: source.creates && source.direction.is_inward(),
            authority: source.effective_authority(),
            when_full: WhenFull::Keep,
            strict: false,
            may_revive: false,
            closes: !source.authority.nobody_owns_calendar(),
            counts: UnitCount::default(),
            has_channel: source.connection.is_some(),
            observed_at,
            now,
        }
    }

    /// Sets how the channel computes the remaining units.
    #[must_use]
    pub fn with_unit_count(self, counts: UnitCount) -> Self {
        Self { counts, ..self }
    }

    /// Mends a record and notes what was changed; in strict mode only validates it. Returns the errors that prevent storing it.
    pub(super) fn mend_or_check<T: Mend + Validate>(&self, record: &mut T, notes: &mut Vec<Mended>) -> Vec<FieldError> {
        if self.strict {
            return record.validate();
        }
        let mending = record.mend();
        join_mended(notes, mending.mended);
        mending.refused
    }

    /// True if the source's names, texts and sizes of a linked entity are written to the core.
    pub(super) fn writes_content(&self, mapping: Mapping) -> bool {
        mapping.auto_sync && self.authority.source_owns_content(self.creates)
    }

    /// Ignores a modification time far in the future, which would make all later changes stale.
    pub(super) fn version(&self, revision: Option<&String>, modified_at: Option<Timestamp>) -> Version {
        let is_far = |at: &Timestamp| at.duration_since(self.observed_at) > MAX_AHEAD;
        let modified_at = modified_at.filter(|at| !is_far(at));
        Version { revision: revision.cloned(), modified_at, observed_at: self.observed_at }
    }

    pub(super) fn envelope<'a>(
        &self,
        raw: &'a RawJson,
        digest: &'a Digest,
        version: &'a Version,
        outcome: &'a IngestOutcome,
    ) -> Envelope<'a> {
        Envelope {
            account: self.account,
            source: self.source,
            raw,
            digest,
            version,
            core: outcome.core(),
            parked: outcome.parked(),
            mended: &[],
            at: self.now,
        }
    }

    /// Writes the audit entry of an outcome.
    pub(super) async fn log(
        &self,
        tx: &mut Tx,
        entity: (&str, &str),
        (outcome, mended): (&IngestOutcome, &[Mended]),
    ) -> store::Result<()> {
        sync_log::inbound(tx, self.account, self.line(entity, outcome, mended).as_slice(), self.now).await
    }

    /// The audit entry of an outcome; unchanged records have none.
    pub(super) fn line<'a>(
        &self,
        (entity_type, entity_id): (&'a str, &'a str),
        outcome: &IngestOutcome,
        mended: &[Mended],
    ) -> Option<sync_log::NewSyncLogLine<'a>> {
        let (action, status, message) = match outcome {
            IngestOutcome::Created(_) => (LogAction::Create, LogStatus::Success, None),
            IngestOutcome::Updated(_) | IngestOutcome::BufferedOnly => (LogAction::Update, LogStatus::Success, None),
            IngestOutcome::Stale(_) => {
                (LogAction::Ignore, LogStatus::Success, Some("older than the stored record".to_owned()))
            }
            IngestOutcome::Parked(parked) => (LogAction::Park, LogStatus::Pending, Some(parked.to_string())),
            IngestOutcome::Overbooked { created, nights, .. } => (
                if *created { LogAction::Create } else { LogAction::Update },
                LogStatus::Success,
                Some(format!("overbooked on {}", format_nights(nights))),
            ),
            IngestOutcome::Rejected(errors) => (LogAction::Reject, LogStatus::Failed, Some(describe_errors(errors))),
            IngestOutcome::Refused(full) => (
                LogAction::Refuse,
                LogStatus::Failed,
                Some(format!("no availability on {}", format_nights(&full.nights))),
            ),
            IngestOutcome::Unchanged(_)
            | IngestOutcome::SetAside
            | IngestOutcome::RefetchQueued
            | IngestOutcome::Unsupported => return None,
        };
        // A rejected record was not mended.
        let mended = if status == LogStatus::Failed { None } else { describe_mended(mended) };
        let parts: Vec<String> = message.into_iter().chain(mended).collect();
        let message = (!parts.is_empty()).then(|| parts.join("; "));
        Some(sync_log::NewSyncLogLine { source: self.source, entity_type, entity_id, action, status, message })
    }
}

/// Formats nights for messages.
pub fn format_nights(nights: &[Date]) -> String {
    nights.iter().map(Date::to_string).collect::<Vec<_>>().join(", ")
}

/// Formats field and problem. Values are left out: they may be personal data.
pub(super) fn describe_errors(errors: &[FieldError]) -> String {
    let format_nights: Vec<String> = errors.iter().map(|e| format!("{} {}", e.path, e.problem)).collect();
    format_nights.join("; ")
}

/// Formats mended fields without their values.
fn describe_mended(mended: &[Mended]) -> Option<String> {
    if mended.is_empty() {
        return None;
    }
    let named = mended.iter().take(MAX_MENDED_LOGGED).map(|note| format!("{} {}", note.path, note.problem));
    let mut format_nights: Vec<String> = named.collect();
    if mended.len() > MAX_MENDED_LOGGED {
        format_nights.push(format!("and {} more", mended.len() - MAX_MENDED_LOGGED));
    }
    Some(format!("mended: {}", format_nights.join(", ")))
}

/// Applies changes in a transaction opened for their source. Properties and room types come first, so that references
/// resolve whatever the channel's order; reservations come last.
pub async fn changes(tx: &mut Tx, context: &IngestContext, changes: Vec<Change>) -> store::Result<Vec<IngestOutcome>> {
    if tx.origin() != Some(context.source) {
        // Otherwise the source would be notified of its own changes.
        return Err(sqlx::Error::Protocol("changes of a source need a transaction opened for that source".to_owned()));
    }
    // Room types (reduced quantities) and blocks write the ledger too.
    let alone = changes.iter().any(|change| matches!(change.data, ChangeKind::RoomType(_) | ChangeKind::Block(_)));
    let names: Vec<String> = changes.iter().flat_map(names).collect();
    let links: Vec<Option<(mappings::EntityKind, String)>> = changes.iter().map(link_of).collect();
    let mut order: Vec<(usize, Change)> = changes.into_iter().enumerate().collect();
    order.sort_by_key(|(_, change)| rank(&change.data));
    let mut batches = ReservationBatches::default();
    let mut others = Vec::new();
    for (index, Change { route, data, raw, mended }) in order {
        match data {
            ChangeKind::Reservation(record) => {
                let raw = raw.unwrap_or_else(|| RawJson::of(&record));
                batches.add(index, (*record, raw, mended));
            }
            data => others.push((index, Change { route, data, raw, mended })),
        }
    }
    // A reservation that replaces a block releases nights and takes others.
    let blocks = !batches.0.is_empty() && block::any(tx, context).await?;
    // So does a reservation on nights that its source closed manually.
    let closures = !batches.0.is_empty() && closures::any(tx, context.key()).await?;
    let shown: Vec<manual_closure::ShownNights> = others.iter().filter_map(|(_, change)| shown(change)).collect();
    if alone || !batches.0.is_empty() || !shown.is_empty() {
        let several =
            alone || blocks || closures || batches.0.len() > 1 || (!batches.0.is_empty() && !shown.is_empty());
        tx.lock_ledger(context.account, several).await?;
    }
    tx.lock_records(context.source, names).await?;
    let mut outcomes: Vec<(usize, IngestOutcome)> = Vec::new();
    for (index, change) in others {
        outcomes.push((index, one(tx, context, change).await?));
    }
    for batch in batches.0 {
        let ReservationBatch { indexes, received, .. } =
            if blocks { apply_block_conflicts(tx, context, batch, &mut outcomes).await? } else { batch };
        outcomes.extend(indexes.into_iter().zip(reservation::apply(tx, context, received).await?));
    }
    manual_closure::check_shown(tx, context, shown).await?;
    outcomes.sort_by_key(|(index, _)| *index);
    let link_error = links.iter().zip(&outcomes).filter_map(|(link, (_, outcome))| {
        let (kind, id) = link.as_ref()?;
        Some(LinkOutcome { kind: *kind, id, error: outcome.link_error()? })
    });
    link_health::record(tx, context.key(), &Vec::from_iter(link_error), context.now).await?;
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// The nights that a calendar contains.
fn shown(change: &Change) -> Option<manual_closure::ShownNights> {
    match &change.data {
        ChangeKind::Calendar(calendar) => {
            Some((calendar.room_type_id.clone(), calendar.nights.iter().map(|night| night.date).collect()))
        }
        _ => None,
    }
}

/// Reservations in batches without duplicate ids.
#[derive(Default)]
struct ReservationBatches(Vec<ReservationBatch>);

/// Reservations, and their positions among all changes.
#[derive(Default)]
struct ReservationBatch {
    ids: HashSet<String>,
    indexes: Vec<usize>,
    received: Vec<ReceivedReservation>,
}

impl ReservationBatches {
    fn add(&mut self, index: usize, received: ReceivedReservation) {
        if self.0.last().is_none_or(|batch| batch.ids.contains(&received.0.id)) {
            self.0.push(ReservationBatch::default());
        }
        if let Some(batch) = self.0.last_mut() {
            batch.ids.insert(received.0.id.clone());
            batch.indexes.push(index);
            batch.received.push(received);
        }
    }
}

/// Removes reservations whose ids belong to blocks from a batch and applies them one by one.
async fn apply_block_conflicts(
    tx: &mut Tx,
    context: &IngestContext,
    batch: ReservationBatch,
    outcomes: &mut Vec<(usize, IngestOutcome)>,
) -> store::Result<ReservationBatch> {
    let mut left = ReservationBatch::default();
    for (index, received) in batch.indexes.into_iter().zip(batch.received) {
        match block::resolve_conflict(tx, context, &received.0).await? {
            block::BlockConflict::Free => {
                left.indexes.push(index);
                left.received.push(received);
            }
            block::BlockConflict::Decided(outcome) => outcomes.push((index, outcome)),
            block::BlockConflict::Through(block) => {
                outcomes.push((index, block::replace_block(tx, context, &block, received).await?));
            }
        }
    }
    Ok(left)
}

async fn one(tx: &mut Tx, context: &IngestContext, change: Change) -> store::Result<IngestOutcome> {
    let Change { data, raw, mended, .. } = change;
    match data {
        ChangeKind::Property(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            property::apply(tx, context, record, (&raw, mended)).await
        }
        ChangeKind::RoomType(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            room_type::apply(tx, context, record, (&raw, mended)).await
        }
        ChangeKind::Reservation(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            let outcomes = reservation::apply(tx, context, vec![(*record, raw, mended)]).await?;
            Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
        }
        ChangeKind::Refetch(hint) => refetch(tx, context, &hint).await,
        ChangeKind::Removed(EntityRef { entity: Entity::Block, id }) => block::removed(tx, context, &id).await,
        // It is unknown why the record was removed: fetch it from the channel.
        ChangeKind::Removed(EntityRef { entity, id }) => refetch(tx, context, &Hint { entity, id: Some(id) }).await,
        ChangeKind::RatePlan(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            rate_plan::apply(tx, context, record, (&raw, mended)).await
        }
        ChangeKind::Guest(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            guest::apply(tx, context, record, (&raw, mended)).await
        }
        ChangeKind::Calendar(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            calendar::apply(tx, context, record, (&raw, mended)).await
        }
        ChangeKind::Block(record) => {
            let raw = raw.unwrap_or_else(|| RawJson::of(&record));
            block::apply(tx, context, record, (&raw, mended)).await
        }
        // Unreadable records were set aside before, with their origin.
        ChangeKind::Unreadable(_) | ChangeKind::Ask(_) | ChangeKind::Connection(_) | ChangeKind::Other { .. } => {
            Ok(IngestOutcome::Unsupported)
        }
    }
}

/// Enqueues a fetch for a hint.
async fn refetch(tx: &mut Tx, context: &IngestContext, hint: &Hint) -> store::Result<IngestOutcome> {
    let refetch = match &hint.id {
        Some(id) => Refetch::record(hint.entity, id),
        None => Refetch::kind(hint.entity),
    };
    let IngestContext { now, .. } = *context;
    store::queue::enqueue(tx, &[refetch.of(context.key()).after(GATHER)], now).await?;
    Ok(IngestOutcome::RefetchQueued)
}

pub(super) fn rank(data: &ChangeKind) -> u8 {
    match data {
        ChangeKind::Property(_) => 0,
        ChangeKind::RoomType(_) => 1,
        ChangeKind::RatePlan(_) | ChangeKind::Guest(_) => 2,
        _ => 3,
    }
}

/// The records that a change affects, to lock them against concurrent transactions.
fn names(change: &Change) -> Vec<String> {
    let guest = match &change.data {
        ChangeKind::Reservation(record) => record.guest.as_ref().and_then(|guest| guest.id.as_deref()),
        ChangeKind::Guest(guest) => guest.id.as_deref(),
        _ => None,
    };
    let guest = guest.map(|id| format!("guest/{id}"));
    external_id(change).map(str::to_owned).into_iter().chain(guest).collect()
}

/// The link that a change may use.
fn link_of(change: &Change) -> Option<(mappings::EntityKind, String)> {
    let kind = match &change.data {
        ChangeKind::Property(_) => mappings::EntityKind::Property,
        ChangeKind::RoomType(_) | ChangeKind::Calendar(_) => mappings::EntityKind::RoomType,
        ChangeKind::RatePlan(_) => mappings::EntityKind::RatePlan,
        ChangeKind::Reservation(_) => mappings::EntityKind::Reservation,
        ChangeKind::Guest(_) => mappings::EntityKind::Guest,
        _ => return None,
    };
    Some((kind, external_id(change)?.to_owned()))
}

pub(crate) fn external_id(change: &Change) -> Option<&str> {
    match &change.data {
        ChangeKind::Property(record) => Some(&record.id),
        ChangeKind::RoomType(record) => Some(&record.id),
        ChangeKind::RatePlan(record) => Some(&record.id),
        ChangeKind::Reservation(record) => Some(&record.id),
        ChangeKind::Guest(record) => record.id.as_deref(),
        ChangeKind::Calendar(record) => Some(&record.room_type_id),
        ChangeKind::Block(record) => record.id.as_deref(),
        _ => None,
    }
}
