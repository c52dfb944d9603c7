//! Push settings of sources.

use gassync_domain::{Amount, BookingsPushed, Date, Direction, PriceAdjustment, PushSettings, Rounding, SourceKey};
use sqlx::FromRow;

use crate::{Day, MoneyTenThousandths, Result, Tx, on};

#[derive(FromRow)]
struct Row {
    sync_direction: String,
    #[sqlx(try_from = "String")]
    push_bookings: BookingsPushed,
    sync_bookings: bool,
    sync_availability: bool,
    sync_pricing: bool,
    price_adjustment_type: Option<String>,
    price_adjustment_value: Option<MoneyTenThousandths>,
    #[sqlx(try_from = "String")]
    price_rounding: Rounding,
    price_rounding_step: Option<MoneyTenThousandths>,
    price_currency: Option<String>,
    price_rate: Option<MoneyTenThousandths>,
    safety_stock: i64,
    horizon_days: i64,
    read_back: bool,
}

impl From<Row> for PushSettings {
    fn from(row: Row) -> Self {
        let value = |kind: &str| {
            row.price_adjustment_value.filter(|_| row.price_adjustment_type.as_deref() == Some(kind)).map(Amount::from)
        };
        let count = |n: i64| u32::try_from(n).unwrap_or_default();
        Self {
            enabled: row.sync_direction.parse::<Direction>().unwrap_or_default().is_outward(),
            bookings: if row.sync_bookings { row.push_bookings } else { BookingsPushed::None },
            availability: row.sync_availability,
            prices: row.sync_pricing,
            price_adjustment: PriceAdjustment {
                percent: value("percent"),
                amount: value("amount"),
                rounding: row.price_rounding,
                step: row.price_rounding_step.map(Amount::from),
            },
            currency: row.price_currency,
            rate: row.price_rate.map(Amount::from),
            safety_stock: count(row.safety_stock),
            horizon_days: count(row.horizon_days),
            read_back: row.read_back,
        }
    }
}

/// A source's push settings; `None` if there is no such source.
pub async fn get(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Option<PushSettings>> {
    let text = "select sync_direction, push_bookings, sync_bookings, sync_availability, sync_pricing,
            price_adjustment_type, price_adjustment_value, price_rounding, price_rounding_step, price_currency, price_rate,
            safety_stock, horizon_days, read_back
        from int_sources where account_id = $1 and id = $2";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_optional(c).await)?;
    Ok(row.map(PushSettings::from))
}

/// Stores a source's push settings.
pub async fn set(tx: &mut Tx, SourceKey { account, source }: SourceKey, pushing: &PushSettings) -> Result<()> {
    let text = "update int_sources set sync_direction = case when not $3 then 'inbound_only'
                when sync_direction = 'inbound_only' then 'bidirectional' else sync_direction end,
            push_bookings = $4, sync_bookings = $5, sync_availability = $6, sync_pricing = $7, price_adjustment_type = $8,
            price_adjustment_value = $9, price_rounding = $10, price_rounding_step = $11, price_currency = $12,
            price_rate = $13, safety_stock = $14, horizon_days = $15, read_back = $16
        where account_id = $1 and id = $2";
    let adjustment = &pushing.price_adjustment;
    let kind = adjustment.percent.map(|_| "percent").or(adjustment.amount.map(|_| "amount"));
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(pushing.enabled).bind(pushing.bookings.as_str())
        .bind(pushing.bookings != BookingsPushed::None).bind(pushing.availability).bind(pushing.prices).bind(kind)
        .bind(adjustment.percent.or(adjustment.amount).map(MoneyTenThousandths::from)).bind(adjustment.rounding.as_str())
        .bind(adjustment.step.map(MoneyTenThousandths::from)).bind(&pushing.currency).bind(pushing.rate.map(MoneyTenThousandths::from))
        .bind(i64::from(pushing.safety_stock)).bind(i64::from(pushing.horizon_days)).bind(pushing.read_back)
        .execute(c).await.map(drop))
}

/// Records the end of the computed calendar of a source.
pub async fn set_computed_until(tx: &mut Tx, SourceKey { account, source }: SourceKey, until: Date) -> Result<()> {
    let text = "update int_sources set computed_until = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(Day(until)).execute(c).await.map(drop))
}

/// End (exclusive) of a source's computed calendar; `None` before the first computation.
pub async fn computed_until(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Option<Date>> {
    let text = "select computed_until from int_sources where account_id = $1 and id = $2";
    let day: Option<Option<Day>> =
        on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_optional(c).await)?;
    Ok(day.flatten().map(|day| day.0))
}
