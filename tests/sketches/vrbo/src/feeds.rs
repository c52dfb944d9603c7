//! Feeds that Vrbo fetches for a unit: nights and prices. Ranges include both ends.

use std::collections::BTreeMap;

use gassync_plugin::{
    CalendarNights, ChannelError, Date, Nights, clock, core_data, settings, to_date_text,
    xml::{Element, element, leaf},
};

use crate::Settings;

/// The currencies allowed for rates.
const CURRENCIES: [&str; 6] = ["USD", "CAD", "EUR", "GBP", "AUD", "NZD"];
/// Maximum number of overrides and ranges per rate.
const MAX_OVERRIDES: usize = 2_000;

/// The nights of a unit in one rate plan: Vrbo has no more.
struct Calendar {
    span: Nights,
    nights: BTreeMap<Date, CalendarNights>,
}

impl Calendar {
    fn of(listing: &str, unit: &str, horizon_days: i64) -> Option<Self> {
        core_data::room_types(listing).iter().find(|room| room.id == unit)?;
        // It may still be yesterday at the property.
        let today = clock::today();
        let span = Nights { start: today.day_before(), until: today.add_days(horizon_days) };
        let rows = core_data::calendar(unit, span);
        let plan = rows.first().and_then(|row| row.rate_plan_id.clone());
        let mut nights = BTreeMap::new();
        for row in rows.into_iter().filter(|row| row.rate_plan_id == plan) {
            let inside = row.stay.each_night().filter(|night| (span.start..span.until).contains(night));
            nights.extend(inside.map(|night| (night, row.clone())));
        }
        Some(Self { span, nights })
    }

    fn letters(&self, letter: impl Fn(Option<&CalendarNights>) -> char) -> String {
        self.span.each_night().map(|night| letter(self.nights.get(&night))).collect()
    }

    fn list(&self, number: impl Fn(Option<&CalendarNights>) -> u32) -> String {
        let numbers: Vec<String> =
            self.span.each_night().map(|night| number(self.nights.get(&night)).to_string()).collect();
        numbers.join(",")
    }
}

/// Availability as lists of letters and numbers with one entry per day.
pub fn availability(listing: &str, unit: &str) -> Result<Option<Element>, ChannelError> {
    let Settings { horizon_days, longest_stay, .. } = settings()?;
    let Some(calendar) = Calendar::of(listing, unit, horizon_days) else { return Ok(None) };
    let rule = |night: Option<&CalendarNights>, rule: fn(&CalendarNights) -> Option<u32>, unsaid: u32| {
        night.and_then(rule).unwrap_or(unsaid)
    };
    let dates = [
        leaf("beginDate", to_date_text(calendar.span.start)),
        leaf("endDate", to_date_text(calendar.span.last_night())),
    ];
    let lists = [
        leaf("availability", calendar.letters(|night| if units(night) > 0 { 'Y' } else { 'N' })),
        leaf("availableUnitCount", calendar.list(units)),
        leaf("changeOver", calendar.letters(change_over)),
        leaf("maxStay", calendar.list(|night| rule(night, |night| night.rules.max_stay, longest_stay))),
        leaf("minPriorNotify", calendar.list(|night| rule(night, |night| night.rules.min_advance_days, 0))),
        leaf("minStay", calendar.list(|night| rule(night, min_stay, 1))),
        leaf("stayIncrement", calendar.letters(|_| 'D')),
    ];
    let nights = element("unitAvailability").with_children([
        // If omitted, all other days would be open.
        leaf("availabilityDefault", "N"),
        leaf("availableUnitCountDefault", 0),
        leaf("changeOverDefault", "C"),
        element("dateRange").with_children(dates),
        leaf("maxStayDefault", longest_stay),
        leaf("minPriorNotifyDefault", 0),
        leaf("minStayDefault", 1),
        leaf("stayIncrementDefault", "D"),
        element("unitAvailabilityConfiguration").with_children(lists),
    ]);
    Ok(Some(element("unitAvailabilityContent").with_children(ids(listing, unit)).with_children([nights])))
}

/// Number of units for sale. A night without a price is not for sale, since Vrbo would use the base price.
fn units(night: Option<&CalendarNights>) -> u32 {
    let Some(night) = night.filter(|night| !night.prices.is_empty()) else { return 0 };
    match (night.available, night.units_available) {
        (Some(false), _) => 0,
        (_, Some(units)) => u32::try_from(units).unwrap_or(0),
        (Some(true), None) => 1,
        (None, None) => 0,
    }
}

fn min_stay(night: &CalendarNights) -> Option<u32> {
    night.rules.min_stay_arrival.max(night.rules.min_stay_through)
}

fn change_over(night: Option<&CalendarNights>) -> char {
    let closed = |closed: Option<bool>| closed == Some(true);
    let rules = night.map(|night| (closed(night.rules.closed_to_arrival), closed(night.rules.closed_to_departure)));
    match rules {
        Some((true, true)) => 'X',
        Some((true, false)) => 'O',
        Some((false, true)) => 'I',
        Some((false, false)) | None => 'C',
    }
}

/// Prices of nights without fees and taxes: the most common price for every weekday, all others as overrides.
pub fn rates(listing: &str, unit: &str) -> Result<Option<Element>, ChannelError> {
    let Settings { horizon_days, language, .. } = settings()?;
    let Some(calendar) = Calendar::of(listing, unit, horizon_days) else { return Ok(None) };
    let mut days_of: BTreeMap<String, Vec<Date>> = BTreeMap::new();
    let mut currency: Option<String> = None;
    for (day, night) in &calendar.nights {
        // The price for any occupancy, if there is one.
        let Some(price) = night.prices.iter().min_by_key(|price| price.occupancy) else { continue };
        if price.tax_included == Some(true) {
            return Err(ChannelError::Conflict("Vrbo's rates are without tax, and these have it in them".to_owned()));
        }
        days_of.entry(price.amount.amount.clone()).or_default().push(*day);
        let of_night = price.amount.currency.clone();
        if currency.is_some() && currency != of_night {
            return Err(ChannelError::Conflict("a unit's rates must be in one currency".to_owned()));
        }
        currency = of_night;
    }
    // Without prices there is no currency, and nothing to send.
    let Some(base) = days_of.iter().max_by_key(|(_, days)| days.len()).map(|(amount, _)| amount.clone()) else {
        return Ok(None);
    };
    let Some(currency) = currency.filter(|currency| CURRENCIES.contains(&currency.as_str())) else {
        return Err(ChannelError::Conflict(format!("the rates must be in one of {}", CURRENCIES.join(", "))));
    };
    days_of.remove(&base);
    let mut written = 0;
    let overrides = days_of.into_iter().map(|(amount, days)| {
        let ranges: Vec<Element> = days.chunk_by(|a, b| a.next_day() == *b).filter_map(range).collect();
        written += 1 + ranges.len();
        element("override").with_children([leaf("amount", amount), element("nights").with_children(ranges)])
    });
    let overrides = element("nightlyOverrides").with_children(overrides);
    if written > MAX_OVERRIDES {
        return Err(ChannelError::Conflict(format!("{written} overrides and ranges; Vrbo takes {MAX_OVERRIDES}")));
    }
    let weekday = |name: &str| leaf(name, &base);
    let nightly = element("nightlyRates").with_children([
        weekday("fri"),
        weekday("mon"),
        overrides,
        weekday("sat"),
        weekday("sun"),
        weekday("thu"),
        weekday("tue"),
        weekday("wed"),
    ]);
    let payment = element("payment").with_children([leaf("dueType", "AT_BOOKING"), element("requiresRemainder")]);
    let schedule = element("paymentSchedule")
        .with_children([leaf("externalId", "all-at-booking"), element("payments").with_children([payment])]);
    let rate = element("lodgingRate").with_children([
        leaf("currency", currency),
        leaf("externalId", format!("rate-{unit}")),
        leaf("language", language),
        nightly,
        schedule,
    ]);
    Ok(Some(element("lodgingRateContent").with_children(ids(listing, unit)).with_children([rate])))
}

/// A range; the schema requires the end before the start.
fn range(days: &[Date]) -> Option<Element> {
    let day = |name: &str, day: Date| leaf(name, to_date_text(day));
    Some(element("range").with_children([day("max", *days.last()?), day("min", *days.first()?)]))
}

fn ids(listing: &str, unit: &str) -> [Element; 2] {
    [leaf("listingExternalId", listing), leaf("unitExternalId", unit)]
}
