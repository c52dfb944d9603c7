//! Pushes the rooms and packages of a property, which must precede its prices.

use gassync_plugin::{
    ChannelError, ContentItem, Entity, EntityRef, FieldError, Outcome, accepted, clock, core_data, settings,
    xml::{Element, element, leaf},
};
use serde::de::DeserializeOwned;

use crate::{
    Settings,
    document::{Package, Room, Texts},
    upload::{self, Heard, error},
};

/// One outcome per item: all items are in one message about their property.
pub fn push(items: &[ContentItem]) -> Result<Vec<Outcome>, ChannelError> {
    let settings: Settings = settings()?;
    let Some(property) = items.iter().find(|item| item.entity == Entity::Property) else {
        let problem = || Outcome::Refused(vec![error("", "there is no property with it")]);
        return Ok(items.iter().map(|_| problem()).collect());
    };
    let property = id(property);
    let mut outcomes = Vec::with_capacity(items.len());
    let mut parts = Vec::new();
    for item in items {
        outcomes.push(match part(property, item.entity, id(item), &item.content, &settings.language) {
            Ok(part) => {
                parts.extend(part);
                accepted(Some(id(item).to_owned()))
            }
            Err(problem) => Outcome::Refused(vec![problem]),
        });
    }
    parts.extend(unsent(property, items, &settings)?);
    let set = element("PropertyDataSet").with_children([leaf("Property", property)]).with_children(parts);
    let message = element("Transaction")
        .with("timestamp", clock::now())
        .with("id", format!("content_{}", clock::since_1970().as_nanos()))
        .with("partner", &settings.partner)
        .with_children([set]);
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

/// Google uses our ids, so the id is the same unless a record is linked otherwise.
fn id(item: &ContentItem) -> &str {
    item.channel_id.as_deref().unwrap_or(&item.reference)
}

/// The parts of the property that are not among the items. Whether Google keeps omitted parts is not documented, so
/// each message contains all.
fn unsent(property: &str, items: &[ContentItem], settings: &Settings) -> Result<Vec<Element>, ChannelError> {
    let rooms = core_data::room_types(property).into_iter().map(|room| (Entity::RoomType, room.id));
    let packages = core_data::rate_plans(property).into_iter().map(|plan| (Entity::RatePlan, plan.id));
    let is_sent = |entity: Entity, of: &str| items.iter().any(|item| item.entity == entity && id(item) == of);
    let mut parts = Vec::new();
    for (entity, id) in rooms.chain(packages) {
        // A room with another id than its property is not sent to Google.
        if is_sent(entity, &id) || (entity == Entity::RoomType && id != property) {
            continue;
        }
        let of = EntityRef { entity, id };
        let Some(content) = core_data::content(&of) else { continue };
        let part = part(property, entity, &of.id, &content, &settings.language);
        let named = |wrong: FieldError| error(&wrong.path, format!("{}: {}", of.id, wrong.problem));
        parts.extend(part.map_err(|wrong| ChannelError::Rejected(vec![named(wrong)]))?);
    }
    Ok(parts)
}

/// A part of the message; `None` for the property itself.
fn part(
    property: &str,
    entity: Entity,
    id: &str,
    content: &str,
    language: &str,
) -> Result<Option<Element>, FieldError> {
    match entity {
        // The content for travellers is in the listing feed.
        Entity::Property => Ok(None),
        Entity::RoomType if id != property => Err(error("/id", "of a vacation rental the room type is the property")),
        Entity::RoomType => Ok(Some(room(property, &read(content)?, language))),
        Entity::RatePlan => Ok(Some(package(id, &read(content)?, language))),
        _ => Err(error("", "is neither a room type nor a rate plan")),
    }
}

fn read<T: DeserializeOwned>(content: &str) -> Result<T, FieldError> {
    serde_json::from_str(content).map_err(|problem| error("", problem.to_string()))
}

fn room(id: &str, room: &Room, language: &str) -> Element {
    let photos = room.images.iter().map(|image| {
        let caption = (!image.captions.is_empty()).then(|| texts("Caption", &image.captions));
        element("PhotoURL").with_children(caption).with_children([leaf("URL", &image.url)])
    });
    let descriptions = room.text.descriptions(language);
    element("RoomData")
        .with_children([leaf("RoomID", id), texts("Name", &room.text.names(language))])
        .with_children((!descriptions.is_empty()).then(|| texts("Description", &descriptions)))
        .with_children(photos)
        .with_children(room.max_occupancy.map(|people| leaf("Capacity", people)))
}

fn package(id: &str, package: &Package, language: &str) -> Element {
    let breakfast = package.has_breakfast().map(|has| leaf("BreakfastIncluded", u8::from(has)));
    element("PackageData")
        .with_children([leaf("PackageID", id), texts("Name", &package.text.names(language))])
        .with_children(refundable(package))
        .with_children([leaf("ChargeCurrency", "web")])
        .with_children(breakfast)
}

/// Never, or until when; `None` if unknown.
fn refundable(package: &Package) -> Option<Element> {
    let refundable = |available: bool| element("Refundable").with("available", u8::from(available));
    match (package.refundable, &package.refund_until) {
        (Some(false), _) => Some(refundable(false)),
        (Some(true), None) => Some(refundable(true)),
        (_, Some(until)) => Some(
            refundable(true)
                .with_some("refundable_until_days", until.days)
                .with_some("refundable_until_time", until.time.as_deref()),
        ),
        (None, None) => None,
    }
}

fn texts(name: &str, texts: &Texts) -> Element {
    let text = |(language, text): (&String, &String)| element("Text").with("text", text).with("language", language);
    element(name).with_children(texts.iter().map(text))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{
        RatePlan, RoomType,
        testing::{CoreData, FakeHost},
    };

    use super::*;

    fn item(entity: Entity, reference: &str, content: &str) -> ContentItem {
        ContentItem { entity, reference: reference.to_owned(), channel_id: None, content: content.to_owned() }
    }

    fn sent(items: &[ContentItem]) -> Element {
        FakeHost::answer(200, "");
        let outcomes = push(items).expect("outcomes");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
        let request = FakeHost::take_requests().remove(0);
        Element::parse(request.body.as_deref().unwrap_or_default()).expect("XML")
    }

    fn ready() {
        FakeHost::reset();
        FakeHost::set_settings(crate::tests::SETTINGS);
    }

    #[test]
    fn money_comes_back_until_then_or_never_or_nobody_knows() {
        ready();
        for (content, refundable, breakfast) in [
            (r#"{"refundable":true,"refundUntil":{"days":10,"time":"16:00:00"}}"#, Some(("1", Some("10"))), None),
            (r#"{"refundUntil":{"days":3},"meals":["dinner"]}"#, Some(("1", Some("3"))), Some("0")),
            (r#"{"refundable":true,"meals":["breakfast","dinner"]}"#, Some(("1", None)), Some("1")),
            (r#"{"refundable":false,"meals":[]}"#, Some(("0", None)), Some("0")),
            (r#"{"meals":["all-inclusive"]}"#, None, Some("1")),
            ("{}", None, None),
        ] {
            let root = sent(&[item(Entity::Property, "a", "{}"), item(Entity::RatePlan, "flex", content)]);
            let package = root.find("PropertyDataSet/PackageData").expect("a package");
            let reported = package
                .find("Refundable")
                .map(|terms| (terms.attribute("available").expect("a flag"), terms.attribute("refundable_until_days")));
            assert_eq!((reported, package.text_at("BreakfastIncluded")), (refundable, breakfast), "{content}");
        }
    }

    #[test]
    fn each_message_has_all_of_the_property() {
        ready();
        let content = |entity, id: &str, json: &str| (EntityRef { entity, id: id.to_owned() }, json.to_owned());
        FakeHost::set_core_data(CoreData {
            room_types: vec![RoomType::new("a", "a", "Cabin"), RoomType::new("shed", "a", "Shed")],
            rate_plans: ["flex", "strict", "new"].map(|plan| RatePlan::new(plan, "a", plan)).to_vec(),
            content: vec![
                content(Entity::RoomType, "a", r#"{"name":"Cabin","maxOccupancy":5}"#),
                content(Entity::RatePlan, "flex", r#"{"name":"Before"}"#),
                content(Entity::RatePlan, "strict", r#"{"name":"Strict","refundable":false}"#),
            ],
            ..CoreData::default()
        });
        let root = sent(&[item(Entity::Property, "a", "{}"), item(Entity::RatePlan, "flex", r#"{"name":"Flexible"}"#)]);
        let rooms: Vec<_> = root.all("PropertyDataSet/RoomData/RoomID").into_iter().filter_map(Element::text).collect();
        assert_eq!(rooms, ["a"], "a room that is not its property is none of Google's");
        let names: Vec<_> = root
            .all("PropertyDataSet/PackageData/Name/Text")
            .into_iter()
            .filter_map(|text| Some((text.attribute("text")?, text.attribute("language")?)))
            .collect();
        assert_eq!(names, [("Flexible", "en"), ("Strict", "en")], "of one of them nothing is known");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        ready();
        FakeHost::answer(200, "");
        let items =
            [item(Entity::Property, "a", "{}"), item(Entity::RatePlan, "flex", r#"{"refundable":{"untilDays":1}}"#)];
        let outcomes = push(&items).expect("outcomes");
        assert!(matches!(&outcomes[..], [Outcome::Accepted(_), Outcome::Refused(_)]), "{outcomes:?}");
    }
}
