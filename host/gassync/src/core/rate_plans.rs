use gassync_domain::{AccountId, CalendarNight, CoreId, RatePlan, Timestamp};

use crate::store::{
    Result, Tx,
    core::{rate_plans as rows, units},
};

/// Name of a rate plan that is created without a channel's name.
const STANDARD: &str = "Standard";

/// Creates or updates a rate plan of a property.
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

/// The rate plan for channels without rate plans: the first of the unit's property, created if there is none. `None` if the
/// unit does not exist.
pub async fn first_rate_plan(tx: &mut Tx, account: AccountId, unit: CoreId, now: Timestamp) -> Result<Option<CoreId>> {
    let Some(home) = units::homes(tx, account, &[unit]).await?.remove(&unit) else { return Ok(None) };
    if let Some(plan) = rows::first_of_property(tx, account, home.property).await? {
        return Ok(Some(plan));
    }
    let plan = RatePlan::named("", STANDARD);
    rows::insert_rate_plan(tx, account, home.property, &plan, now).await.map(Some)
}

/// Writes prices and stay rules of a unit and rate plan. Availability comes from the ledger.
pub async fn put_rates(
    tx: &mut Tx,
    account: AccountId,
    (plan, unit): (CoreId, CoreId),
    nights: &[CalendarNight],
    now: Timestamp,
) -> Result<()> {
    rows::put_nightly_rates(tx, account, (plan, unit), nights, now).await
}
