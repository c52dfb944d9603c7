//! The sellable calendar: ledger, prices and rules per night.

use std::collections::BTreeMap;

use gassync_domain::{AccountId, CoreId, Date, SourceKey, Stay, StayRules, Timestamp};
use sqlx::FromRow;

use super::{Day, MoneyTenThousandths, Result, Tx, ledger, on, rows, stay_rules::StayRulesRow};

/// A night of a unit.
#[derive(Debug, Clone)]
pub struct ListedNight {
    /// The night.
    pub night: Date,
    /// Units.
    pub capacity: i64,
    /// Units sold.
    pub sold: i64,
    /// Units on hold.
    pub held: i64,
    /// Units blocked.
    pub blocked: i64,
    /// Units sold beyond the capacity.
    pub overbooked: i64,
    /// Price under the requested rate plan.
    pub price: Option<MoneyTenThousandths>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Closed under the rate plan.
    pub closed: bool,
    /// Its rules of stay.
    pub rules: StayRules,
}

/// A query of room types.
#[derive(Debug)]
pub struct CalendarQuery<'a> {
    /// Only this one (the source's id).
    pub room_type_id: Option<&'a str>,
    /// Only of this property (the source's id).
    pub property_id: Option<&'a str>,
    /// From this row on.
    pub from_row: i64,
}

/// A room type that is linked to a unit.
#[derive(Debug, Clone, FromRow)]
pub struct SellableRoomType {
    /// Its row.
    pub id: i64,
    /// The source's id.
    pub external_id: String,
    /// The unit.
    pub unit_id: i64,
}

/// The room types of a source that are linked to units.
pub async fn linked_room_types(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    wanted: &CalendarQuery<'_>,
    limit: i64,
) -> Result<Vec<SellableRoomType>> {
    let text = "select r.id, r.external_id, r.gas_unit_id as unit_id from int_room_types r
        left join int_properties p on p.account_id = r.account_id and p.id = r.int_property_id
        where r.account_id = $1 and r.source_id = $2 and r.id >= $3 and r.gas_unit_id is not null
          and r.deleted_at is null and ($4 is null or r.external_id = $4) and ($5 is null or p.external_id = $5)
        order by r.id limit $6";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(wanted.from_row).bind(wanted.room_type_id)
        .bind(wanted.property_id).bind(limit).fetch_all(c).await)
}

#[derive(FromRow)]
struct Rate {
    night: Day,
    price: Option<MoneyTenThousandths>,
    currency: Option<String>,
    closed: bool,
    #[sqlx(flatten, try_from = "StayRulesRow")]
    rules: StayRules,
}

/// Every night of these stays in a unit, in order, with price and rules of the rate plan if given. The stays must not
/// overlap.
pub async fn nights(
    tx: &mut Tx,
    account: AccountId,
    unit: CoreId,
    rate_plan: Option<CoreId>,
    stays: &[Stay],
    now: Timestamp,
) -> Result<Vec<ListedNight>> {
    let quantity = super::core::units::quantity(tx, account, unit).await?.unwrap_or_default();
    let taken = ledger::nights(tx, account, unit, stays, now).await?;
    let taken: BTreeMap<Date, ledger::LedgerNight> = taken.into_iter().map(|night| (night.night.0, night)).collect();
    let text = "select night, price, currency, min_stay, max_stay, closed, closed_to_arrival, closed_to_departure,
            min_stay_through, exact_stay, min_advance_days, max_advance_days
        from new cross join gas_nightly_rates
        where account_id = $1 and unit_id = $2 and rate_plan_id = $3 and night >= new.first and night < new.past";
    let rates: Vec<Rate> = match rate_plan {
        None => Vec::new(),
        Some(plan) => rows::of_stays(stays).read(tx, &[account.0.into(), unit.0.into(), plan.0.into()], text).await?,
    };
    let mut rates: BTreeMap<Date, Rate> = rates.into_iter().map(|rate| (rate.night.0, rate)).collect();
    let each = stays.iter().flat_map(|stay| stay.each()).map(|night| {
        let ledger = taken.get(&night);
        let count = |read: fn(&ledger::LedgerNight) -> i64| ledger.map_or(0, read);
        let rate = rates.remove(&night);
        let (price, currency, closed, rules) =
            rate.map(|rate| (rate.price, rate.currency, rate.closed, rate.rules)).unwrap_or_default();
        ListedNight {
            night,
            capacity: ledger.map_or(quantity, |night| night.capacity),
            sold: count(|night| night.sold),
            held: count(|night| night.held),
            blocked: count(|night| night.blocked),
            overbooked: count(|night| night.overbooked),
            price,
            currency,
            closed,
            rules,
        }
    });
    Ok(each.collect())
}
