use serde::{Deserialize, Serialize};

use crate::{Extra, text::said};

/// The address of a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Address {
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Upper-case ISO 3166, if the payload allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Address {
    /// Drops empty lines; none if all are empty.
    pub(crate) fn if_said(mut self) -> Option<Self> {
        let Self { street, city, state, postcode, country } = &mut self;
        for text in [street, city, state, postcode, country] {
            said(text);
        }
        (self != Self::default()).then_some(self)
    }
}

/// A house, hotel or apartment building, in the standard schema.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "house-azul", "name": "Casa Azul", "description": "Two floors by the lagoon.",
    "address": { "street": "Rua do Sol 4", "city": "Faro", "postcode": "8000-123", "country": "PT" },
    "latitude": 37.0194, "longitude": -7.9304, "currency": "EUR", "timeZone": "Europe/Lisbon",
    "roomTypes": ["room-garden"]
}))]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// The channel's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A text for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Degrees north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Ids of its room types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room_types: Vec<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Property {
    /// Drops empty values.
    pub fn normalise(&mut self) {
        for text in [&mut self.description, &mut self.currency, &mut self.time_zone, &mut self.thumbnail] {
            said(text);
        }
        self.address = self.address.take().and_then(Address::if_said);
    }
}

/// A kind of room that a property sells, or the one unit of a holiday home, in the standard schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "room-garden", "propertyId": "house-azul", "name": "Garden room", "maxOccupancy": 3, "quantity": 2,
    "amenities": ["wifi", "kitchen"]
}))]
#[serde(rename_all = "camelCase")]
pub struct RoomType {
    /// The channel's id.
    pub id: String,
    /// The channel's id of the property it belongs to.
    pub property_id: String,
    /// Its name.
    pub name: String,
    /// A text for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Maximum number of people in one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_occupancy: Option<u32>,
    /// Number of units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Amenities, as words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amenities: Vec<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl RoomType {
    /// Drops empty values.
    pub fn normalise(&mut self) {
        said(&mut self.description);
    }
}
