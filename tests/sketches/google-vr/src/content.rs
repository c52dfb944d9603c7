//! Rooms and packages of a property, before any price of them.

use std::collections::BTreeMap;

use gassync_plugin::{ChannelError, ContentItem, Entity, FieldError, Outcome, accepted, clock, settings};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Settings,
    upload::{self, Heard, error},
    xml::{Element, element},
};

/// Texts by their languages.
type Texts = BTreeMap<String, String>;

/// What is read of a room's content.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Room {
    names: Texts,
    descriptions: Texts,
    images: Vec<Image>,
    max_occupancy: Option<u32>,
}

#[derive(Deserialize)]
struct Image {
    url: String,
    #[serde(default)]
    captions: Texts,
}

/// What is read of a rate plan's content.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Package {
    names: Texts,
    breakfast_included: Option<bool>,
    refundable: Option<Refundable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refundable {
    until_days: Option<u32>,
    until_time: Option<String>,
}

/// One outcome for each item: all of them are in one message about their property.
pub fn push(items: &[ContentItem]) -> Result<Vec<Outcome>, ChannelError> {
    let Settings { partner, .. } = settings()?;
    let Some(property) = items.iter().find(|item| item.entity == Entity::Property) else {
        let problem = || Outcome::Refused(vec![error("", "there is no property with it")]);
        return Ok(items.iter().map(|_| problem()).collect());
    };
    let property = id(property);
    let mut outcomes = Vec::with_capacity(items.len());
    let mut parts = Vec::new();
    for item in items {
        outcomes.push(match part(property, item) {
            Ok(part) => {
                parts.extend(part);
                accepted(Some(id(item).to_owned()))
            }
            Err(problem) => Outcome::Refused(vec![problem]),
        });
    }
    let set = element("PropertyDataSet").around([element("Property").saying(property)]).around(parts);
    let message = element("Transaction")
        .with("timestamp", clock::now())
        .with("id", format!("content_{}", clock::since_1970().as_nanos()))
        .with("partner", partner)
        .around([set]);
    let worse = match upload::send("property_data", &message)? {
        Heard::Taken => return Ok(outcomes),
        Heard::Refused(errors) => Outcome::Refused(errors),
        Heard::Later(seconds) => Outcome::Retry(seconds),
    };
    for outcome in outcomes.iter_mut().filter(|outcome| matches!(outcome, Outcome::Accepted(_))) {
        *outcome = worse.clone();
    }
    Ok(outcomes)
}

/// Google takes our ids: a record has the same in both houses until it is linked otherwise.
fn id(item: &ContentItem) -> &str {
    item.channel_id.as_deref().unwrap_or(&item.reference)
}

fn part(property: &str, item: &ContentItem) -> Result<Option<Element>, FieldError> {
    match item.entity {
        // What travellers see of it stands in the listing feed.
        Entity::Property => Ok(None),
        Entity::RoomType if id(item) != property => {
            Err(error("/id", "of a vacation rental the room type is the property"))
        }
        Entity::RoomType => Ok(Some(room(property, &read(item)?))),
        Entity::RatePlan => Ok(Some(package(id(item), &read(item)?))),
        _ => Err(error("", "is neither a room type nor a rate plan")),
    }
}

fn read<T: DeserializeOwned>(item: &ContentItem) -> Result<T, FieldError> {
    serde_json::from_str(&item.content).map_err(|problem| error("", problem.to_string()))
}

fn room(id: &str, room: &Room) -> Element {
    let photos = room.images.iter().map(|image| {
        let caption = (!image.captions.is_empty()).then(|| texts("Caption", &image.captions));
        element("PhotoURL").around(caption).around([element("URL").saying(&image.url)])
    });
    element("RoomData")
        .around([element("RoomID").saying(id), texts("Name", &room.names)])
        .around((!room.descriptions.is_empty()).then(|| texts("Description", &room.descriptions)))
        .around(photos)
        .around(room.max_occupancy.map(|people| element("Capacity").saying(people)))
}

fn package(id: &str, package: &Package) -> Element {
    let refundable = package.refundable.as_ref().map(|terms| {
        element("Refundable")
            .with("available", "1")
            .with_some("refundable_until_days", terms.until_days)
            .with_some("refundable_until_time", terms.until_time.as_deref())
    });
    let breakfast = package.breakfast_included.map(|included| element("BreakfastIncluded").saying(u8::from(included)));
    element("PackageData")
        .around([element("PackageID").saying(id), texts("Name", &package.names)])
        .around(refundable)
        .around([element("ChargeCurrency").saying("web")])
        .around(breakfast)
}

fn texts(name: &str, texts: &Texts) -> Element {
    let text = |(language, text): (&String, &String)| element("Text").with("text", text).with("language", language);
    element(name).around(texts.iter().map(text))
}
