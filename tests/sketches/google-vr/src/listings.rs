//! The listing feed; a chunk contains as many listings as are read at once.

use gassync_plugin::{
    ChannelError, Chunk, Entity, EntityRef, Header, Property, core_data, log, read_json, settings,
    xml::{Element, element, leaf},
};

use crate::{Settings, document::Text};

/// Listings per chunk.
const OF_A_PART: usize = 100;

/// Renders a chunk; the first one begins the document, the last one ends it.
pub fn render(cursor: Option<&str>) -> Result<Chunk, ChannelError> {
    let settings: Settings = settings()?;
    let begin: usize =
        cursor.map_or(Ok(0), str::parse).map_err(|_| ChannelError::Broken("an unknown cursor".to_owned()))?;
    let properties = core_data::properties();
    let end = (begin + OF_A_PART).min(properties.len());
    let mut body = Vec::new();
    if begin == 0 {
        body.extend(br#"<?xml version="1.0" encoding="UTF-8"?><listings>"#);
        leaf("language", &settings.language).write_to(&mut body);
    }
    for property in properties.get(begin..end).unwrap_or_default() {
        match listing(property, &settings)? {
            Some(listing) => listing.write_to(&mut body),
            // Google disables incomplete listings: they are better left out.
            None => log::warn(&format!("{} is not listed: it lacks address, place or capacity", property.id)),
        }
    }
    let next = (end < properties.len()).then(|| end.to_string());
    if next.is_none() {
        body.extend(b"</listings>");
    }
    let header = Header { name: "content-type".to_owned(), value: "application/xml; charset=utf-8".to_owned() };
    Ok(Chunk { status: 200, headers: vec![header], body, next })
}

/// A property with all required fields of a listing.
fn listing(property: &Property, settings: &Settings) -> Result<Option<Element>, ChannelError> {
    let content = core_data::content(&EntityRef { entity: Entity::Property, id: property.id.clone() });
    let text: Text = content.map(|content| read_json(&content, "content")).transpose()?.unwrap_or_default();
    let names = text.names(&settings.language);
    // The whole feed is in one language.
    let name = names.get(&settings.language).unwrap_or(&property.name);
    Ok(of(property, name, settings))
}

fn of(property: &Property, name: &str, settings: &Settings) -> Option<Element> {
    let address = property.address.as_ref()?;
    let (latitude, longitude) = (property.latitude?, property.longitude?);
    let rooms = core_data::room_types(&property.id);
    let capacity = rooms.iter().filter_map(|room| room.max_occupancy).max()?;
    let country = address.country.as_deref()?;
    let components = [
        ("addr1", address.street.as_deref()),
        ("city", address.city.as_deref()),
        ("state", address.state.as_deref()),
        ("postal_code", address.postcode.as_deref()),
        ("country", Some(country)),
    ];
    let components = components
        .into_iter()
        .filter_map(|(name, text)| Some(element("component").with("name", name).with_text(text?)));
    let attributes = element("attributes").with_children([
        leaf("website", settings.landing_page.replace("{id}", &property.id)),
        element("client_attr").with("name", "capacity").with_text(capacity),
    ]);
    let said = |name: &str, text: &str| leaf(name, text);
    Some(element("listing").with_children([
        said("id", &property.id),
        said("name", name),
        element("address").with("format", "simple").with_children(components),
        said("country", country),
        said("latitude", &latitude.to_string()),
        said("longitude", &longitude.to_string()),
        said("category", "vacation_rental"),
        element("content").with_children([attributes]),
    ]))
}
