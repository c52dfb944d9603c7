//! Nights as observed at channels.

use gassync_domain::{AccountId, Amount, CalendarNight, Stay, StayRules, Timestamp};
use sqlx::FromRow;

use crate::{Day, MoneyTenThousandths, Result, Time, Tx, rows, stay_rules::StayRulesRow};

/// A night as observed at a channel.
#[derive(Debug, Clone)]
pub struct NightReading {
    /// The channel's id of the rate plan; empty where it has none.
    pub rate_plan_id: String,
    /// Observed values.
    pub night: CalendarNight,
    /// Time of the first reading that showed these values.
    pub observed_at: Timestamp,
}

/// Observed nights of a room type whose values were first seen at `since` or later.
pub async fn find(
    tx: &mut Tx,
    account: AccountId,
    room_type: i64,
    stays: &[Stay],
    since: Timestamp,
) -> Result<Vec<NightReading>> {
    #[derive(FromRow)]
    struct Row {
        observed_at: Time,
        rate_plan_external_id: String,
        date: Day,
        available: Option<bool>,
        units_available: Option<i64>,
        price: Option<MoneyTenThousandths>,
        currency: Option<String>,
        #[sqlx(flatten, try_from = "StayRulesRow")]
        rules: StayRules,
    }
    let text = "select rate_plan_external_id, date, available, units_available, price, currency, min_stay, max_stay,
            closed_to_arrival, closed_to_departure, min_stay_through, exact_stay, min_advance_days, max_advance_days,
            observed_at
        from new cross join int_availability
        where account_id = $1 and int_room_type_id = $2 and date >= new.first and date < new.past and observed_at >= $3";
    let shared = [account.0.into(), room_type.into(), since.into()];
    let rows: Vec<Row> = rows::of_stays(stays).read(tx, &shared, text).await?;
    let night = |row: Row| {
        let night = CalendarNight {
            available: row.available,
            units_available: row.units_available.and_then(|n| i32::try_from(n).ok()),
            price: row.price.map(Amount::from),
            currency: row.currency,
            rules: row.rules,
            ..CalendarNight::new(row.date.0)
        };
        NightReading { rate_plan_id: row.rate_plan_external_id, night, observed_at: row.observed_at.into() }
    };
    Ok(rows.into_iter().map(night).collect())
}
