//! Rate plans, and their prices and stay rules per night.

use std::collections::BTreeSet;

use gassync_domain::{AccountId, CalendarNight, CoreId, Date, RatePlan, Timestamp};

use crate::{
    Day, Result, Time, Tx, on,
    rows::{Cell, ColumnType, Rows},
    stay_rules,
};

/// Inserts a rate plan.
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

/// The oldest rate plan of a property.
pub async fn first_of_property(tx: &mut Tx, account: AccountId, property: CoreId) -> Result<Option<CoreId>> {
    let text = "select min(id) from gas_rate_plans where account_id = $1 and property_id = $2";
    let id: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(property.0).fetch_one(c).await)?;
    Ok(id.map(CoreId))
}

/// Updates a rate plan; fields that the record omits stay.
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

/// Upserts prices and rules of nights; fields that the record omits stay. Consecutive nights with equal values are
/// written together.
pub async fn put_nightly_rates(
    tx: &mut Tx,
    account: AccountId,
    (plan, unit): (CoreId, CoreId),
    nights: &[CalendarNight],
    now: Timestamp,
) -> Result<()> {
    // A rule of 0 nights clears the stored one.
    let text = "insert into gas_nightly_rates (account_id, rate_plan_id, unit_id, night, price, currency, min_stay,
            max_stay, closed, closed_to_arrival, closed_to_departure, updated_at, min_stay_through, exact_stay,
            min_advance_days, max_advance_days)
        select $1, $2, $3, night, $4, $5, nullif($6, 0), nullif($7, 0), coalesce($8 = 1, 1 = 0), coalesce($9 = 1, 1 = 0),
            coalesce($10 = 1, 1 = 0), $11, nullif($12, 0), nullif($13, 0), nullif($14, 0), $15
        from new where true
        on conflict (account_id, rate_plan_id, unit_id, night) do update set
            price = coalesce($4, gas_nightly_rates.price), currency = coalesce($5, gas_nightly_rates.currency),
            min_stay = nullif(coalesce($6, gas_nightly_rates.min_stay), 0),
            max_stay = nullif(coalesce($7, gas_nightly_rates.max_stay), 0),
            closed = coalesce($8 = 1, gas_nightly_rates.closed),
            closed_to_arrival = coalesce($9 = 1, gas_nightly_rates.closed_to_arrival),
            closed_to_departure = coalesce($10 = 1, gas_nightly_rates.closed_to_departure), updated_at = $11,
            min_stay_through = nullif(coalesce($12, gas_nightly_rates.min_stay_through), 0),
            exact_stay = nullif(coalesce($13, gas_nightly_rates.exact_stay), 0),
            min_advance_days = nullif(coalesce($14, gas_nightly_rates.min_advance_days), 0),
            max_advance_days = coalesce($15, gas_nightly_rates.max_advance_days)";
    for alike in nights.chunk_by(is_same_rate) {
        let Some(said) = alike.first() else { continue };
        let mut new = Rows::new([("night", ColumnType::Day)]);
        // A statement may write a row only once.
        let dates: BTreeSet<Date> = alike.iter().map(|night| night.date).collect();
        dates.into_iter().for_each(|date| new.push([Day(date).into()]));
        let [min_stay, max_stay, to_arrival, to_departure, through, exact, min_advance, max_advance] =
            stay_rules::cells(&said.rules);
        let shared = [
            account.0.into(),
            plan.0.into(),
            unit.0.into(),
            said.price.map(|price| price.ten_thousandths()).into(),
            (&said.currency).into(),
            min_stay,
            max_stay,
            Cell::from(said.available.map(|available| i64::from(!available))),
            to_arrival,
            to_departure,
            now.into(),
            through,
            exact,
            min_advance,
            max_advance,
        ];
        new.write(tx, &shared, text).await?;
    }
    Ok(())
}

fn is_same_rate(one: &CalendarNight, other: &CalendarNight) -> bool {
    *one == CalendarNight { date: one.date, ..other.clone() }
}
