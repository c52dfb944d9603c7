//! Parts of a price.

use serde_json::{Number, Value, json};

/// A part of a price.
#[derive(Debug, Clone)]
pub(super) struct PriceElement {
    pub id: u64,
    pub kind: String,
    pub name: String,
    pub amount: Number,
    pub quantity: Option<u64>,
    pub tax: Option<f64>,
    pub currency: String,
    pub sort_order: u64,
    /// The part that contains it; such a part is not added up.
    pub included_in: Option<u64>,
}

impl PriceElement {
    /// Reads a new part; `None` without type and amount.
    pub fn read(id: u64, value: &Value, currency: &str) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let kind = text("type")?.to_owned();
        Some(Self {
            id,
            name: text("name").unwrap_or(&kind).to_owned(),
            kind,
            amount: value.get("amount")?.as_number()?.clone(),
            quantity: value.get("quantity").and_then(Value::as_u64),
            tax: value.get("tax").and_then(Value::as_f64),
            currency: text("currencyCode").unwrap_or(currency).to_owned(),
            sort_order: value.get("sortOrder").and_then(Value::as_u64).unwrap_or(1),
            included_in: None,
        })
    }

    pub fn wire(&self) -> Value {
        json!({
            "id": self.id,
            "type": self.kind,
            "name": self.name,
            "amount": self.amount,
            "quantity": self.quantity,
            "tax": self.tax,
            "currencyCode": self.currency,
            "sortOrder": self.sort_order,
            "priceIncludedInId": self.included_in,
        })
    }
}
