//! Pushes nights to Airbnb: one request per listing, in which later operations override earlier ones.

use std::collections::BTreeMap;

use gassync_plugin::{
    CalendarNights, ChannelError, FieldError, Nights, Outcome, accepted, http, settings, to_date_text,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};

/// Airbnb accepts no lower price.
const MIN_PRICE: u64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    base_url: String,
}

#[derive(Serialize)]
struct Request<'a> {
    listing_id: &'a str,
    operations: Vec<Operation>,
}

/// Unknown values are left out; Airbnb keeps its own.
#[derive(Serialize)]
struct Operation {
    dates: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    availability: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    daily_price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_nights: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_nights: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_arrival: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_to_departure: Option<bool>,
}

/// The operations for a listing, and the updates that they came from.
#[derive(Default)]
struct Batch {
    operations: Vec<Operation>,
    updates: Vec<usize>,
}

pub(crate) fn push(updates: &[CalendarNights]) -> Result<Vec<Outcome>, ChannelError> {
    let mut outcomes = vec![Outcome::Unknown; updates.len()];
    let mut warnings = vec![Vec::new(); updates.len()];
    let mut listings: BTreeMap<&str, Batch> = BTreeMap::new();
    for (index, update) in updates.iter().enumerate() {
        match operation(update, &mut warnings[index]) {
            Ok(operation) => {
                let batch = listings.entry(&update.room_type_id).or_default();
                batch.operations.push(operation);
                batch.updates.push(index);
            }
            Err(problem) => outcomes[index] = refused("/operations/0/daily_price", problem),
        }
    }
    for (listing_id, Batch { operations, updates }) in listings {
        let said = send(&Request { listing_id, operations })?;
        for index in updates {
            outcomes[index] = said.clone();
            if let Outcome::Accepted(accepted) = &mut outcomes[index] {
                accepted.warnings = std::mem::take(&mut warnings[index]);
            }
        }
    }
    Ok(outcomes)
}

fn operation(update: &CalendarNights, warnings: &mut Vec<String>) -> Result<Operation, String> {
    let available = update.available.or_else(|| update.units_available.map(|units| units > 0));
    let price = update.prices.iter().find(|price| price.occupancy.is_none()).or_else(|| update.prices.first());
    let daily_price = match price.map(|price| price.amount.amount.as_str()) {
        Some(amount) => Some(whole_units(amount, warnings)?),
        None => None,
    };
    let rules = &update.rules;
    if rules.min_stay_arrival.is_none() && rules.min_stay_through.is_some() {
        warnings.push("Airbnb has a shortest stay for arrivals only".to_owned());
    }
    Ok(Operation {
        dates: [dates(update.stay)],
        // `available` would override every rule of the listing; `default` opens the night and follows the rules.
        availability: available.map(|available| if available { "default" } else { "unavailable" }),
        daily_price,
        min_nights: rules.min_stay_arrival,
        max_nights: rules.max_stay,
        closed_to_arrival: rules.closed_to_arrival,
        closed_to_departure: rules.closed_to_departure,
    })
}

/// Airbnb's ranges include their end, so it is the last night, not the departure date.
fn dates(stay: Nights) -> String {
    let (first, last) = (to_date_text(stay.start), to_date_text(stay.last_night()));
    if first == last { first } else { format!("{first}:{last}") }
}

fn whole_units(amount: &str, warnings: &mut Vec<String>) -> Result<u64, String> {
    let (units, parts) = amount.split_once('.').unwrap_or((amount, ""));
    let whole: u64 = units.parse().map_err(|_| format!("{amount} is no price"))?;
    let rounded = if parts.as_bytes().first().is_some_and(|digit| *digit >= b'5') { whole + 1 } else { whole };
    if parts.bytes().any(|digit| digit != b'0') {
        warnings.push(format!("Airbnb takes whole units: {amount} was sent as {rounded}"));
    }
    if rounded < MIN_PRICE { Err(format!("{amount} is less than {MIN_PRICE}")) } else { Ok(rounded) }
}

/// A timeout means "retry later": the push can be repeated.
fn send(request: &Request<'_>) -> Result<Outcome, ChannelError> {
    let Settings { base_url } = settings()?;
    let url = format!("{}/calendar_operations?_allow_dates_overlap=true", base_url.trim_end_matches('/'));
    let body = serde_json::to_vec(request).map_err(|error| ChannelError::Broken(error.to_string()))?;
    let asked = http::Request::post_json(url, body)
        .header("X-Airbnb-API-Key", "{{airbnb-client.username}}")
        .header("X-Airbnb-OAuth-Token", "{{airbnb.token}}")
        .secret("airbnb-client.username")
        .secret("airbnb.token")
        .send();
    let answer = match asked {
        Ok(answer) => answer,
        Err(ChannelError::RateLimited(seconds)) => return Ok(Outcome::Retry(seconds)),
        Err(ChannelError::Unavailable(_)) => return Ok(Outcome::Retry(None)),
        Err(other) => return Err(other),
    };
    match answer.status() {
        200..=299 if answer.body().is_empty() || is_json(answer.body()) => Ok(accepted(None)),
        // An HTML page: something in front of Airbnb responded, so nothing was accepted.
        200..=299 => Ok(Outcome::Retry(None)),
        401 | 403 => Err(ChannelError::Unauthorized("the host's token is refused".to_owned())),
        429 => Ok(Outcome::Retry(answer.retry_after())),
        500.. => Ok(Outcome::Retry(None)),
        // The body of a refusal is not documented.
        status => Ok(refused("", format!("status {status}"))),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn refused(path: &str, problem: String) -> Outcome {
    Outcome::Refused(vec![FieldError::new(path, problem)])
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, parse_date, testing::FakeHost};

    use super::*;

    fn said(status: u16, headers: Vec<Header>, body: &str) -> Outcome {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"baseUrl":"https://api.airbnb.example/v2"}"#);
        FakeHost::answer_with(Ok(HttpResponse { status, headers, body: body.as_bytes().to_vec() }));
        let start = parse_date("2027-10-08").expect("a date");
        push(&[CalendarNights::new("5100220044", Nights::through(start, start))]).expect("pushed").remove(0)
    }

    #[test]
    fn a_web_page_has_taken_nothing() {
        assert!(matches!(said(200, Vec::new(), "<html>Back soon.</html>"), Outcome::Retry(None)));
        for taken in ["", "{}", r#"{"calendar_operations":[]}"#] {
            assert!(matches!(said(200, Vec::new(), taken), Outcome::Accepted(_)), "{taken}");
        }
    }

    #[test]
    fn a_refusal_for_now_says_how_long() {
        let wait = Header { name: "Retry-After".to_owned(), value: "120".to_owned() };
        assert!(matches!(said(429, vec![wait], ""), Outcome::Retry(Some(120))));
        assert!(matches!(said(503, Vec::new(), ""), Outcome::Retry(None)));
    }
}
