use gassync_domain::{Calendar, CalendarNight, MAX_STAY_NIGHTS};

use super::{
    Converted, bad,
    values::{extra, money, span},
    wit,
};

/// One calendar per room type and rate plan, one entry per night and price.
pub(in crate::v1_0) fn calendars(rows: Vec<wit::CalendarNights>) -> Converted<Vec<Calendar>> {
    let mut calendars: Vec<Calendar> = Vec::new();
    for row in rows {
        let nights = nights_of(&row)?;
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
    Ok(calendars)
}

fn nights_of(row: &wit::CalendarNights) -> Converted<Vec<CalendarNight>> {
    let (start, until) = span("calendar.stay", row.stay)?;
    let days = start.until(until).map_or(0, |s| s.get_days());
    if !(1..=MAX_STAY_NIGHTS).contains(&days) {
        return bad("calendar.stay", format!("has {days} nights; allowed are 1 to {MAX_STAY_NIGHTS}"));
    }
    let extra = extra(row.extra.clone())?;
    let prices: Vec<Option<&wit::Price>> =
        if row.prices.is_empty() { vec![None] } else { row.prices.iter().map(Some).collect() };
    let mut nights = Vec::new();
    let mut date = start;
    while date < until {
        for price in &prices {
            nights.push(CalendarNight {
                available: row.available.or(row.units_available.map(|units| units > 0)),
                units_available: row.units_available,
                price: price.map(|p| money("calendar.price", &p.amount)).transpose()?,
                currency: price.and_then(|p| p.amount.currency.clone()),
                occupancy: price.and_then(|p| p.occupancy),
                tax_included: price.and_then(|p| p.tax_included),
                min_stay: row.rules.min_stay_arrival.or(row.rules.min_stay_through),
                max_stay: row.rules.max_stay,
                closed_to_arrival: row.rules.closed_to_arrival,
                closed_to_departure: row.rules.closed_to_departure,
                min_stay_through: row.rules.min_stay_through,
                exact_stay: row.rules.exact_stay,
                min_advance_days: row.rules.min_advance_days,
                max_advance_days: row.rules.max_advance_days,
                extra: extra.clone(),
                ..CalendarNight::new(date)
            });
        }
        date = date.tomorrow().or_else(|e| bad("calendar.stay", e.to_string()))?;
    }
    Ok(nights)
}
