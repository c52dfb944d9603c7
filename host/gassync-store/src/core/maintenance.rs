//! Nights on which the property itself takes units out of sale.

use gassync_domain::{AccountId, CoreId, Timestamp};

use crate::{Day, Result, Time, Tx, ledger::Span, on};

/// Reason why a unit is not for sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaintenanceKind {
    /// Planned work.
    Maintenance,
    /// Unusable.
    OutOfOrder,
}

impl MaintenanceKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::OutOfOrder => "out-of-order",
        }
    }
}

/// Inserts a maintenance entry for some units.
pub async fn insert_maintenance(
    tx: &mut Tx,
    account: AccountId,
    (span, quantity): (Span, i64),
    (kind, reason): (MaintenanceKind, Option<&str>),
    now: Timestamp,
) -> Result<CoreId> {
    let text = "insert into gas_maintenance
            (account_id, unit_id, kind, starts_on, ends_on, quantity, reason, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(span.unit.0).bind(kind.as_str())
        .bind(Day(span.stay.check_in())).bind(Day(span.stay.check_out())).bind(quantity).bind(reason)
        .bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// The blocked nights and number of units of a maintenance entry.
pub async fn maintenance(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Option<(Span, i64)>> {
    let text = "select unit_id, starts_on, ends_on, quantity from gas_maintenance where account_id = $1 and id = $2";
    let row: Option<(i64, Day, Day, i64)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.and_then(|(unit, from, to, quantity)| {
        let stay = gassync_domain::Stay::spanning(from.0, to.0)?;
        Some((Span { unit: CoreId(unit), stay }, quantity))
    }))
}

/// Deletes a maintenance entry.
pub async fn delete_maintenance(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<()> {
    let text = "delete from gas_maintenance where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}
