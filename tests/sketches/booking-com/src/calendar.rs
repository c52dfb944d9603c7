//! Writes nights as two messages: availability with rules, and rates.

use gassync_plugin::{
    CalendarNights, CalendarPart, ChannelError, Decimal, Money, clock, to_date_text,
    xml::{Element, element},
};

use crate::message;

/// Availability and rules; `None` if no row changes them.
pub fn availability(rows: &[&CalendarNights]) -> Result<Option<Element>, ChannelError> {
    let mut messages = Vec::new();
    for row in rows {
        if row.changed.contains(CalendarPart::AVAILABILITY)
            && let Some(limit) = booking_limit(row)
        {
            // The number of rooms belongs to the room, whatever the rate plan.
            messages
                .push(element("AvailStatusMessage").with("BookingLimit", limit).with_children([control(row, None)]));
        }
        let Some(plan) = row.rate_plan_id.as_deref() else { continue };
        let about = |part: Element| element("AvailStatusMessage").with_children([control(row, Some(plan)), part]);
        if row.changed.contains(CalendarPart::AVAILABILITY)
            && let Some(open) = row.available
        {
            messages.push(about(status(open, None)));
        }
        if row.changed.contains(CalendarPart::RULES) {
            let lengths: Vec<Element> = lengths(row).collect();
            messages.extend((!lengths.is_empty()).then(|| about(element("LengthsOfStay").with_children(lengths))));
            let rules = &row.rules;
            for (closed, way) in [(rules.closed_to_arrival, "Arrival"), (rules.closed_to_departure, "Departure")] {
                messages.extend(closed.map(|closed| about(status(!closed, Some(way)))));
            }
        }
    }
    if messages.is_empty() {
        return Ok(None);
    }
    let messages = element("AvailStatusMessages").with_children(numbered(messages));
    Ok(Some(message("OTA_HotelAvailNotifRQ", "1.005", clock::now())?.with_children([messages])))
}

/// Rates of one property; `None` if no row changes them.
pub fn rates(property: &str, rows: &[&CalendarNights]) -> Result<Option<Element>, ChannelError> {
    let priced = rows.iter().filter(|row| row.changed.contains(CalendarPart::PRICE) && !row.prices.is_empty());
    let messages: Vec<Element> = priced.filter_map(|row| rate(row)).collect();
    if messages.is_empty() {
        return Ok(None);
    }
    let messages = element("RateAmountMessages").with("HotelCode", property).with_children(numbered(messages));
    Ok(Some(message("OTA_HotelRateAmountNotifRQ", "3.000", clock::now())?.with_children([messages])))
}

/// Why a row cannot be sent, if so.
pub fn problem(row: &CalendarNights) -> Option<&'static str> {
    if row.property_id.is_none() {
        return Some("a row must say its property");
    }
    if row.changed.contains(CalendarPart::PRICE) && row.rate_plan_id.is_none() && !row.prices.is_empty() {
        return Some("a price must say its rate plan");
    }
    let wrong = |money: &Money| money.currency.is_none() || Decimal::parse(&money.amount).is_none();
    row.prices.iter().any(|price| wrong(&price.amount)).then_some("a price must be a decimal and say its currency")
}

fn numbered(messages: Vec<Element>) -> impl Iterator<Item = Element> {
    messages.into_iter().enumerate().map(|(index, message)| message.with("LocatorID", index + 1))
}

/// The first and the last night, both inclusive.
fn control(row: &CalendarNights, plan: Option<&str>) -> Element {
    element("StatusApplicationControl")
        .with("Start", to_date_text(row.stay.start))
        .with("End", to_date_text(row.stay.last_night()))
        .with("InvTypeCode", &row.room_type_id)
        .with_some("RatePlanCode", plan)
}

fn booking_limit(row: &CalendarNights) -> Option<i32> {
    match (row.available, row.units_available) {
        // Without a rate plan only the room itself can be closed.
        (Some(false), _) if row.rate_plan_id.is_none() => Some(0),
        (_, Some(units)) => Some(units.max(0)),
        _ => None,
    }
}

fn status(open: bool, restriction: Option<&str>) -> Element {
    let status = element("RestrictionStatus").with_some("Restriction", restriction);
    status.with("Status", if open { "Open" } else { "Close" })
}

fn lengths(row: &CalendarNights) -> impl Iterator<Item = Element> {
    let rules = &row.rules;
    let least = rules.min_stay_arrival.max(rules.min_stay_through);
    [(least, "SetMinLOS"), (rules.max_stay, "SetMaxLOS")].into_iter().filter_map(|(nights, kind)| {
        Some(element("LengthOfStay").with("Time", nights?).with("MinMaxMessageType", kind))
    })
}

fn rate(row: &CalendarNights) -> Option<Element> {
    let amounts = row.prices.iter().map(|price| {
        let decimal = Decimal::parse(&price.amount.amount)?;
        let tax = if price.tax_included == Some(false) { "AmountBeforeTax" } else { "AmountAfterTax" };
        let amount = element("BaseByGuestAmt").with_some("NumberOfGuests", price.occupancy).with(tax, decimal.units());
        Some(amount.with("DecimalPlaces", decimal.places()).with_some("CurrencyCode", price.amount.currency.as_deref()))
    });
    let amounts: Vec<Element> = amounts.collect::<Option<_>>()?;
    let rates = element("Rates")
        .with_children([element("Rate").with_children([element("BaseByGuestAmts").with_children(amounts)])]);
    Some(element("RateAmountMessage").with_children([control(row, row.rate_plan_id.as_deref()), rates]))
}
