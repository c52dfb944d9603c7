//! Rate plans, and what is charged and asked for under them night by night.

use gassync_domain::{AccountId, CalendarNight, CoreId, RatePlan, Timestamp};

use crate::store::{Cents, Day, Result, Time, Tx, on};

/// Makes a rate plan.
pub async fn insert_rate_plan(
    tx: &mut Tx,
    account: AccountId,
    property: CoreId,
    plan: &RatePlan,
    now: Timestamp,
) -> Result<CoreId> {
    let text = "insert into gas_rate_plans
            (account_id, property_id, name, description, currency, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(property.0).bind(&plan.name)
        .bind(&plan.description).bind(&plan.currency).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Changes a rate plan; what the record does not say stays.
pub async fn update_rate_plan(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    plan: &RatePlan,
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_rate_plans set name = $3, description = coalesce($4, description),
            currency = coalesce($5, currency), updated_at = $6
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&plan.name).bind(&plan.description)
        .bind(&plan.currency).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Writes a night's price and rules; what the record does not say stays.
pub async fn put_nightly_rate(
    tx: &mut Tx,
    account: AccountId,
    (plan, unit): (CoreId, CoreId),
    night: &CalendarNight,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into gas_nightly_rates (account_id, rate_plan_id, unit_id, night, price, currency, min_stay,
            max_stay, closed, closed_to_arrival, closed_to_departure, updated_at, min_stay_through, exact_stay,
            min_advance_days, max_advance_days)
        values ($1, $2, $3, $4, $5, $6, nullif($7, 0), nullif($8, 0), coalesce($9, $13), coalesce($10, $13),
            coalesce($11, $13), $12, nullif($14, 0), nullif($15, 0), nullif($16, 0), $17)
        on conflict (account_id, rate_plan_id, unit_id, night) do update set
            price = coalesce($5, gas_nightly_rates.price), currency = coalesce($6, gas_nightly_rates.currency),
            min_stay = nullif(coalesce($7, gas_nightly_rates.min_stay), 0),
            max_stay = nullif(coalesce($8, gas_nightly_rates.max_stay), 0),
            closed = coalesce($9, gas_nightly_rates.closed),
            closed_to_arrival = coalesce($10, gas_nightly_rates.closed_to_arrival),
            closed_to_departure = coalesce($11, gas_nightly_rates.closed_to_departure), updated_at = $12,
            min_stay_through = nullif(coalesce($14, gas_nightly_rates.min_stay_through), 0),
            exact_stay = nullif(coalesce($15, gas_nightly_rates.exact_stay), 0),
            min_advance_days = nullif(coalesce($16, gas_nightly_rates.min_advance_days), 0),
            max_advance_days = coalesce($17, gas_nightly_rates.max_advance_days)";
    // A rule of no nights lifts the one that was.
    let rule = |nights: Option<u32>| nights.map(i64::from);
    on!(tx, c => sqlx::query(text).bind(account.0).bind(plan.0).bind(unit.0).bind(Day(night.date))
        .bind(night.price.map(Cents::from)).bind(&night.currency).bind(rule(night.min_stay)).bind(rule(night.max_stay))
        .bind(night.available.map(|available| !available)).bind(night.closed_to_arrival).bind(night.closed_to_departure)
        .bind(Time::from(now)).bind(false).bind(rule(night.min_stay_through)).bind(rule(night.exact_stay))
        .bind(rule(night.min_advance_days)).bind(night.max_advance_days.map(i64::from)).execute(c).await.map(drop))
}
