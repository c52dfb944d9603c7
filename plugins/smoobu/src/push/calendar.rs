//! Pushes nights: prices and shortest stays directly, closed nights by blocked bookings.

use gassync_plugin::{
    Accepted, Attempt, CalendarNights, CalendarPart, ChannelError, FieldError, Lenient, Outcome, to_date_text,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{blocks, lookup, session::Session};
use crate::{pull::number_of, refusal, signature::Request};

#[derive(Serialize)]
struct Rates {
    apartments: [u64; 1],
    operations: [Rate; 1],
}

#[derive(Serialize)]
struct Rate {
    dates: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_price: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length_of_stay: Option<u32>,
}

pub(crate) fn push(updates: &[CalendarNights], attempt: Attempt) -> Result<Vec<Outcome>, ChannelError> {
    let mut session = Session::default();
    // The state is stored whether the call succeeds or fails.
    updates.iter().map(|update| session.item(attempt, |session| one(session, update, attempt))).collect()
}

fn one(session: &mut Session, update: &CalendarNights, attempt: Attempt) -> Result<Outcome, ChannelError> {
    let apartment = apartment(update)?;
    let available = update.changed.contains(CalendarPart::AVAILABILITY).then(|| is_available(update)).flatten();
    if attempt == Attempt::AfterUnknown && available == Some(false) {
        blocks::remember(apartment, &lookup::active(session, apartment, update.stay)?)?;
    }
    blocks::settle(session, apartment)?;
    let is_priced = write_rates(session, apartment, update)?;
    match available {
        Some(true) => blocks::open(session, apartment, update.stay)?,
        Some(false) => blocks::close(session, apartment, update.stay)?,
        None => {}
    }
    // The response does not show whether all prices were accepted, and nights that we open may also be closed by
    // another block.
    let warnings = std::mem::take(&mut session.warnings);
    let confirmed = !is_priced && available != Some(true) && warnings.is_empty();
    Ok(Outcome::Accepted(Accepted { channel_id: None, replaces: None, confirmed, warnings }))
}

fn apartment(update: &CalendarNights) -> Result<u64, ChannelError> {
    let room = &update.room_type_id;
    if update.stay.start >= update.stay.until {
        return Err(rejected("/operations/0/dates", "there is no night".to_owned()));
    }
    number_of(room).map_err(|_| rejected("/apartments/0", format!("{room} is not a number")))
}

/// An apartment is one unit: free, and not closed.
fn is_available(update: &CalendarNights) -> Option<bool> {
    let has_units = update.units_available.map(|units| units > 0);
    update.available.zip(has_units).map(|(open, units)| open && units).or(update.available).or(has_units)
}

/// Writes prices and rules with each night listed, since the end of a range is not documented as inclusive.
fn write_rates(session: &mut Session, apartment: u64, update: &CalendarNights) -> Result<bool, ChannelError> {
    if !update.changed.intersects(CalendarPart::PRICE | CalendarPart::RULES) {
        return Ok(false);
    }
    warn_of_rules(session, update);
    let rules = &update.rules;
    let rate = Rate {
        dates: update.stay.each_night().map(to_date_text).collect(),
        daily_price: price(session, update)?,
        // Zero lifts the rule; every apartment is let for one night at least.
        min_length_of_stay: rules.min_stay_arrival.max(rules.min_stay_through).map(|nights| nights.max(1)),
    };
    if rate.daily_price.is_none() && rate.min_length_of_stay.is_none() {
        return Ok(false);
    }
    let body = Rates { apartments: [apartment], operations: [rate] };
    let answer = session.ask(Request::post("/api/rates", &body)?)?;
    if (200..300).contains(&answer.status()) { Ok(true) } else { Err(refusal::of(&answer)) }
}

/// The apartment's price: the one for any number of guests, else the first.
fn price(session: &mut Session, update: &CalendarNights) -> Result<Option<Box<RawValue>>, ChannelError> {
    let price = update.prices.iter().find(|price| price.occupancy.is_none()).or(update.prices.first());
    let Some(price) = price else { return Ok(None) };
    if update.prices.len() > 1 {
        session.warnings.push("Smoobu has one price for a night, whatever the number of guests".to_owned());
    }
    let amount = &price.amount.amount;
    json_number(amount).map(Some).ok_or_else(|| rejected("/operations/0/daily_price", format!("{amount} is no price")))
}

/// An amount of at least zero as a JSON number with its digits.
pub(crate) fn json_number(amount: &str) -> Option<Box<RawValue>> {
    let decimal = Lenient::from(Some(amount)).decimal().filter(|decimal| !decimal.starts_with('-'))?;
    let number = RawValue::from_string(decimal).ok()?;
    number.get().starts_with(|first: char| first.is_ascii_digit()).then_some(number)
}

fn warn_of_rules(session: &mut Session, update: &CalendarNights) {
    let rules = &update.rules;
    let is_set = |nights: Option<u32>| nights.is_some_and(|nights| nights > 0);
    let lost = [
        ("longest stay", is_set(rules.max_stay)),
        ("exact stay", is_set(rules.exact_stay)),
        ("closing to arrival", rules.closed_to_arrival == Some(true)),
        ("closing to departure", rules.closed_to_departure == Some(true)),
        ("rule about how long before arrival", is_set(rules.min_advance_days) || rules.max_advance_days.is_some()),
    ];
    let lost: Vec<&str> = lost.into_iter().filter(|(_, is_lost)| *is_lost).map(|(rule, _)| rule).collect();
    if !lost.is_empty() {
        session.warnings.push(format!("Smoobu has a shortest stay and no {}", lost.join(", no ")));
    }
}

fn rejected(path: &str, problem: String) -> ChannelError {
    ChannelError::Rejected(vec![FieldError::new(path, problem)])
}
