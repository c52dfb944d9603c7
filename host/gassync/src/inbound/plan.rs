//! What records would do to the core, field by field.

use gassync_domain::{AccountId, Calendar, Change, ChangeKind, CoreId, FieldChange, Guest, differences};
use serde_json::Value;

use super::apply::{self, Incoming, Outcome, rank};
use crate::store::{
    Result, Tx,
    core::snapshot,
    mappings::{self, Kind},
};

/// What one record does.
#[derive(Debug)]
pub struct Planned {
    /// What becomes of it.
    pub outcome: Outcome,
    /// What differs in the core entity it is linked to, before and after.
    pub changes: Vec<FieldChange>,
}

/// Applies changes as [`apply::changes`] does, and tells what each did to the core. Whoever only wants to know drops
/// the transaction.
pub async fn changes(tx: &mut Tx, incoming: &Incoming, changes: Vec<Change>) -> Result<Vec<Planned>> {
    // One by one, in whatever order their nights have: alone in the account's ledger.
    tx.lock_ledger(incoming.account, true).await?;
    let mut order: Vec<(usize, Change)> = changes.into_iter().enumerate().collect();
    order.sort_by_key(|(_, change)| rank(&change.data));
    let mut planned = Vec::with_capacity(order.len());
    for (index, change) in order {
        let data = change.data.clone();
        let before = core_entity(tx, incoming, &data).await?;
        for outcome in apply::changes(tx, incoming, vec![change]).await? {
            let after = core_entity(tx, incoming, &data).await?;
            planned.push((index, Planned { outcome, changes: differences(&before, &after) }));
        }
    }
    planned.sort_by_key(|(index, _)| *index);
    Ok(planned.into_iter().map(|(_, planned)| planned).collect())
}

async fn core_entity(tx: &mut Tx, incoming: &Incoming, data: &ChangeKind) -> Result<Value> {
    let (kind, id) = match data {
        ChangeKind::Property(record) => (Kind::Property, &record.id),
        ChangeKind::RoomType(record) => (Kind::RoomType, &record.id),
        ChangeKind::RatePlan(record) => (Kind::RatePlan, &record.id),
        ChangeKind::Reservation(record) => (Kind::Reservation, &record.id),
        ChangeKind::Guest(Guest { id: Some(id), .. }) => (Kind::Guest, id),
        ChangeKind::Calendar(calendar) => return rates(tx, incoming, calendar).await,
        _ => return Ok(Value::Null),
    };
    let Some(mapping) = mappings::find(tx, incoming.account, incoming.source, kind, id).await? else {
        return Ok(Value::Null);
    };
    entity(tx, incoming.account, kind, mapping.core).await
}

async fn rates(tx: &mut Tx, incoming: &Incoming, calendar: &Calendar) -> Result<Value> {
    let Incoming { account, source, .. } = *incoming;
    let nights = calendar.nights.iter().map(|night| night.date);
    let (Some(plan), Some(first), Some(last)) = (&calendar.rate_plan_id, nights.clone().min(), nights.max()) else {
        return Ok(Value::Null);
    };
    let unit = mappings::find(tx, account, source, Kind::RoomType, &calendar.room_type_id).await?;
    let plan = mappings::find(tx, account, source, Kind::RatePlan, plan).await?;
    match (plan, unit) {
        (Some(plan), Some(unit)) => snapshot::rates(tx, account, (plan.core, unit.core), (first, last)).await,
        _ => Ok(Value::Null),
    }
}

/// A core entity as it is now; null where there is none.
pub async fn entity(tx: &mut Tx, account: AccountId, kind: Kind, id: CoreId) -> Result<Value> {
    match kind {
        Kind::Property => snapshot::property(tx, account, id).await,
        Kind::RoomType => snapshot::unit(tx, account, id).await,
        Kind::RatePlan => snapshot::rate_plan(tx, account, id).await,
        Kind::Reservation => snapshot::booking(tx, account, id).await,
        Kind::Guest => snapshot::guest(tx, account, id).await,
    }
}
