//! Calendars as channels tell them, night by night.

use gassync_domain::{AccountId, CalendarNight, RawJson, SourceId, Timestamp};
use sqlx::types::Json;

use crate::store::{Cents, Day, Result, Time, Tx, on};

/// The row of a source's room type.
pub async fn room_type(tx: &mut Tx, account: AccountId, source: SourceId, external_id: &str) -> Result<Option<i64>> {
    let text = "select id from int_room_types where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)
}

/// The statement that writes what is said over what was there: what is not said stays, and where nothing differs no row
/// is touched.
macro_rules! said_over {
    ($($column:literal),*) => {
        concat!(
            "insert into int_availability (account_id, source_id, int_room_type_id, rate_plan_external_id, date",
            $(", ", $column,)*
            ", extra, raw_data, observed_at, synced_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
            on conflict (account_id, int_room_type_id, rate_plan_external_id, date) do update set ",
            $($column, " = coalesce(excluded.", $column, ", int_availability.", $column, "), ",)*
            "extra = case when excluded.extra = '{}' then int_availability.extra else excluded.extra end,
                raw_data = excluded.raw_data, observed_at = excluded.observed_at,
                synced_at = excluded.synced_at
            where int_availability.observed_at <= excluded.observed_at
                and not (excluded.extra in ('{}', int_availability.extra)",
            $(
                " and coalesce(excluded.", $column, " = int_availability.", $column, ", excluded.", $column, " is null)",
            )*
            ")"
        )
    };
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
    let text = said_over!(
        "available",
        "units_available",
        "price",
        "currency",
        "min_stay",
        "max_stay",
        "closed_to_arrival",
        "closed_to_departure",
        "min_stay_through",
        "exact_stay",
        "min_advance_days",
        "max_advance_days"
    );
    // A channel that is overbooked has none to sell.
    let units = night.units_available.map(|units| i64::from(units.max(0)));
    let rows = on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(room_type)
        .bind(rate_plan.unwrap_or_default()).bind(Day(night.date)).bind(night.available).bind(units)
        .bind(night.price.map(Cents::from)).bind(&night.currency).bind(night.min_stay.map(i64::from))
        .bind(night.max_stay.map(i64::from)).bind(night.closed_to_arrival).bind(night.closed_to_departure)
        .bind(night.min_stay_through.map(i64::from)).bind(night.exact_stay.map(i64::from))
        .bind(night.min_advance_days.map(i64::from)).bind(night.max_advance_days.map(i64::from))
        .bind(Json(&night.extra)).bind(Json(raw)).bind(Time::from(observed_at)).bind(Time::from(now))
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
