//! Core entities as JSON values, to show what would change.

use gassync_domain::{AccountId, CoreId, Date, StayRules};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

use crate::{Day, MoneyTenThousandths, Result, Tx, on, stay_rules::StayRulesRow};

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    name: String,
    description: Option<String>,
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postcode: Option<String>,
    country: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    currency: Option<String>,
    time_zone: Option<String>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unit {
    property_id: i64,
    name: String,
    description: Option<String>,
    max_occupancy: Option<i64>,
    quantity: i64,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct RatePlan {
    property_id: i64,
    name: String,
    description: Option<String>,
    currency: Option<String>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Guest {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    language: Option<String>,
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postcode: Option<String>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Booking {
    property_id: i64,
    #[serde(skip)]
    guest_id: Option<i64>,
    status: String,
    check_in: Day,
    check_out: Day,
    guests: Option<i64>,
    adults: Option<i64>,
    children: Option<i64>,
    infants: Option<i64>,
    total_price: Option<MoneyTenThousandths>,
    currency: Option<String>,
    notes: Option<String>,
    #[sqlx(skip)]
    guest: Option<Guest>,
    #[sqlx(skip)]
    rooms: Vec<Room>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Room {
    unit_id: i64,
    check_in: Day,
    check_out: Day,
    guests: Option<i64>,
    adults: Option<i64>,
    children: Option<i64>,
    infants: Option<i64>,
    total_price: Option<MoneyTenThousandths>,
}

#[derive(FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rate {
    #[serde(skip)]
    night: Day,
    price: Option<MoneyTenThousandths>,
    currency: Option<String>,
    closed: bool,
    #[serde(flatten)]
    #[sqlx(flatten, try_from = "StayRulesRow")]
    rules: StayRules,
}

fn json<T: Serialize>(row: Option<T>) -> Value {
    row.and_then(|row| serde_json::to_value(row).ok()).unwrap_or_default()
}

/// A property; null if it does not exist.
pub async fn property(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Value> {
    let text =
        "select name, description, street, city, state, postcode, country, latitude, longitude, currency, time_zone
        from gas_properties where account_id = $1 and id = $2";
    let row: Option<Property> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(json(row))
}

/// A bookable unit; null if it does not exist.
pub async fn unit(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Value> {
    let text = "select property_id, name, description, max_occupancy, quantity from gas_bookable_units
        where account_id = $1 and id = $2";
    let row: Option<Unit> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(json(row))
}

/// A rate plan; null if it does not exist.
pub async fn rate_plan(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Value> {
    let text = "select property_id, name, description, currency from gas_rate_plans where account_id = $1 and id = $2";
    let row: Option<RatePlan> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(json(row))
}

/// A guest; null if it does not exist.
pub async fn guest(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Value> {
    Ok(json(guest_row(tx, account, id).await?))
}

async fn guest_row(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Option<Guest>> {
    let text = "select first_name, last_name, email, phone, country, language, street, city, state, postcode
        from gas_guests where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)
}

/// A booking with its rooms and guest; null if it does not exist.
pub async fn booking(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Value> {
    let text = "select property_id, guest_id, status, check_in, check_out, guests, adults, children, infants,
            total_price, currency, notes
        from gas_bookings where account_id = $1 and id = $2";
    let row: Option<Booking> =
        on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    let Some(mut booking) = row else { return Ok(Value::Null) };
    if let Some(id) = booking.guest_id {
        booking.guest = guest_row(tx, account, CoreId(id)).await?;
    }
    let text = "select unit_id, check_in, check_out, guests, adults, children, infants, total_price
        from gas_booking_rooms where account_id = $1 and booking_id = $2 order by position";
    booking.rooms = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_all(c).await)?;
    Ok(json(Some(booking)))
}

/// Prices and rules of a unit under a rate plan, by night.
pub async fn rates(
    tx: &mut Tx,
    account: AccountId,
    (plan, unit): (CoreId, CoreId),
    (first, last): (Date, Date),
) -> Result<Value> {
    let text = "select night, price, currency, min_stay, max_stay, closed, closed_to_arrival, closed_to_departure,
            min_stay_through, exact_stay, min_advance_days, max_advance_days
        from gas_nightly_rates
        where account_id = $1 and rate_plan_id = $2 and unit_id = $3 and night >= $4 and night <= $5 order by night";
    let rows: Vec<Rate> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(plan.0).bind(unit.0).bind(Day(first))
        .bind(Day(last)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|rate| (rate.night.0.to_string(), json(Some(rate)))).collect())
}
