//! Lists inside a booking: invoice items and info items.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A booking's items of one kind.
#[derive(Debug, Clone)]
pub(super) struct BookingItems {
    kind: Kind,
    items: Vec<Map<String, Value>>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Invoice,
    Info,
}

impl BookingItems {
    /// Creates an empty invoice.
    pub fn of_invoice() -> Self {
        Self { kind: Kind::Invoice, items: Vec::new() }
    }

    /// Creates an empty info list.
    pub fn of_info() -> Self {
        Self { kind: Kind::Info, items: Vec::new() }
    }

    /// Returns the items as in the API.
    pub fn wire(&self) -> Value {
        self.items.iter().cloned().map(Value::Object).collect()
    }

    pub fn add(&mut self, id: u64, booking: u64, keys: Value, now: Timestamp) {
        let mut item = self.kind.unwritten();
        item.extend(keys.as_object().cloned().unwrap_or_default());
        item.extend([
            ("id".to_owned(), json!(id)),
            ("bookingId".to_owned(), json!(booking)),
            ("createTime".to_owned(), json!(now.to_string())),
        ]);
        self.kind.sum_up(&mut item);
        self.items.push(item);
    }

    /// Sum of the charges in whole cents; `None` without charges.
    pub fn charged_cents(&self) -> Option<u64> {
        let charges = self.items.iter().filter(|item| item["type"] == "charge");
        let totals: Vec<f64> = charges.filter_map(|item| item["lineTotal"].as_f64()).collect();
        (!totals.is_empty()).then(|| totals.iter().map(|total| (total * 100.0).round() as u64).sum())
    }

    /// Changes the amount of an existing charge.
    pub fn charge_anew(&mut self, what: &str, amount: Value) {
        if let Some(item) = self.items.iter_mut().find(|item| item["type"] == "charge" && item["description"] == what) {
            item.insert("amount".to_owned(), amount);
            self.kind.sum_up(item);
        }
    }

    /// Writes items. Id and other keys change one, an id alone deletes it, and no id adds one. Returns false for an
    /// unknown id.
    pub fn write(&mut self, written: &Value, booking: u64, next_id: &mut u64, now: Timestamp) -> bool {
        let Some(written) = written.as_array() else { return false };
        let mut all_good = true;
        for keys in written {
            let id = keys.get("id").and_then(Value::as_u64);
            let place = self.items.iter().position(|item| id.is_some() && item["id"].as_u64() == id);
            match (id, place, keys.as_object()) {
                (None, _, Some(_)) => {
                    *next_id += 1;
                    self.add(*next_id, booking, keys.clone(), now);
                }
                (Some(_), Some(place), Some(keys)) if keys.len() == 1 => drop(self.items.remove(place)),
                (Some(_), Some(place), Some(keys)) => {
                    self.items[place].extend(keys.clone());
                    self.kind.sum_up(&mut self.items[place]);
                }
                _ => all_good = false,
            }
        }
        all_good
    }
}

impl Kind {
    fn unwritten(self) -> Map<String, Value> {
        let keys = match self {
            Self::Invoice => json!({ "type": "charge", "subType": 0, "description": "", "status": "", "qty": 1,
                "amount": 0, "vatRate": 0, "invoiceeId": null, "createdBy": null }),
            Self::Info => json!({ "code": "", "text": "" }),
        };
        keys.as_object().cloned().unwrap_or_default()
    }

    fn sum_up(self, item: &mut Map<String, Value>) {
        let (qty, amount) = (item.get("qty").and_then(Value::as_i64), item.get("amount").and_then(Value::as_f64));
        if let (Self::Invoice, Some(qty), Some(amount)) = (self, qty, amount) {
            let cents = (qty as f64 * amount * 100.0).round();
            let sum = if cents % 100.0 == 0.0 { json!((cents / 100.0) as i64) } else { json!(cents / 100.0) };
            item.insert("lineTotal".to_owned(), sum);
        }
    }
}
