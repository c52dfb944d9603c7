//! What Airbnb asks before it books: free, kept for one who is about to book, free for one who moves a booking.

use gassync_plugin::{
    ChannelError, Decoded, HoldRequest, HttpRequest, Loose, News, Nights, Party, Question, StayQuery, change,
    malformed, parse_date,
};
use serde::Deserialize;

use crate::{TEST_LISTING, answer};

/// The check comes before the booking, which may never come.
const HOLD_MINUTES: u32 = 30;
/// Longer than any stay.
const MAX_NIGHTS: u32 = 1_100;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Check {
    confirmation_code: Loose,
    listing_id: Loose,
    listing_id_str: Loose,
    start_date: Loose,
    nights: Loose,
    number_of_guests: Loose,
    guest_details: Heads,
}

/// Who comes; infants are not among the guests that are counted.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Heads {
    pub number_of_adults: Loose,
    pub number_of_children: Loose,
    pub number_of_infants: Loose,
}

pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let check = if request.method == "GET" {
        from_query(&request.url)?
    } else {
        let body = request.body.as_deref().unwrap_or_default();
        serde_json::from_slice(body).map_err(|error| malformed("", error))?
    };
    let listing = check.listing_id_str.text().or_else(|| check.listing_id.text());
    let listing = listing.ok_or_else(|| malformed("/listing_id", "is missing"))?;
    if listing == TEST_LISTING {
        return Ok(Decoded { event_id: None, changes: Vec::new(), reply: Some(answer(request, true)) });
    }
    let mut stay = StayQuery {
        property_id: listing.clone(),
        room_type_id: Some(listing.clone()),
        rate_plan_id: None,
        stay: stay(&check)?,
        party: party(&check),
        replaces: None,
    };
    let question = match request.method.as_str() {
        "GET" => Question::Available(stay),
        "PUT" => {
            stay.replaces = Some(code_in(&request.url)?);
            Question::Available(stay)
        }
        _ => {
            let code = check.confirmation_code.text();
            let reference = code.ok_or_else(|| malformed("/confirmation_code", "is missing"))?;
            Question::Hold(HoldRequest { reference, query: stay, minutes: HOLD_MINUTES })
        }
    };
    // No event id: what was full a minute ago may be free when Airbnb asks again, and a hold is known by its reference.
    Ok(Decoded { event_id: None, changes: vec![change(Some(&listing), News::Ask(question))], reply: None })
}

fn from_query(url: &str) -> Result<Check, ChannelError> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameter = |name: &str| {
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
        Some(value.to_owned())
    };
    if parameter("action").as_deref() != Some("check_availability") {
        return Err(malformed("?action", "is not check_availability"));
    }
    let said = |name| parameter(name).map(Loose::from).unwrap_or_default();
    Ok(Check {
        listing_id: said("listing_id"),
        start_date: said("start_date"),
        nights: said("nights"),
        ..Check::default()
    })
}

/// The last step of the path.
fn code_in(url: &str) -> Result<String, ChannelError> {
    let path = url.split('?').next().unwrap_or_default();
    let code = path.rsplit('/').next().filter(|code| !code.is_empty() && *code != "checks");
    code.map(str::to_owned).ok_or_else(|| malformed("path", "has no confirmation code"))
}

fn stay(check: &Check) -> Result<Nights, ChannelError> {
    let start = check.start_date.as_str().and_then(parse_date);
    let start = start.ok_or_else(|| malformed("/start_date", "is not a date (YYYY-MM-DD)"))?;
    let nights = check.nights.count().filter(|nights| *nights <= MAX_NIGHTS);
    let nights = nights.ok_or_else(|| malformed("/nights", "is not a number of nights"))?;
    Ok(Nights { start, until: start.add_days(i64::from(nights)) })
}

/// Zero where nobody says: the contract has no other word for it.
fn party(check: &Check) -> Party {
    let heads = &check.guest_details;
    let adults = heads.number_of_adults.count().or_else(|| check.number_of_guests.count());
    Party {
        adults: adults.unwrap_or(0),
        children: heads.number_of_children.count().unwrap_or(0),
        infants: heads.number_of_infants.count().unwrap_or(0),
        pets: 0,
    }
}
