//! The availability check before a quote, in JSON, for several units at once.

use gassync_plugin::{
    Change, ChangeKind, ChangeResult, ChannelError, HttpResponse, Nights, Occupancy, Question, StayQuery, change,
    malformed, parse_date, reply_with,
};
use serde::{Deserialize, Serialize};

use crate::refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    listing_external_id: String,
    date_range: DateRange,
    adults: u32,
    #[serde(default)]
    children: u32,
    #[serde(default)]
    pets: u32,
    units: Vec<Unit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DateRange {
    arrival_date: String,
    departure_date: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unit {
    unit_external_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    unit_external_id: &'a str,
    available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
}

/// One question per unit, in order.
pub fn questions(asked: &Request) -> Result<Vec<Change>, ChannelError> {
    let DateRange { arrival_date, departure_date } = &asked.date_range;
    let day = |path: &str, text: &str| {
        parse_date(text)
            .ok_or_else(|| malformed(format_args!("/dateRange/{path}"), format_args!("is {text}, and no date")))
    };
    let stay = Nights { start: day("arrivalDate", arrival_date)?, until: day("departureDate", departure_date)? };
    let occupancy = Occupancy { adults: asked.adults, children: asked.children, infants: 0, pets: asked.pets };
    let question = |unit: &Unit| {
        let query = StayQuery {
            room_type_id: Some(unit.unit_external_id.clone()),
            occupancy: Some(occupancy),
            ..StayQuery::new(Some(asked.listing_external_id.clone()), stay)
        };
        change(Some(&asked.listing_external_id), ChangeKind::Ask(Question::Available(query)))
    };
    Ok(asked.units.iter().map(question).collect())
}

/// The result of each unit.
pub fn answer(asked: &Request, results: &[ChangeResult]) -> Result<HttpResponse, ChannelError> {
    let units = asked.units.iter().zip(results).map(|(unit, result)| {
        let available = matches!(result, ChangeResult::Available);
        let error_code = refusal::reasons(Some(result)).first().filter(|_| !available).map(|r| refusal::word(r.reason));
        Answered { unit_external_id: &unit.unit_external_id, available, error_code }
    });
    let units: Vec<Answered<'_>> = units.collect();
    let body = serde_json::to_vec(&serde_json::json!({ "units": units }));
    Ok(reply_with(200, "application/json", body.map_err(|error| ChannelError::Broken(error.to_string()))?))
}
