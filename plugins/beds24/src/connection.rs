//! Connection test.

use gassync_plugin::{ChannelError, Lenient, Report, malformed, read_json};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{client, push::write_results, refusal, settings::Settings};

/// Required scopes of the token, and what fails without each.
const NEEDED: [(&str, &str); 7] = [
    ("read:bookings", "bookings are not read"),
    ("read:bookings-personal", "bookings come without guests"),
    ("read:properties", "houses and rooms are not read"),
    ("read:inventory", "calendars are not read"),
    ("write:bookings", "bookings and blocks are not written"),
    ("write:inventory", "prices, rules and closed nights are not written"),
    ("write:properties", "webhooks have to be entered by hand"),
];
/// Additional scope required to read invoices.
const NEEDED_FOR_INVOICES: (&str, &str) = ("read:bookings-financial", "invoices are not read");

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    valid_token: Lenient,
    token: Option<Token>,
    diagnostics: Diagnostics,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Token {
    owner_id: Lenient,
    scopes: Vec<Lenient>,
    device_name: Lenient,
    linked_properties: Lenient,
    only_property_id: Lenient,
    white_list_only: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Diagnostics {
    request_ip: Lenient,
}

pub(crate) fn check() -> Result<Report, ChannelError> {
    let settings = Settings::read()?;
    let answer = client::get(&settings, "/authentication/details", &Vec::new())?;
    if answer.status() != 200 {
        return Err(refusal::of_status(&answer));
    }
    let raw: Box<RawValue> = read_json(answer.body(), "")?;
    let details: Details = read_json(raw.get(), "")?;
    let Some(token) = details.token else {
        // A success may contain an error. A body that is neither a result nor an error is malformed.
        let said: refusal::ErrorBody = read_json(raw.get(), "")?;
        let is_error = write_results::values(&raw).get("success").and_then(Lenient::flag) == Some(false);
        let refused = is_error.then(|| refusal::of_body(&said, &answer));
        let invalid = || ChannelError::Unauthorized("the token is not valid".to_owned());
        let is_invalid = details.valid_token.flag() == Some(false);
        return Err(refused.or_else(|| is_invalid.then(invalid)).unwrap_or_else(|| malformed("/token", "is missing")));
    };
    if details.valid_token.flag() == Some(false) {
        return Err(ChannelError::Unauthorized("the token is not valid".to_owned()));
    }
    let scopes: Vec<String> = token.scopes.iter().filter_map(Lenient::text).collect();
    let for_invoices = settings.invoice_lines.then_some(NEEDED_FOR_INVOICES);
    let needed = NEEDED.into_iter().chain(for_invoices).filter(|(scope, _)| !allows(&scopes, scope));
    let extra = [
        ("deviceName", &token.device_name),
        ("linkedProperties", &token.linked_properties),
        ("onlyPropertyId", &token.only_property_id),
        ("whiteListOnly", &token.white_list_only),
        ("requestIp", &details.diagnostics.request_ip),
    ];
    Ok(Report {
        account: token.owner_id.text(),
        missing: needed.map(|(scope, without)| format!("{scope}: without it {without}")).collect(),
        scopes,
        extra: extra.iter().filter_map(|(name, said)| Some(((*name).to_owned(), value(said)?.to_string()))).collect(),
    })
}

fn value(said: &Lenient) -> Option<Value> {
    said.text().map(Value::from).or_else(|| said.flag().map(Value::from))
}

/// True if one of the scopes covers the required one: the same, all of its kind, or its kind without a prefix.
fn allows(scopes: &[String], needed: &str) -> bool {
    let (_, kind) = needed.split_once(':').unwrap_or(("", needed));
    scopes.iter().any(|scope| match scope.split_once(':') {
        Some(("all", all)) => all == kind,
        Some(_) => scope == needed,
        None => scope == kind,
    })
}
