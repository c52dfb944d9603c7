use serde::{Deserialize, Serialize};

use crate::text::said;

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
    /// ISO 4217; absent means the property's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

impl RatePlan {
    /// Drops what is empty.
    pub fn normalise(&mut self) {
        for text in [&mut self.description, &mut self.currency] {
            said(text);
        }
    }
}
