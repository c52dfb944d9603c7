//! How the connection stands, and having Beds24 call us.

use gassync_plugin::{ChannelError, Loose, Report, Subscribed, malformed, read_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::{
    client,
    envelope::{self, Records},
    push::written::{self, Answered, Written},
    refusal,
    settings::Settings,
};

/// What the token must be allowed to do, and what is missing without it.
const NEEDED: [(&str, &str); 7] = [
    ("read:bookings", "bookings are not read"),
    ("read:bookings-personal", "bookings come without guests"),
    ("read:properties", "houses and rooms are not read"),
    ("read:inventory", "calendars are not read"),
    ("write:bookings", "bookings and blocks are not written"),
    ("write:inventory", "prices, rules and closed nights are not written"),
    ("write:properties", "webhooks have to be entered by hand"),
];
/// The same where invoices are to be read.
const NEEDED_FOR_INVOICES: (&str, &str) = ("read:bookings-financial", "invoices are not read");
/// Pages of houses that are gone through.
const MAX_PAGES: u32 = 10;
/// Calls to us carry the connection's token in this header, which is the one that the manifest's route asks for.
pub(crate) const HEADER: &str = "X-GasSync-Token";

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    valid_token: Loose,
    token: Option<Token>,
    diagnostics: Diagnostics,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Token {
    owner_id: Loose,
    scopes: Vec<Loose>,
    device_name: Loose,
    linked_properties: Loose,
    only_property_id: Loose,
    white_list_only: Loose,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Diagnostics {
    request_ip: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct House {
    id: Loose,
    name: Loose,
    webhooks: Option<Webhooks>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Webhooks {
    url: Loose,
}

#[derive(Serialize)]
struct HouseForm<'a> {
    id: u64,
    webhooks: WebhookForm<'a>,
}

/// Without additional data: with it card codes would come in the messages.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_data: Option<&'a str>,
    custom_header: &'a str,
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
        // An error may come inside a success; what is neither is no answer.
        let said: refusal::Said = read_json(raw.get(), "")?;
        let is_error = written::values(&raw).get("success").and_then(Loose::flag) == Some(false);
        let refused = is_error.then(|| refusal::of_body(&said, &answer));
        let invalid = || ChannelError::Unauthorized("the token is not valid".to_owned());
        let is_invalid = details.valid_token.flag() == Some(false);
        return Err(refused.or_else(|| is_invalid.then(invalid)).unwrap_or_else(|| malformed("/token", "is missing")));
    };
    if details.valid_token.flag() == Some(false) {
        return Err(ChannelError::Unauthorized("the token is not valid".to_owned()));
    }
    let scopes: Vec<String> = token.scopes.iter().filter_map(Loose::text).collect();
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

fn value(said: &Loose) -> Option<Value> {
    said.text().map(Value::from).or_else(|| said.flag().map(Value::from))
}

/// Whether one of the scopes covers what is needed: itself, all of its kind, or, without a word before it, its kind.
fn allows(scopes: &[String], needed: &str) -> bool {
    let (_, kind) = needed.split_once(':').unwrap_or(("", needed));
    scopes.iter().any(|scope| match scope.split_once(':') {
        Some(("all", all)) => all == kind,
        Some(_) => scope == needed,
        None => scope == kind,
    })
}

/// Every house is told by itself. Where we are called and what proves the call are placeholders, and stay so.
pub(crate) fn subscribe(endpoint: &str) -> Result<Subscribed, ChannelError> {
    let settings = Settings::read()?;
    let houses = houses(&settings)?;
    let header = format!("{HEADER}: {{{{webhook.token}}}}");
    let webhooks = || WebhookForm {
        version: Some("twoWithPersonalData"),
        url: endpoint,
        additional_data: Some("none"),
        custom_header: &header,
    };
    let ids: Vec<String> = houses.iter().filter_map(|house| house.id.unless_zero()).collect();
    let results = write(&settings, &ids, (webhooks, &["webhook.url", "webhook.token"]))?;
    let mut subscribed = Subscribed::to(Vec::new());
    for (id, written) in ids.into_iter().zip(results) {
        let house = houses.iter().find(|house| house.id.as_str() == Some(&id));
        let name = house.and_then(|house| house.name.as_str()).unwrap_or_default();
        if written.success == Some(true) {
            let had_one = house.and_then(|house| house.webhooks.as_ref()).is_some_and(|had| had.url.as_str().is_some());
            if had_one {
                subscribed.steps.push(format!(
                    "{name} ({id}) had a booking webhook, which ours has replaced. If it was another system's: in Beds24, \
                     Settings, Properties, Access, enter both addresses, one a line."
                ));
            }
            if written.applied.is_none() {
                subscribed
                    .steps
                    .push(format!("{name} ({id}): Beds24 does not repeat the booking webhook: look there."));
            }
            subscribed.ids.push(id);
        } else {
            let why = written.errors.first().map_or("Beds24 says nothing", |error| error.problem.as_str());
            subscribed.steps.push(format!(
                "{name} ({id}) has no booking webhook yet ({why}). In Beds24, Settings, Properties, Access: enter our \
                 address and header there, version 2 with personal data, additional data none."
            ));
        }
    }
    subscribed.steps.push(
        "In Beds24, Settings, Marketplace, Webhooks: enter our address and header as the inventory webhook, or prices and \
         availability are read once a day only. There is no call by which this could be done."
            .to_owned(),
    );
    Ok(subscribed)
}

/// Takes our address away again; what is no success is still subscribed, for all we know.
pub(crate) fn unsubscribe(subscriptions: &[String]) -> Result<Vec<String>, ChannelError> {
    let settings = Settings::read()?;
    let nothing = || WebhookForm { version: None, url: "", additional_data: None, custom_header: "" };
    let results = write(&settings, subscriptions, (nothing, &[]))?;
    let gone = subscriptions.iter().zip(results);
    let gone = gone.filter(|(_, written)| written.success == Some(true) && written.applied.is_some());
    Ok(gone.map(|(id, _)| id.clone()).collect())
}

/// All houses that the token sees.
fn houses(settings: &Settings) -> Result<Vec<House>, ChannelError> {
    let mut houses = Vec::new();
    for page in 1..=MAX_PAGES {
        let Records { items, another_page } =
            envelope::ask(settings, "/properties", &vec![("page", page.to_string())])?;
        for (index, item) in items.iter().enumerate() {
            houses.push(read_json(item.get(), format_args!("/data/{index}"))?);
        }
        if !another_page {
            break;
        }
    }
    Ok(houses)
}

/// One result for each house, in their order.
fn write<'a>(
    settings: &Settings,
    ids: &[String],
    (webhooks, secrets): (impl Fn() -> WebhookForm<'a>, &[&str]),
) -> Result<Vec<Written>, ChannelError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let number = |id: &String| id.parse().map_err(|_| malformed("id", format_args!("{id} is not a number")));
    let form = |id: &String| Ok(HouseForm { id: number(id)?, webhooks: webhooks() });
    let forms: Vec<HouseForm<'_>> = ids.iter().map(form).collect::<Result<_, ChannelError>>()?;
    let body = serde_json::to_vec(&forms).map_err(|error| ChannelError::Broken(error.to_string()))?;
    let request = client::post(settings, "/properties", body);
    match written::send(secrets.iter().fold(request, |request, name| request.body_secret(name)))? {
        Answered::Each(mut results) => {
            results.resize_with(ids.len(), Written::default);
            Ok(results)
        }
        Answered::Refused(errors) => Err(ChannelError::Rejected(errors)),
        Answered::Later(seconds) => Err(ChannelError::RateLimited(seconds)),
        Answered::Unclear => Err(ChannelError::Unavailable("whether it was taken is not known".to_owned())),
    }
}
