//! Records into buffer, mapping and core, in the caller's transaction: reservations in lists, all others one by one.

use std::collections::HashSet;

use gassync_domain::{
    AccountId, Authority, Change, ChangeKind, CoreId, Date, Digest, Entity, EntityRef, FieldError, Hint, Mend, Mended,
    Parked, RawJson, Reservation, SourceId, Timestamp, UnitCount, Validate, Version, join_mended,
};
use jiff::SignedDuration;
use serde_json::json;

use super::{block, calendar, guest, manual_closure, property, rate_plan, reservation, room_type};
use crate::{
    core::{SoldOut, WhenFull},
    schedule::JobKind,
    store::{
        self, Tx,
        buffer::Envelope,
        closures,
        link_health::{self, LinkOutcome},
        mappings::{self, Mapping},
        sources::Source,
        sync_log,
    },
};

/// How long a hint waits for others, so that all of them are one request.
const GATHER: SignedDuration = SignedDuration::from_millis(500);
/// Mended fields that a line of the audit trail names; the record has all.
const MAX_MENDED_LOGGED: usize = 10;

/// A reservation that was told of, its channel's record of it, and what was mended so far.
pub(super) type ReceivedReservation = (Reservation, RawJson, Vec<Mended>);

/// The farthest that a channel's clock, whatever zone it is set to, is believed to be ahead of ours.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// Whose news it is, and when it was seen.
#[derive(Debug, Clone, Copy)]
pub struct IngestContext {
    /// The tenant.
    pub account: AccountId,
    /// Who sent it.
    pub source: SourceId,
    /// Whether this source creates core entities.
    pub creates: bool,
    /// What this source has the say over.
    pub authority: Authority,
    /// What becomes of a reservation that there is no room for; one that asks is refused in any case.
    pub when_full: WhenFull,
    /// Whether a record that would have to be mended is rejected; one that asks is in any case.
    pub strict: bool,
    /// Whether what is cancelled in the core may stand again: it was cancelled for a block that is no more.
    pub may_revive: bool,
    /// Whether what its calendar shows closed is closed for others.
    pub closes: bool,
    /// Who counts what is left at its channel.
    pub counts: UnitCount,
    /// Whether its channel can be asked.
    pub has_channel: bool,
    /// When the message arrived, or the fetch that brought it began.
    pub observed_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestOutcome {
    /// It is new in the core.
    Created(CoreId),
    /// The core changed.
    Updated(CoreId),
    /// It says what is known already.
    Unchanged(Option<CoreId>),
    /// It is older than what is known.
    Stale(Option<CoreId>),
    /// It is in the buffer and waits.
    Parked(Parked),
    /// It is in the core, on nights that there is no room for it. The flag tells whether it is new.
    Overbooked {
        /// The booking.
        core: CoreId,
        /// Whether it is new in the core.
        created: bool,
        /// The nights that are sold more often than they can be.
        nights: Vec<Date>,
    },
    /// It is not in the buffer: nothing of it can be stored.
    Rejected(Vec<FieldError>),
    /// It is not in the buffer: there is no room for it.
    Refused(SoldOut),
    /// It could not be read or kept, and waits in its own words.
    SetAside,
    /// It asked for a fetch, which is on its way.
    RefetchQueued,
    /// It is in the buffer; the core has no use for it.
    BufferedOnly,
    /// This host has no room for such news yet.
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

    /// What stood against the link of its record, within: nothing where it was applied. None where the link is new, or
    /// nothing was done by it.
    fn link_error(&self) -> Option<Option<String>> {
        match self {
            Self::Updated(_) | Self::Overbooked { created: false, .. } => Some(None),
            Self::Parked(parked) => Some(Some(format!("parked: {parked}"))),
            Self::Rejected(errors) => Some(Some(describe_errors(errors))),
            Self::Refused(full) => Some(Some(format!("no room on {}", format_nights(&full.nights)))),
            _ => None,
        }
    }

    /// The word in answers and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created(_) | Self::Overbooked { created: true, .. } => "created",
            Self::Updated(_) | Self::Overbooked { .. } | Self::BufferedOnly => "updated",
            Self::Unchanged(_) | Self::Stale(_) => "unchanged",
            Self::Parked(_) => "parked",
            Self::Rejected(_) | Self::Refused(_) => "rejected",
            Self::SetAside => "set-aside",
            Self::RefetchQueued => "fetching",
            Self::Unsupported => "not-kept",
        }
    }
}

impl IngestContext {
    /// News of a source that has happened, whether there is room for it or not.
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

    /// Of a channel that counts what is left in its own way.
    #[must_use]
    pub fn with_unit_count(self, counts: UnitCount) -> Self {
        Self { counts, ..self }
    }

    /// Mends a fact, and adds to the notes what was done; of what must need no mending all that is wrong. The answer is why
    /// it cannot be kept.
    pub(super) fn mend_or_check<T: Mend + Validate>(&self, record: &mut T, notes: &mut Vec<Mended>) -> Vec<FieldError> {
        if self.strict {
            return record.validate();
        }
        let mending = record.mend();
        join_mended(notes, mending.mended);
        mending.refused
    }

    /// Whether what the source says of a linked entity's names, texts and sizes goes into the core.
    pub(super) fn writes_content(&self, mapping: Mapping) -> bool {
        mapping.auto_sync && self.authority.source_owns_content(self.creates)
    }

    /// A time of change far ahead of when it was seen is no order: whatever comes later would be older.
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

    /// Writes the audit trail's line for an outcome.
    pub(super) async fn log(
        &self,
        tx: &mut Tx,
        entity: (&str, &str),
        (outcome, mended): (&IngestOutcome, &[Mended]),
    ) -> store::Result<()> {
        sync_log::inbound(tx, self.account, self.line(entity, outcome, mended).as_slice(), self.now).await
    }

    /// The audit trail's line for an outcome; news that changes nothing leaves none.
    pub(super) fn line<'a>(
        &self,
        (entity_type, entity_id): (&'a str, &'a str),
        outcome: &IngestOutcome,
        mended: &[Mended],
    ) -> Option<sync_log::SyncLogEntry<'a>> {
        let (action, status, message) = match outcome {
            IngestOutcome::Created(_) => ("create", "success", None),
            IngestOutcome::Updated(_) | IngestOutcome::BufferedOnly => ("update", "success", None),
            IngestOutcome::Stale(_) => ("ignore", "success", Some("older than what is known".to_owned())),
            IngestOutcome::Parked(parked) => ("park", "pending", Some(parked.to_string())),
            IngestOutcome::Overbooked { created, nights, .. } => (
                if *created { "create" } else { "update" },
                "success",
                Some(format!("overbooked on {}", format_nights(nights))),
            ),
            IngestOutcome::Rejected(errors) => ("reject", "failed", Some(describe_errors(errors))),
            IngestOutcome::Refused(full) => {
                ("refuse", "failed", Some(format!("no room on {}", format_nights(&full.nights))))
            }
            IngestOutcome::Unchanged(_)
            | IngestOutcome::SetAside
            | IngestOutcome::RefetchQueued
            | IngestOutcome::Unsupported => return None,
        };
        // Of what is not kept nothing was mended.
        let mended = if status == "failed" { None } else { describe_mended(mended) };
        let parts: Vec<String> = message.into_iter().chain(mended).collect();
        let message = (!parts.is_empty()).then(|| parts.join("; "));
        Some(sync_log::SyncLogEntry { source: self.source, entity_type, entity_id, action, status, message })
    }
}

/// Nights, in words.
pub fn format_nights(nights: &[Date]) -> String {
    nights.iter().map(Date::to_string).collect::<Vec<_>>().join(", ")
}

/// Field and problem, never the value: that may be a guest's.
pub(super) fn describe_errors(errors: &[FieldError]) -> String {
    let format_nights: Vec<String> = errors.iter().map(|e| format!("{} {}", e.path, e.problem)).collect();
    format_nights.join("; ")
}

/// Field and what was done to it, never the value.
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

/// Applies changes in their order, in a transaction that is their source's. Properties and room types come before what refers
/// to them, whatever order the channel named them in, and reservations last.
pub async fn changes(tx: &mut Tx, context: &IngestContext, changes: Vec<Change>) -> store::Result<Vec<IngestOutcome>> {
    if tx.origin() != Some(context.source) {
        // It would be told of what it has said.
        return Err(sqlx::Error::Protocol("news of a source in a transaction that is not its own".to_owned()));
    }
    // These write the ledger too: units where there are fewer of them than before, blocks and what becomes of them.
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
    // A reservation that takes a block's place gives nights back and takes others.
    let blocks = !batches.0.is_empty() && block::any(tx, context).await?;
    // One on nights that its source has closed by hand, too.
    let closures = !batches.0.is_empty() && closures::any(tx, context.account, context.source).await?;
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
    link_health::record(tx, context.account, context.source, &Vec::from_iter(link_error), context.now).await?;
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// The nights that a calendar speaks of.
fn shown(change: &Change) -> Option<manual_closure::ShownNights> {
    match &change.data {
        ChangeKind::Calendar(calendar) => {
            Some((calendar.room_type_id.clone(), calendar.nights.iter().map(|night| night.date).collect()))
        }
        _ => None,
    }
}

/// Reservations in lists that name none twice.
#[derive(Default)]
struct ReservationBatches(Vec<ReservationBatch>);

/// Reservations, and the place of each among all changes.
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

/// Takes those out of a run whose ids are blocks', and ends them one by one.
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
        // Of all others the fate is unknown: the channel is asked.
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
        // What a plugin could not read is set aside before, with where it came from.
        ChangeKind::Unreadable(_) | ChangeKind::Ask(_) | ChangeKind::Connection(_) | ChangeKind::Other { .. } => {
            Ok(IngestOutcome::Unsupported)
        }
    }
}

/// A channel that says only that something happened is asked what.
async fn refetch(tx: &mut Tx, context: &IngestContext, hint: &Hint) -> store::Result<IngestOutcome> {
    let payload = match &hint.id {
        Some(id) => json!({ "entity": hint.entity, "id": id }),
        None => json!({ "entity": hint.entity }),
    };
    let IngestContext { account, source, now, .. } = *context;
    store::queue::enqueue(tx, &[JobKind::Refetch.job((account, source), payload, (now + GATHER, now))], now).await?;
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

/// What a change is about, so that two transactions that are about the same wait for each other.
fn names(change: &Change) -> Vec<String> {
    let guest = match &change.data {
        ChangeKind::Reservation(record) => record.guest.as_ref().and_then(|guest| guest.id.as_deref()),
        ChangeKind::Guest(guest) => guest.id.as_deref(),
        _ => None,
    };
    let guest = guest.map(|id| format!("guest/{id}"));
    external_id(change).map(str::to_owned).into_iter().chain(guest).collect()
}

/// The link that a change may go by.
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
