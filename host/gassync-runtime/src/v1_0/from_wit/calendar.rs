use gassync_domain::{Calendar, CalendarNight, Entity, MAX_STAY_NIGHTS, StayRules, Unreadable};

use super::{
    Converted, bad,
    reading::{Reading, problem},
    values::span,
    wit,
};
use crate::CallError;

/// Builds one calendar per room type and rate plan, with one entry per night and price. Rows without nights are
/// returned as unreadable; the other rows are kept.
pub(in crate::v1_0) fn calendars(
    reading: &mut Reading,
    rows: Vec<wit::CalendarNights>,
) -> Converted<(Vec<Calendar>, Vec<Unreadable>)> {
    let (mut calendars, mut unreadable): (Vec<Calendar>, Vec<Unreadable>) = (Vec::new(), Vec::new());
    for row in rows {
        let nights = match nights_of(reading, &row) {
            Ok(nights) => nights,
            Err(CallError::InvalidResult { path, problem: why }) => {
                let problem = problem(&path, &why);
                let (entity, id) = (Entity::Calendar, Some(row.room_type_id));
                unreadable.push(Unreadable { entity, id, problem, raw: None });
                continue;
            }
            Err(error) => return Err(error),
        };
        let same = |c: &&mut Calendar| c.room_type_id == row.room_type_id && c.rate_plan_id == row.rate_plan_id;
        match calendars.iter_mut().find(same) {
            Some(calendar) => calendar.nights.extend(nights),
            None => calendars.push(Calendar {
                property_id: row.property_id,
                room_type_id: row.room_type_id,
                rate_plan_id: row.rate_plan_id,
                nights,
            }),
        }
    }
    Ok((calendars, unreadable))
}

fn nights_of(reading: &mut Reading, row: &wit::CalendarNights) -> Converted<Vec<CalendarNight>> {
    let (start, until) = span("calendar.stay", row.stay)?;
    let days = start.until(until).map_or(0, |s| s.get_days());
    if !(1..=MAX_STAY_NIGHTS).contains(&days) {
        return bad("calendar.stay", format!("has {days} nights; allowed are 1 to {MAX_STAY_NIGHTS}"));
    }
    let extra = reading.extra("", row.extra.clone())?;
    let mut prices = Vec::with_capacity(row.prices.len().max(1));
    for price in &row.prices {
        prices.push((Some(price), reading.money("/nights/price", &price.amount)?));
    }
    if prices.is_empty() {
        prices.push((None, None));
    }
    let mut nights = Vec::new();
    let mut date = start;
    while date < until {
        for (price, amount) in &prices {
            nights.push(CalendarNight {
                available: row.available.or(row.units_available.map(|units| units > 0)),
                units_available: row.units_available,
                price: *amount,
                currency: price.and_then(|p| p.amount.currency.clone()),
                occupancy: price.and_then(|p| p.occupancy),
                tax_included: price.and_then(|p| p.tax_included),
                rules: stay_rules(&row.rules),
                extra: extra.clone(),
                ..CalendarNight::new(date)
            });
        }
        date = date.tomorrow().or_else(|e| bad("calendar.stay", e.to_string()))?;
    }
    Ok(nights)
}

fn stay_rules(rules: &wit::StayRules) -> StayRules {
    let wit::StayRules { min_stay_arrival, min_stay_through, max_stay, exact_stay, .. } = *rules;
    let wit::StayRules { closed_to_arrival, closed_to_departure, min_advance_days, max_advance_days, .. } = *rules;
    StayRules {
        // A channel without arrival rules means its stay-through rule there, too.
        min_stay: min_stay_arrival.or(min_stay_through),
        max_stay,
        closed_to_arrival,
        closed_to_departure,
        min_stay_through,
        exact_stay,
        min_advance_days,
        max_advance_days,
    }
}
