//! Nights of units that were closed manually.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Date, Timestamp};

use crate::{
    Day, Result, Tx,
    rows::{self, ColumnType, Rows},
};

/// Number of units that each of these closures closes.
pub async fn quantities(tx: &mut Tx, account: AccountId, ids: &[CoreId]) -> Result<HashMap<CoreId, i64>> {
    let text = "select k.id, k.quantity from new cross join gas_closures k where k.account_id = $1 and k.id = new.id";
    let rows: Vec<(i64, i64)> = rows::of_ids(ids).read(tx, &[account.0.into()], text).await?;
    Ok(rows.into_iter().map(|(id, quantity)| (CoreId(id), quantity)).collect())
}

/// Inserts closures; returns their keys in the given order.
pub async fn insert_closures(
    tx: &mut Tx,
    account: AccountId,
    nights: &[(CoreId, Date, i64)],
    now: Timestamp,
) -> Result<Vec<CoreId>> {
    let mut new = Rows::new([("unit_id", ColumnType::Int), ("night", ColumnType::Day), ("quantity", ColumnType::Int)]);
    for (unit, night, quantity) in nights {
        new.push([unit.0.into(), Day(*night).into(), (*quantity).into()]);
    }
    let text = "insert into gas_closures (account_id, unit_id, night, quantity, created_at, updated_at)
        select $1, unit_id, night, quantity, $2, $2 from new where true returning id";
    let keys = new.keys(tx, &[account.0.into(), now.into()], text).await?;
    Ok(keys.into_iter().map(CoreId).collect())
}

/// Changes the number of units of closures.
pub async fn update_closures(
    tx: &mut Tx,
    account: AccountId,
    closures: &[(CoreId, i64)],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([("closure_id", ColumnType::Int), ("units", ColumnType::Int)]);
    closures.iter().for_each(|(id, quantity)| new.push([id.0.into(), (*quantity).into()]));
    let text = "update gas_closures set quantity = new.units, updated_at = $2 from new
        where gas_closures.account_id = $1 and gas_closures.id = new.closure_id";
    new.write(tx, &[account.0.into(), now.into()], text).await
}

/// Deletes closures.
pub async fn delete_closures(tx: &mut Tx, account: AccountId, ids: &[CoreId]) -> Result<()> {
    let text = "delete from gas_closures where account_id = $1 and id in (select id from new)";
    rows::of_ids(ids).write(tx, &[account.0.into()], text).await
}
