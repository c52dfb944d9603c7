//! Calendars as channels tell them, night by night.

use gassync_domain::{AccountId, CalendarNight, RawJson, SourceId, Timestamp};
use sqlx::types::Json;

use crate::store::{Cents, Day, Result, Time, Tx, on};

/// The row of a source's room type.
pub async fn room_type(tx: &mut Tx, account: AccountId, source: SourceId, external_id: &str) -> Result<Option<i64>> {
    let text = "select id from int_room_types where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)
}

/// Writes one night over what was there, unless that is newer; what the channel does not say stays. Tells whether
/// anything changed.
pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    (room_type, rate_plan): (i64, Option<&str>),
    night: &CalendarNight,
    (raw, observed_at, now): (&RawJson, Timestamp, Timestamp),
) -> Result<bool> {
    let text = "insert into int_availability (account_id, source_id, int_room_type_id, rate_plan_external_id, date,
            available, units_available, price, currency, min_stay, max_stay, closed_to_arrival, closed_to_departure,
            raw_data, observed_at, synced_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict (account_id, int_room_type_id, rate_plan_external_id, date) do update set
            available = coalesce(excluded.available, int_availability.available),
            units_available = coalesce(excluded.units_available, int_availability.units_available),
            price = coalesce(excluded.price, int_availability.price),
            currency = coalesce(excluded.currency, int_availability.currency),
            min_stay = coalesce(excluded.min_stay, int_availability.min_stay),
            max_stay = coalesce(excluded.max_stay, int_availability.max_stay),
            closed_to_arrival = coalesce(excluded.closed_to_arrival, int_availability.closed_to_arrival),
            closed_to_departure = coalesce(excluded.closed_to_departure, int_availability.closed_to_departure),
            raw_data = excluded.raw_data, observed_at = excluded.observed_at, synced_at = excluded.synced_at
        where int_availability.observed_at <= excluded.observed_at and not (
            coalesce(excluded.available = int_availability.available, excluded.available is null)
            and coalesce(excluded.units_available = int_availability.units_available, excluded.units_available is null)
            and coalesce(excluded.price = int_availability.price, excluded.price is null)
            and coalesce(excluded.currency = int_availability.currency, excluded.currency is null)
            and coalesce(excluded.min_stay = int_availability.min_stay, excluded.min_stay is null)
            and coalesce(excluded.max_stay = int_availability.max_stay, excluded.max_stay is null)
            and coalesce(excluded.closed_to_arrival = int_availability.closed_to_arrival,
                excluded.closed_to_arrival is null)
            and coalesce(excluded.closed_to_departure = int_availability.closed_to_departure,
                excluded.closed_to_departure is null))";
    // A channel that is overbooked has none to sell.
    let units = night.units_available.map(|units| i64::from(units.max(0)));
    let rows = on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(room_type)
        .bind(rate_plan.unwrap_or_default()).bind(Day(night.date)).bind(night.available).bind(units)
        .bind(night.price.map(Cents::from)).bind(&night.currency).bind(night.min_stay.map(i64::from))
        .bind(night.max_stay.map(i64::from)).bind(night.closed_to_arrival).bind(night.closed_to_departure)
        .bind(Json(raw)).bind(Time::from(observed_at)).bind(Time::from(now))
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
