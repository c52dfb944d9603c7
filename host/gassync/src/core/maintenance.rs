use gassync_domain::{AccountId, CoreId, Timestamp};

use super::ledger::OpenNights;
use crate::store::{
    Result, Tx,
    core::maintenance::{self as rows, MaintenanceKind},
    ledger::{self, Span},
};

/// Takes units off sale for maintenance. Existing bookings are kept.
pub async fn block(
    tx: &mut Tx,
    account: AccountId,
    (span, quantity): (Span, u32),
    (kind, reason): (MaintenanceKind, Option<&str>),
    now: Timestamp,
) -> Result<CoreId> {
    let quantity = i64::from(quantity);
    ledger::open(tx, account, &[span], now).await?;
    ledger::block(tx, account, span, quantity, now).await?;
    rows::insert_maintenance(tx, account, (span, quantity), (kind, reason), now).await
}

/// Ends a maintenance record; returns false if there is none.
pub async fn unblock(tx: &mut Tx, account: AccountId, id: CoreId, now: Timestamp) -> Result<bool> {
    let Some((span, quantity)) = rows::maintenance(tx, account, id).await? else {
        return Ok(false);
    };
    let opened = OpenNights::new(tx, account, &[span], now).await?;
    ledger::block(tx, account, span, -quantity, now).await?;
    rows::delete_maintenance(tx, account, id).await?;
    opened.resolve_overbooked(tx, account, &[span], now).await?;
    Ok(true)
}
