//! Dry run: the field changes that records would cause in the core.

use gassync_domain::{AccountId, Calendar, Change, ChangeKind, CoreId, FieldChange, Guest, differences};
use serde_json::Value;

use super::apply::{self, IngestContext, IngestOutcome, rank};
use crate::store::{
    Result, Tx,
    core::snapshot,
    mappings::{self, EntityKind},
};

/// The dry-run result of one record.
#[derive(Debug)]
pub struct DryRunResult {
    /// The outcome for the record.
    pub outcome: IngestOutcome,
    /// Field changes of the linked core entity.
    pub changes: Vec<FieldChange>,
}

/// Applies changes as [`apply::changes`] does and returns the field changes of each. For a dry run, drop the transaction.
pub async fn changes(tx: &mut Tx, context: &IngestContext, changes: Vec<Change>) -> Result<Vec<DryRunResult>> {
    // One by one, so the account's ledger is locked exclusively.
    tx.lock_ledger(context.account, true).await?;
    let mut order: Vec<(usize, Change)> = changes.into_iter().enumerate().collect();
    order.sort_by_key(|(_, change)| rank(&change.data));
    let mut planned = Vec::with_capacity(order.len());
    for (index, change) in order {
        let data = change.data.clone();
        let before = core_entity(tx, context, &data).await?;
        for outcome in apply::changes(tx, context, vec![change]).await? {
            let after = core_entity(tx, context, &data).await?;
            planned.push((index, DryRunResult { outcome, changes: differences(&before, &after) }));
        }
    }
    planned.sort_by_key(|(index, _)| *index);
    Ok(planned.into_iter().map(|(_, planned)| planned).collect())
}

async fn core_entity(tx: &mut Tx, context: &IngestContext, data: &ChangeKind) -> Result<Value> {
    let (kind, id) = match data {
        ChangeKind::Property(record) => (EntityKind::Property, &record.id),
        ChangeKind::RoomType(record) => (EntityKind::RoomType, &record.id),
        ChangeKind::RatePlan(record) => (EntityKind::RatePlan, &record.id),
        ChangeKind::Reservation(record) => (EntityKind::Reservation, &record.id),
        ChangeKind::Guest(Guest { id: Some(id), .. }) => (EntityKind::Guest, id),
        ChangeKind::Calendar(calendar) => return rates(tx, context, calendar).await,
        _ => return Ok(Value::Null),
    };
    let Some(mapping) = mappings::find(tx, context.key(), kind, id).await? else {
        return Ok(Value::Null);
    };
    entity(tx, context.account, kind, mapping.core).await
}

async fn rates(tx: &mut Tx, context: &IngestContext, calendar: &Calendar) -> Result<Value> {
    let IngestContext { account, .. } = *context;
    let nights = calendar.nights.iter().map(|night| night.date);
    let (Some(plan), Some(first), Some(last)) = (&calendar.rate_plan_id, nights.clone().min(), nights.max()) else {
        return Ok(Value::Null);
    };
    let unit = mappings::find(tx, context.key(), EntityKind::RoomType, &calendar.room_type_id).await?;
    let plan = mappings::find(tx, context.key(), EntityKind::RatePlan, plan).await?;
    match (plan, unit) {
        (Some(plan), Some(unit)) => snapshot::rates(tx, account, (plan.core, unit.core), (first, last)).await,
        _ => Ok(Value::Null),
    }
}

/// The current core entity; null if there is none.
pub async fn entity(tx: &mut Tx, account: AccountId, kind: EntityKind, id: CoreId) -> Result<Value> {
    match kind {
        EntityKind::Property => snapshot::property(tx, account, id).await,
        EntityKind::RoomType => snapshot::unit(tx, account, id).await,
        EntityKind::RatePlan => snapshot::rate_plan(tx, account, id).await,
        EntityKind::Reservation => snapshot::booking(tx, account, id).await,
        EntityKind::Guest => snapshot::guest(tx, account, id).await,
    }
}
