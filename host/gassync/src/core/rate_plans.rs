use gassync_domain::{AccountId, CalendarNight, CoreId, RatePlan, Timestamp};

use crate::store::{Result, Tx, core::rate_plans as rows};

/// Makes or changes a rate plan of a property.
pub async fn put_rate_plan(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    property: CoreId,
    plan: &RatePlan,
    now: Timestamp,
) -> Result<CoreId> {
    match known {
        None => rows::insert_rate_plan(tx, account, property, plan, now).await,
        Some(id) => rows::update_rate_plan(tx, account, id, plan, now).await.map(|()| id),
    }
}

/// Writes prices and rules of stay of a unit under a rate plan. How many can be sold is the ledger's to say.
pub async fn put_rates(
    tx: &mut Tx,
    account: AccountId,
    (plan, unit): (CoreId, CoreId),
    nights: &[CalendarNight],
    now: Timestamp,
) -> Result<()> {
    rows::put_nightly_rates(tx, account, (plan, unit), nights, now).await
}
