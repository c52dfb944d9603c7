use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mend_text;

/// Maximum number of members.
const MAX_MEMBERS: usize = 50;
/// Maximum number of bytes in all, names and values as JSON.
const MAX_BYTES: usize = 16 * 1024;

/// Additional channel fields of a record: stored and passed on, never interpreted. Numbers are doubles; use strings
/// where digits matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Extra(BTreeMap<String, Value>);

impl Extra {
    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All members.
    pub fn into_pairs(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }

    /// Adds stored fields that are absent here, within the limits.
    pub fn fill(&mut self, stored: &Self) {
        for (name, value) in &stored.0 {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
            if self.problem().is_some() {
                self.0.remove(name);
            }
        }
    }

    /// Truncates to the limits and replaces NUL: a booking is not refused for uninterpreted fields.
    #[must_use]
    pub fn within_bounds(self) -> Self {
        if self.problem().is_none() {
            return self;
        }
        let whole =
            Self(self.0.into_iter().map(|(name, value)| (without_nul(&name), value_without_nul(value))).collect());
        let mut kept = Self::default();
        kept.fill(&whole);
        kept
    }

    /// The problem, if it exceeds a limit.
    pub fn problem(&self) -> Option<String> {
        let members = self.0.len();
        if members > MAX_MEMBERS {
            return Some(format!("has {members} members; the limit is {MAX_MEMBERS}"));
        }
        let bytes: usize = self.0.iter().map(|(name, value)| name.len() + bytes_of(value)).sum();
        if bytes > MAX_BYTES {
            return Some(format!("has {bytes} bytes; the limit is {MAX_BYTES}"));
        }
        let has_nul = |(name, value): (&String, &Value)| name.contains('\0') || holds_nul(value);
        self.0.iter().any(has_nul).then(|| "contains a NUL character".to_owned())
    }
}

/// Size as JSON, computed without serialising because it is checked for every record.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(flag) => 5 - usize::from(*flag),
        // The longest number.
        Value::Number(_) => 24,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => 2 + items.iter().map(|item| bytes_of(item) + 1).sum::<usize>(),
        Value::Object(members) => 2 + members.iter().map(|(name, item)| name.len() + bytes_of(item) + 4).sum::<usize>(),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, item)| name.contains('\0') || holds_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn without_nul(text: &str) -> String {
    mend_text(text).into_owned()
}

fn value_without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(value_without_nul).collect()),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, item)| (without_nul(&name), value_without_nul(item)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

impl FromIterator<(String, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_fills_up() {
        let many: Extra = (0..51).map(|n| (n.to_string(), Value::Null)).collect();
        assert_eq!(many.problem().as_deref(), Some("has 51 members; the limit is 50"));
        let large: Extra = [("a".to_owned(), Value::from("x".repeat(16 * 1024)))].into_iter().collect();
        assert_eq!(large.problem().as_deref(), Some("has 16387 bytes; the limit is 16384"));
        let nul: Extra = [("a".to_owned(), Value::from("\0"))].into_iter().collect();
        assert_eq!(nul.problem().as_deref(), Some("contains a NUL character"));
        let mut received: Extra = [("a".to_owned(), Value::from(1))].into_iter().collect();
        received.fill(&[("a".to_owned(), Value::from(2)), ("b".to_owned(), Value::from(3))].into_iter().collect());
        assert_eq!(serde_json::to_value(&received).expect("JSON"), serde_json::json!({ "a": 1, "b": 3 }));
        assert_eq!(received.problem(), None);
        assert_eq!(many.clone().within_bounds().0.len(), 50);
        received.fill(&many);
        assert_eq!((received.problem(), received.0.len()), (None, 50), "it never grows beyond what can be kept");
        assert!(large.within_bounds().is_empty());
        assert_eq!(nul.within_bounds().get("a"), Some(&Value::from("\u{fffd}")));
    }
}
