//! Webhook subscriptions, which must leave other systems' webhooks intact.
//!
//! A property has one booking webhook with one version, several URLs (one per line) and several headers, which are sent
//! to all URLs. If it is empty, ours is written with the best options: version 2 with personal data, authenticated by a
//! header. If another system uses it, ours becomes an additional line and everything else is unchanged: that system
//! depends on the version, and the headers are its secrets. Our calls are then authenticated by the token in the URL,
//! on the route that reads both versions.

use gassync_plugin::{ChannelError, Lenient, Subscribed, clock, malformed, read_json, state};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    client,
    envelope::{self, Records},
    push::write_results::{self, BatchResult, WriteResult},
    settings::Settings,
    webhook_lines::Lines,
};

/// Maximum pages of properties.
const MAX_PAGES: u32 = 10;
/// Header with the connection's token, as required by the manifest's route.
pub(crate) const HEADER: &str = "X-GasSync-Token";
/// Route for calls of either version with the token in the URL.
pub(crate) const EITHER_VERSION: &str = "/v1";
/// The version with all data.
const VERSION: &str = "twoWithPersonalData";
/// Any other value would include card codes.
const NO_CARDS: &str = "none";
/// Key of the plugin state that stores the mark of our lines.
const MARK: &str = "webhook-mark";
/// Location in the Beds24 user interface.
const PLACE: &str = "In Beds24, Settings, Properties, Access";

#[derive(Deserialize, Default)]
#[serde(default)]
struct House {
    id: Lenient,
    name: Lenient,
    webhooks: Option<Webhooks>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Webhooks {
    version: Lenient,
    /// Unchanged, including whitespace.
    url: Value,
    additional_data: Lenient,
    custom_header: Value,
}

#[derive(Serialize)]
struct HouseForm {
    id: u64,
    webhooks: WebhookForm,
}

/// Omitted fields stay unchanged.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct WebhookForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_data: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_header: Option<String>,
}

/// The action for a property.
enum WebhookAction {
    /// Write this webhook.
    Write(WebhookForm),
    /// Already subscribed.
    Nothing,
    /// A person must do it, for this reason.
    Person(String),
}

impl House {
    fn url(&self) -> &str {
        self.webhooks.as_ref().and_then(|webhooks| webhooks.url.as_str()).unwrap_or_default()
    }

    /// True if there is a header, even a hidden one.
    fn has_header(&self) -> bool {
        let header = self.webhooks.as_ref().and_then(|webhooks| webhooks.custom_header.as_str());
        header.is_some_and(|header| !header.trim().is_empty())
    }

    /// Returns the headers without our token header; `None` if it is missing or hidden, or occurs twice, since one is
    /// then another system's.
    fn header_without_ours(&self) -> Option<String> {
        let header = self.webhooks.as_ref().and_then(|webhooks| webhooks.custom_header.as_str())?;
        let is_ours =
            |line: &&str| line.split_once(':').is_some_and(|(name, _)| name.trim().eq_ignore_ascii_case(HEADER));
        (header.split('\n').filter(is_ours).count() == 1).then(|| {
            let others: Vec<&str> = header.split('\n').filter(|line| !is_ours(line)).collect();
            others.join("\n")
        })
    }

    fn version(&self) -> &str {
        self.webhooks.as_ref().and_then(|webhooks| webhooks.version.as_str()).unwrap_or_default()
    }

    /// True if messages contain card data.
    fn sends_cards(&self) -> bool {
        let said = self.webhooks.as_ref().and_then(|webhooks| webhooks.additional_data.as_str());
        said.is_some_and(|word| !word.eq_ignore_ascii_case(NO_CARDS))
    }

    /// Name and id of the property, for people.
    fn title(&self) -> String {
        format!("{} ({})", self.name.as_str().unwrap_or_default(), self.id.as_str().unwrap_or_default())
    }
}

/// Subscribes each property separately. URL and token are unfilled placeholders, so our line is recognised by a mark at
/// its end.
pub(crate) fn subscribe(endpoint: &str) -> Result<Subscribed, ChannelError> {
    let settings = Settings::read()?;
    let houses = houses(&settings)?;
    let mark = match mark()? {
        Some(mark) => mark,
        None => {
            // The mark is unique and not secret.
            let mark = format!("by=gassync-{:x}", clock::since_1970().as_nanos());
            state::set(MARK, &mark)?;
            mark
        }
    };
    let mut subscribed = Subscribed::to(Vec::new());
    let mut writing = Vec::new();
    for house in &houses {
        let Some(id) = house.id.unless_zero() else { continue };
        match action(house, endpoint, &mark) {
            WebhookAction::Write(form) => writing.push((house, id, form)),
            WebhookAction::Nothing => {
                subscribed.steps.extend(of_version(house, &mark));
                subscribed.ids.push(id);
            }
            WebhookAction::Person(why) => subscribed.steps.push(format!(
                "{}: {why}. {PLACE}: add our address there as one more line, with {EITHER_VERSION} and ?token= behind it, and \
                 leave what stands there as it is.",
                house.title()
            )),
        }
    }
    let forms = writing.iter_mut().map(|(_, id, form)| (id.as_str(), std::mem::take(form)));
    let results = write(&settings, forms.collect(), &["webhook.url", "webhook.token"])?;
    for ((house, id, _), written) in writing.into_iter().zip(results) {
        let title = house.title();
        if written.success == Some(true) {
            if written.applied.is_none() {
                subscribed.steps.push(format!("{title}: Beds24 does not repeat the booking webhook: look there."));
            }
            subscribed.steps.extend(of_version(house, &mark));
            subscribed.ids.push(id);
        } else {
            let why = written.errors.first().map_or("Beds24 says nothing", |error| error.problem.as_str());
            subscribed.steps.push(format!(
                "{title} has no booking webhook of ours yet ({why}). {PLACE}: where none stands, enter our address and header, \
                 version 2 with personal data, additional data none; beside another, our address as one more line, with \
                 {EITHER_VERSION} and ?token= behind it."
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

fn action(house: &House, endpoint: &str, mark: &str) -> WebhookAction {
    let lines = Lines::new(house.url(), mark);
    let person = |why: &str| WebhookAction::Person(why.to_owned());
    if lines.are_hidden() {
        return person("its booking webhook is not shown to us, and ours was not written over it");
    }
    if lines.have_others() && house.sends_cards() {
        // Do not receive card data that another system requested.
        return person(
            "the messages of its booking webhook carry card data, which is not for us: ours was not entered",
        );
    }
    if lines.have_ours() {
        let is_best = house.version() == VERSION && !house.sends_cards();
        if is_best || lines.have_others() {
            return WebhookAction::Nothing;
        }
        // No other system uses it.
        let (version, additional_data) = (Some(VERSION), Some(NO_CARDS));
        return WebhookAction::Write(WebhookForm { version, additional_data, ..WebhookForm::default() });
    }
    if lines.have_placeholder() {
        return person("its booking webhook has an address with {{ in it, which is not written again");
    }
    let by_token = format!("{endpoint}{EITHER_VERSION}?token={{{{webhook.token}}}}&{mark}");
    WebhookAction::Write(match (lines.have_others(), house.has_header()) {
        (true, _) => WebhookForm { url: Some(lines.with(&by_token)), ..WebhookForm::default() },
        (false, has_header) => WebhookForm {
            version: Some(VERSION),
            additional_data: Some(NO_CARDS),
            url: Some(if has_header { by_token } else { format!("{endpoint}?{mark}") }),
            custom_header: (!has_header).then(|| format!("{HEADER}: {{{{webhook.token}}}}")),
        },
    })
}

/// Describes the limits of the version chosen by another system.
fn of_version(house: &House, mark: &str) -> Option<String> {
    if !Lines::new(house.url(), mark).have_others() {
        return None;
    }
    let what = match house.version() {
        "one" => "version 1, which names the booking and no more: each is read when it is named",
        "twoNoPersonalData" => "version 2 without personal data: guests come with the poll",
        _ => return None,
    };
    let title = house.title();
    Some(format!("{title}: another system's booking webhook stands there and keeps its {what}. Ours is one more line."))
}

/// Removes our URL only. Without a success response, a property still counts as subscribed.
pub(crate) fn unsubscribe(subscriptions: &[String]) -> Result<Vec<String>, ChannelError> {
    for id in subscriptions {
        number(id)?;
    }
    if subscriptions.is_empty() {
        return Ok(Vec::new());
    }
    let settings = Settings::read()?;
    // Without a mark no line is known to be ours.
    let mark = mark()?.unwrap_or_default();
    let (mut gone, mut writing) = (Vec::new(), Vec::new());
    for house in houses(&settings)? {
        let Some(id) = house.id.unless_zero().filter(|id| subscriptions.contains(id)) else { continue };
        let lines = Lines::new(house.url(), &mark);
        if lines.are_hidden() {
            continue;
        }
        if !lines.have_ours() {
            // A URL without our mark may not be ours.
            if !mark.is_empty() || lines.is_empty() {
                gone.push(id);
            }
            continue;
        }
        // Remove our header with the URL, if we use one and can see it.
        let custom_header = if lines.ours_has_token() { None } else { house.header_without_ours() };
        let url = Some(lines.without_ours());
        writing.push((id, WebhookForm { url, custom_header, ..WebhookForm::default() }));
    }
    let forms = writing.iter_mut().map(|(id, form)| (id.as_str(), std::mem::take(form)));
    let results = write(&settings, forms.collect(), &[])?;
    let release_lease = writing.into_iter().zip(results);
    gone.extend(
        release_lease.filter(|(_, it)| it.success == Some(true) && it.applied.is_some()).map(|((id, _), _)| id),
    );
    Ok(gone)
}

fn mark() -> Result<Option<String>, ChannelError> {
    state::get(MARK)
}

/// Returns all properties that the token can access.
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

fn number(id: &str) -> Result<u64, ChannelError> {
    id.parse().map_err(|_| malformed("id", format_args!("{id} is not a number")))
}

/// Returns one result per property, in order.
fn write(
    settings: &Settings,
    houses: Vec<(&str, WebhookForm)>,
    secrets: &[&str],
) -> Result<Vec<WriteResult>, ChannelError> {
    if houses.is_empty() {
        return Ok(Vec::new());
    }
    let count = houses.len();
    let form = |(id, webhooks)| Ok(HouseForm { id: number(id)?, webhooks });
    let forms: Vec<HouseForm> = houses.into_iter().map(form).collect::<Result<_, ChannelError>>()?;
    let body = serde_json::to_vec(&forms).map_err(|error| ChannelError::Broken(error.to_string()))?;
    let request = client::post(settings, "/properties", body);
    match write_results::send(secrets.iter().fold(request, |request, name| request.body_secret(name)))? {
        BatchResult::Each(mut results) => {
            results.resize_with(count, WriteResult::default);
            Ok(results)
        }
        BatchResult::Refused(errors) => Err(ChannelError::Rejected(errors)),
        BatchResult::Later(seconds) => Err(ChannelError::RateLimited(seconds)),
        BatchResult::Unclear => Err(ChannelError::Unavailable("whether it was taken is not known".to_owned())),
    }
}
