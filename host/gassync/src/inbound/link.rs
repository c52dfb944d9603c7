//! Manual links: links a parked record, applies it, and retries the records that waited for the link.

use gassync_domain::{Change, ChangeKind, CoreId, FieldChange, Missing, Parked, RawJson, differences};
use serde_json::Value;

use super::{
    apply::{self, IngestContext, IngestOutcome},
    dry_run::entity,
};
use crate::{
    schedule,
    store::{
        Result, Tx,
        buffer::{PageCursor, parked_reservations, properties, rate_plans, reservations, room_types},
        mappings::{self, EntityKind},
        sync_log,
    },
};

/// Parked records searched for ones that wait for the link.
const MAX_SEARCHED: i64 = 1_000;

/// The target of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkTarget {
    /// This core entity.
    Known(CoreId),
    /// A new core entity, created from the record.
    New,
}

/// The result of linking.
#[derive(Debug)]
pub struct LinkResult {
    /// The outcome for the record.
    pub outcome: IngestOutcome,
    /// Field changes of the core entity.
    pub changes: Vec<FieldChange>,
    /// Number of parked records that wait for this link.
    pub frees: usize,
}

/// Why a link is refused.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The source has sent no such record.
    #[error("the source has sent no such record")]
    NoRecord,
    /// Only records parked for a missing link can be linked manually.
    #[error(
        "only properties, room types, rate plans and reservations that wait are linked by hand, and of these the last to bookings that are there"
    )]
    NotByHand,
    /// Another reservation of the source is linked with the booking.
    #[error(
        "reservation {0} of this source is already linked with that booking: each reservation needs its own booking"
    )]
    Taken(String),
    /// The record is already linked.
    #[error("it is already linked with {0}: unlink it first")]
    AlreadyLinked(CoreId),
    /// The account has no such entity.
    #[error("the account has no such core entity")]
    NoEntity,
    /// The entity is in another property.
    #[error("the core entity is in property {0}, and the record's property is linked with another")]
    Elsewhere(i64),
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Links a record and applies it to the core. For a dry run, drop the transaction.
pub async fn link(
    tx: &mut Tx,
    context: &IngestContext,
    (kind, id): (EntityKind, &str),
    target: LinkTarget,
) -> std::result::Result<LinkResult, LinkError> {
    let IngestContext { account, source, now, .. } = *context;
    if let Some(mapping) = mappings::find(tx, context.key(), kind, id).await? {
        return Err(LinkError::AlreadyLinked(mapping.core));
    }
    if kind == EntityKind::Reservation && target == LinkTarget::New {
        return Err(LinkError::NotByHand);
    }
    let (change, observed_at) = received(tx, context, kind, id).await?.ok_or(LinkError::NoRecord)?;
    let mut before = Value::Null;
    if let LinkTarget::Known(core) = target {
        before = entity(tx, account, kind, core).await?;
        if before.is_null() {
            return Err(LinkError::NoEntity);
        }
        check_home(tx, context, &change.data, &before).await?;
        if kind == EntityKind::Reservation
            && let Some(other) = mappings::external_of(tx, context.key(), kind, core).await?
        {
            return Err(LinkError::Taken(other));
        }
        mappings::link(tx, context.key(), kind, id, core, now).await?;
    }
    // An operator may create entities from any source.
    let context = IngestContext { creates: context.creates || target == LinkTarget::New, observed_at, ..*context };
    let outcomes = apply::changes(tx, &context, vec![change]).await?;
    let outcome = outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported);
    let mut changes = Vec::new();
    if let Some(core) = outcome.core() {
        changes = differences(&before, &entity(tx, account, kind, core).await?);
        let message = Some(format!("linked with {core} by hand"));
        let entry = sync_log::NewSyncLogLine {
            source,
            entity_type: kind.as_str(),
            entity_id: id,
            action: sync_log::LogAction::Map,
            status: sync_log::LogStatus::Success,
            message,
        };
        sync_log::inbound(tx, account, &[entry], now).await?;
    }
    let frees = waiting_for(tx, &context, kind, id).await?;
    schedule::linked(tx, context.key(), now).await?;
    Ok(LinkResult { outcome, changes, frees })
}

/// Removes a link: the record is parked, the core entity stays.
pub async fn unlink(
    tx: &mut Tx,
    context: &IngestContext,
    kind: EntityKind,
    id: &str,
) -> std::result::Result<(), LinkError> {
    let IngestContext { account, source, now, .. } = *context;
    mappings::find(tx, context.key(), kind, id).await?.ok_or(LinkError::NoRecord)?;
    let parked = Parked(vec![Missing::Link]);
    match kind {
        EntityKind::Property => properties::part(tx, context.key(), id, &parked).await?,
        EntityKind::RoomType => room_types::part(tx, context.key(), id, &parked).await?,
        EntityKind::RatePlan => rate_plans::part(tx, context.key(), id, &parked).await?,
        EntityKind::Reservation | EntityKind::Guest => return Err(LinkError::NotByHand),
    }
    mappings::unlink(tx, context.key(), kind, id).await?;
    let entry = sync_log::NewSyncLogLine {
        source,
        entity_type: kind.as_str(),
        entity_id: id,
        action: sync_log::LogAction::Unmap,
        status: sync_log::LogStatus::Success,
        message: None,
    };
    sync_log::inbound(tx, account, &[entry], now).await?;
    // Manual closures end at a unit that is no longer linked.
    schedule::linked(tx, context.key(), now).await?;
    Ok(())
}

async fn received(
    tx: &mut Tx,
    context: &IngestContext,
    kind: EntityKind,
    id: &str,
) -> std::result::Result<Option<(Change, gassync_domain::Timestamp)>, LinkError> {
    let change = |data: ChangeKind, raw: RawJson, mended| Change { mended, ..Change::new(data, Some(raw)) };
    macro_rules! of {
        ($table:ident, $data:expr) => {
            $table::with_raw(tx, context.key(), id)
                .await?
                .map(|(stored, raw)| (change($data(stored.record), raw, stored.mended), stored.version.observed_at))
        };
    }
    Ok(match kind {
        EntityKind::Property => of!(properties, ChangeKind::Property),
        EntityKind::RoomType => of!(room_types, ChangeKind::RoomType),
        EntityKind::RatePlan => of!(rate_plans, ChangeKind::RatePlan),
        EntityKind::Reservation => {
            let waiting = parked_reservations::with_raw(tx, context.key(), id).await?;
            waiting.map(|(waiting, raw)| {
                let change = change(ChangeKind::Reservation(Box::new(waiting.record)), raw, waiting.mended);
                (change, waiting.version.observed_at)
            })
        }
        EntityKind::Guest => return Err(LinkError::NotByHand),
    })
}

/// Checks that the unit is in the property that the record's property is linked with.
async fn check_home(
    tx: &mut Tx,
    context: &IngestContext,
    data: &ChangeKind,
    entity: &Value,
) -> std::result::Result<(), LinkError> {
    let home = match data {
        ChangeKind::RoomType(record) => &record.property_id,
        ChangeKind::RatePlan(record) => &record.property_id,
        _ => return Ok(()),
    };
    let property = mappings::find(tx, context.key(), EntityKind::Property, home).await?;
    match (property, entity.get("propertyId").and_then(Value::as_i64)) {
        (Some(property), Some(is_in)) if property.core.0 != is_in => Err(LinkError::Elsewhere(is_in)),
        _ => Ok(()),
    }
}

async fn waiting_for(tx: &mut Tx, context: &IngestContext, kind: EntityKind, wanted: &str) -> Result<usize> {
    let names_it = |missing: &Missing| match (kind, missing) {
        (EntityKind::Property, Missing::Property { id })
        | (EntityKind::RoomType, Missing::RoomType { id })
        | (EntityKind::RatePlan, Missing::RatePlan { id }) => id == wanted,
        _ => false,
    };
    let slice = PageCursor { after: 0, limit: MAX_SEARCHED };
    let mut count = 0;
    macro_rules! among {
        ($table:ident) => {
            let parked = $table::parked(tx, context.key(), slice).await?;
            let waits = |parked: &Option<Parked>| parked.iter().flat_map(|Parked(missing)| missing).any(names_it);
            count += parked.iter().filter(|(stored, _)| waits(&stored.parked)).count();
        };
    }
    among!(room_types);
    among!(rate_plans);
    among!(reservations);
    Ok(count)
}
