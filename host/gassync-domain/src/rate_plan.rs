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
    /// The channel's id of its property.
    pub property_id: String,
    /// Its name.
    pub name: String,
    /// A text for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The channel's ids of its room types; empty if unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room_type_ids: Vec<String>,
    /// Its meals, in the channel's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meals: Option<String>,
    /// Whether a guest who cancels in time gets a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refundable: Option<bool>,
    /// ISO 4217; absent means the property's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Additional members from the channel.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl RatePlan {
    /// A rate plan with only a name.
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

    /// Drops empty values.
    pub fn normalise(&mut self) {
        for text in [&mut self.description, &mut self.meals, &mut self.currency] {
            said(text);
        }
    }
}
