//! Airbnb's checks before a booking: availability, a hold for a pending booking, and availability for a changed
//! booking.

use gassync_plugin::{
    ChangeKind, ChannelError, Decoded, HoldRequest, HttpRequest, Lenient, Nights, Occupancy, Question, StayQuery,
    change, malformed, read_json,
};
use serde::Deserialize;

use crate::{TEST_LISTING, answer};

/// The check precedes a booking that may never come.
const HOLD_MINUTES: u32 = 30;
/// Longer than any stay.
const MAX_NIGHTS: u32 = 1_100;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Check {
    confirmation_code: Lenient,
    listing_id: Lenient,
    listing_id_str: Lenient,
    start_date: Lenient,
    nights: Lenient,
    number_of_guests: Lenient,
    guest_details: Heads,
}

/// The party; infants do not count as guests.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Heads {
    pub number_of_adults: Lenient,
    pub number_of_children: Lenient,
    pub number_of_infants: Lenient,
}

pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let check = if request.method == "GET" { from_query(&request.url)? } else { read_json(request.bytes(), "")? };
    let listing = check.listing_id_str.text().or_else(|| check.listing_id.text());
    if listing.as_deref() == Some(TEST_LISTING) {
        return Ok(Decoded { event_id: None, changes: Vec::new(), reply: Some(answer(request, true)) });
    }
    let mut stay = StayQuery {
        room_type_id: listing.clone(),
        occupancy: occupancy(&check),
        ..StayQuery::new(listing.clone(), stay(&check)?)
    };
    let question = match (request.method.as_str(), &listing) {
        // A changed booking is identified by its code, so the listing may be missing.
        ("PUT", _) => {
            stay.replaces = Some(code_in(request.path())?);
            Question::Available(stay)
        }
        (_, None) => return Err(malformed("/listing_id", "is missing")),
        ("GET", _) => Question::Available(stay),
        _ => {
            let code = check.confirmation_code.text();
            let reference = code.ok_or_else(|| malformed("/confirmation_code", "is missing"))?;
            Question::Hold(HoldRequest { reference, query: stay, minutes: HOLD_MINUTES })
        }
    };
    // No event id: availability may change before Airbnb asks again, and a hold is identified by its reference.
    Ok(Decoded { event_id: None, changes: vec![change(listing.as_deref(), ChangeKind::Ask(question))], reply: None })
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
    let said = |name| parameter(name).map(Lenient::from).unwrap_or_default();
    Ok(Check {
        listing_id: said("listing_id"),
        start_date: said("start_date"),
        nights: said("nights"),
        ..Check::default()
    })
}

/// The last segment of the path.
fn code_in(path: &str) -> Result<String, ChannelError> {
    let code = path.rsplit('/').next().filter(|code| !code.is_empty() && *code != "checks");
    code.map(str::to_owned).ok_or_else(|| malformed("path", "has no confirmation code"))
}

fn stay(check: &Check) -> Result<Nights, ChannelError> {
    let start = check.start_date.date("/start_date")?.ok_or_else(|| malformed("/start_date", "is missing"))?;
    let nights = check.nights.count().filter(|nights| *nights <= MAX_NIGHTS);
    let nights = nights.ok_or_else(|| malformed("/nights", "is not a number of nights"))?;
    Ok(Nights { start, until: start.add_days(i64::from(nights)) })
}

/// The occupancy; `None` if it is not given, as when a traveller only searches. A plain number of guests counts as
/// adults; missing numbers beside others count as zero.
fn occupancy(check: &Check) -> Option<Occupancy> {
    let heads = &check.guest_details;
    let adults = heads.number_of_adults.count().or_else(|| check.number_of_guests.count())?;
    let children = heads.number_of_children.count().unwrap_or(0);
    let infants = heads.number_of_infants.count().unwrap_or(0);
    Some(Occupancy { adults, children, infants, pets: 0 })
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::{get, post};

    use super::*;

    fn asked(request: &HttpRequest) -> Result<StayQuery, ChannelError> {
        match decode(request)?.changes.remove(0).data {
            ChangeKind::Ask(Question::Available(query) | Question::Hold(HoldRequest { query, .. })) => Ok(query),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn who_is_not_named_is_unknown_and_not_nobody() {
        let look = "/checks?action=check_availability&listing_id=51&start_date=2027-12-30&nights=3";
        assert_eq!(asked(&get(look)).expect("a question").occupancy, None);
        let stay = r#""confirmation_code":"HM1","listing_id":51,"start_date":"2027-12-30","nights":3"#;
        let occupancy =
            |guests: &str| asked(&post("/checks", format!("{{{stay}{guests}}}"))).expect("a question").occupancy;
        assert_eq!(occupancy(""), None);
        let heads = Occupancy { adults: 4, children: 0, infants: 0, pets: 0 };
        assert_eq!(occupancy(r#","number_of_guests":4"#), Some(heads));
        let family = r#","number_of_guests":4,"guest_details":{"number_of_adults":3,"number_of_children":1}"#;
        assert_eq!(occupancy(family), Some(Occupancy { adults: 3, children: 1, ..heads }));
    }

    #[test]
    fn a_booking_that_is_moved_says_where_it_is() {
        let stay = r#"{"start_date":"2027-12-30","nights":3}"#;
        let moved = HttpRequest { method: "PUT".to_owned(), ..post("/checks/HM1?x=1", stay) };
        let query = asked(&moved).expect("a question");
        assert_eq!((query.replaces.as_deref(), query.property_id, query.room_type_id), (Some("HM1"), None, None));
        for wrong in [post("/checks", stay), HttpRequest { method: "PUT".to_owned(), ..post("/checks", stay) }] {
            assert!(matches!(asked(&wrong), Err(ChannelError::Malformed(_))), "{}", wrong.method);
        }
    }
}
