use serde::{Deserialize, Serialize};

use crate::{Extra, text::said};

/// A set of conditions under which a property is sold, in the standard schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "flex", "propertyId": "house-azul", "name": "Flexible", "description": "Free of charge until the day before.",
    "currency": "EUR"
}))]
#[serde(rename_all = "camelCase")]
pub struct RatePlan {
    /// The channel's id.
    pub id: String,
    /// The channel's id of the property it is for.
    pub property_id: String,
    /// What people call it.
    pub name: String,
    /// A text for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The channel's ids of the room types it is for; empty where it does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room_type_ids: Vec<String>,
    /// What is eaten for it, in the channel's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meals: Option<String>,
    /// Whether a guest who cancels in time gets money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refundable: Option<bool>,
    /// ISO 4217; absent means the property's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What else the channel says of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl RatePlan {
    /// One of which nothing is known but its name.
    pub fn named(property_id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            property_id: property_id.into(),
            name: name.into(),
            description: None,
            room_type_ids: Vec::new(),
            meals: None,
            refundable: None,
            currency: None,
            extra: Extra::default(),
        }
    }

    /// Drops what is empty.
    pub fn normalise(&mut self) {
        for text in [&mut self.description, &mut self.meals, &mut self.currency] {
            said(text);
        }
    }
}
