//! Calendars as received from channels, by night.

use std::collections::HashSet;

use gassync_domain::{AccountId, CalendarNight, CoreId, RawJson, SourceKey, Timestamp};
use serde_json::json;
use sqlx::FromRow;

use crate::{
    Day, Result, Tx, on,
    rows::{Cell, ColumnType, Rows},
    stay_rules,
};

/// The row of a source's room type.
pub async fn room_type(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<i64>> {
    let text = "select id from int_room_types where account_id = $1 and source_id = $2 and external_id = $3";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)
}

/// The channel's id of a room type, by its row.
pub async fn external_id(tx: &mut Tx, account: AccountId, room_type: i64) -> Result<Option<String>> {
    let text = "select external_id from int_room_types where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(room_type).fetch_optional(c).await)
}

/// Where nights of a source's room type are stored.
#[derive(Debug, FromRow)]
pub struct BufferedRoom {
    /// The room type's row.
    pub room_type: i64,
    unit_id: Option<i64>,
    plan_id: Option<i64>,
}

impl BufferedRoom {
    /// The unit that the room type is linked to.
    pub fn unit(&self) -> Option<CoreId> {
        self.unit_id.map(CoreId)
    }

    /// The core rate plan that the requested one is linked to.
    pub fn plan(&self) -> Option<CoreId> {
        self.plan_id.map(CoreId)
    }
}

/// Finds where nights of a room type, and of a rate plan if named, are stored; `None` if the source has not sent the
/// room type.
pub async fn place(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (external_id, rate_plan): (&str, Option<&str>),
) -> Result<Option<BufferedRoom>> {
    let text = "select r.id as room_type, u.gas_entity_id as unit_id, p.gas_entity_id as plan_id
        from int_room_types r
        left join int_mappings u on u.account_id = r.account_id and u.source_id = r.source_id
            and u.external_entity_type = 'room_type' and u.external_entity_id = r.external_id
        left join int_mappings p on p.account_id = r.account_id and p.source_id = r.source_id
            and p.external_entity_type = 'rate_plan' and p.external_entity_id = $4
        where r.account_id = $1 and r.source_id = $2 and r.external_id = $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).bind(rate_plan).fetch_optional(c).await)
}

/// The statement that upserts the given values: fields that are not given stay, and unchanged rows are not touched.
macro_rules! said_over {
    ($($column:literal = $said:literal),*) => {
        concat!(
            ", changed as (select * from new where not coalesce((select said_extra in ('{}', k.extra)",
            $(" and coalesce(k.", $column, " = (", $said, "), (", $said, ") is null)",)*
            " from int_availability k
                where k.account_id = $1 and k.int_room_type_id = $3 and k.rate_plan_external_id = $4 and k.date = new.night
            ), 1 = 0))
            insert into int_availability (account_id, source_id, int_room_type_id, rate_plan_external_id, date",
            $(", ", $column,)*
            ", extra, raw_data, observed_at, synced_at)
            select $1, $2, $3, $4, night",
            $(", ", $said,)*
            ", said_extra, case when night = (select min(night) from changed) then $5 else $8 end, $6, $7
            from changed where true
            on conflict (account_id, int_room_type_id, rate_plan_external_id, date) do update set ",
            $($column, " = coalesce(excluded.", $column, ", int_availability.", $column, "), ",)*
            "extra = case when excluded.extra = '{}' then int_availability.extra else excluded.extra end,
                raw_data = excluded.raw_data, observed_at = excluded.observed_at,
                synced_at = excluded.synced_at
            where int_availability.observed_at <= excluded.observed_at
            returning id"
        )
    };
}

/// Upserts nights, unless the stored ones are newer; fields that the channel omits stay. If a night occurs twice, the
/// later value counts. The raw record is stored with the first changed night. Returns whether anything changed.
pub async fn put(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (room_type, rate_plan): (i64, Option<&str>),
    nights: &[CalendarNight],
    (raw, observed_at, now): (&RawJson, Timestamp, Timestamp),
) -> Result<bool> {
    let text = said_over!(
        "available" = "is_available = 1",
        "units_available" = "units",
        "price" = "amount",
        "currency" = "said_currency",
        "min_stay" = "said_min_stay",
        "max_stay" = "said_max_stay",
        "closed_to_arrival" = "to_arrival = 1",
        "closed_to_departure" = "to_departure = 1",
        "min_stay_through" = "through",
        "exact_stay" = "exact",
        "min_advance_days" = "min_advance",
        "max_advance_days" = "max_advance"
    );
    let shared = [
        account.0.into(),
        source.0.into(),
        room_type.into(),
        rate_plan.unwrap_or_default().into(),
        Cell::json(Some(raw))?,
        observed_at.into(),
        now.into(),
        Cell::json(Some(&json!({})))?,
    ];
    let mut changed = false;
    let mut rest = nights;
    while !rest.is_empty() {
        // A statement may write a row only once.
        let mut named = HashSet::new();
        let (piece, after) = rest.split_at(rest.iter().take_while(|night| named.insert(night.date)).count());
        let written: Vec<(i64,)> = rows_of(piece)?.read(tx, &shared, text).await?;
        changed |= !written.is_empty();
        rest = after;
    }
    Ok(changed)
}

fn rows_of(nights: &[CalendarNight]) -> Result<Rows<'_, 14>> {
    let mut rows = Rows::new([
        ("night", ColumnType::Day),
        ("is_available", ColumnType::Int),
        ("units", ColumnType::Int),
        ("amount", ColumnType::Int),
        ("said_currency", ColumnType::Text),
        ("said_min_stay", ColumnType::Int),
        ("said_max_stay", ColumnType::Int),
        ("to_arrival", ColumnType::Int),
        ("to_departure", ColumnType::Int),
        ("through", ColumnType::Int),
        ("exact", ColumnType::Int),
        ("min_advance", ColumnType::Int),
        ("max_advance", ColumnType::Int),
        ("said_extra", ColumnType::Json),
    ]);
    for night in nights {
        let [min_stay, max_stay, to_arrival, to_departure, through, exact, min_advance, max_advance] =
            stay_rules::cells(&night.rules);
        rows.push([
            Day(night.date).into(),
            night.available.map(i64::from).into(),
            // An overbooked channel has no units for sale.
            night.units_available.map(|units| i64::from(units.max(0))).into(),
            night.price.map(|price| price.ten_thousandths()).into(),
            (&night.currency).into(),
            min_stay,
            max_stay,
            to_arrival,
            to_departure,
            through,
            exact,
            min_advance,
            max_advance,
            Cell::json(Some(&night.extra))?,
        ]);
    }
    Ok(rows)
}
