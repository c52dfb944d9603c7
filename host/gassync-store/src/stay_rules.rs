//! Rules of stay in the columns of a row.

use gassync_domain::StayRules;
use sqlx::FromRow;

use crate::rows::Cell;

/// The columns of a night's rules: `#[sqlx(flatten, try_from = "StayRulesRow")]`.
#[derive(Debug, FromRow)]
pub struct StayRulesRow {
    min_stay: Option<i64>,
    max_stay: Option<i64>,
    closed_to_arrival: Option<bool>,
    closed_to_departure: Option<bool>,
    min_stay_through: Option<i64>,
    exact_stay: Option<i64>,
    min_advance_days: Option<i64>,
    max_advance_days: Option<i64>,
}

impl From<StayRulesRow> for StayRules {
    fn from(row: StayRulesRow) -> Self {
        let count = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
        Self {
            min_stay: count(row.min_stay),
            max_stay: count(row.max_stay),
            closed_to_arrival: row.closed_to_arrival,
            closed_to_departure: row.closed_to_departure,
            min_stay_through: count(row.min_stay_through),
            exact_stay: count(row.exact_stay),
            min_advance_days: count(row.min_advance_days),
            max_advance_days: count(row.max_advance_days),
        }
    }
}

/// The rules as values to write, in the order of their fields; a flag is 0 or 1.
pub fn cells<'a>(rules: &StayRules) -> [Cell<'a>; 8] {
    let count = |count: Option<u32>| Cell::from(count.map(i64::from));
    let flag = |flag: Option<bool>| Cell::from(flag.map(i64::from));
    [
        count(rules.min_stay),
        count(rules.max_stay),
        flag(rules.closed_to_arrival),
        flag(rules.closed_to_departure),
        count(rules.min_stay_through),
        count(rules.exact_stay),
        count(rules.min_advance_days),
        count(rules.max_advance_days),
    ]
}
