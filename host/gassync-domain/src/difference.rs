use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that differs between two versions of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldChange {
    /// A JSON pointer into the record.
    pub path: String,
    /// The old value; null if absent.
    pub before: Value,
    /// The new value; null if absent.
    pub after: Value,
}

/// The differences field by field, in field order; lists are compared by index.
pub fn differences(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

fn compare(path: String, before: &Value, after: &Value, found: &mut Vec<FieldChange>) {
    const NOTHING: Value = Value::Null;
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) => {
            let fields = |side: &Value| side.as_object().map(|f| f.keys().cloned().collect()).unwrap_or_default();
            let (mut names, others): (Vec<String>, Vec<String>) = (fields(before), fields(after));
            names.extend(others);
            names.sort_unstable();
            names.dedup();
            for name in names {
                let side = |side: &Value| side.get(&name).cloned().unwrap_or(NOTHING);
                compare(format!("{path}/{}", escape(&name)), &side(before), &side(after), found);
            }
        }
        (Value::Array(_) | Value::Null, Value::Array(_) | Value::Null) => {
            let length = |side: &Value| side.as_array().map_or(0, Vec::len);
            for index in 0..length(before).max(length(after)) {
                let side = |side: &Value| side.get(index).cloned().unwrap_or(NOTHING);
                compare(format!("{path}/{index}"), &side(before), &side(after), found);
            }
        }
        (before, after) => found.push(FieldChange { path, before: before.clone(), after: after.clone() }),
    }
}

/// Escapes a name as a JSON pointer token (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_differences_are_reported() {
        let before = json!({ "name": "Casa", "rooms": [{ "unit": 1 }], "city": "Faro", "a/b": 1 });
        let after = json!({ "name": "Casa", "rooms": [{ "unit": 1 }, { "unit": 2 }], "city": null, "a/b": 2 });
        let found: Vec<(String, Value, Value)> =
            differences(&before, &after).into_iter().map(|c| (c.path, c.before, c.after)).collect();
        assert_eq!(
            found,
            [
                ("/a~1b".to_owned(), json!(1), json!(2)),
                ("/city".to_owned(), json!("Faro"), json!(null)),
                ("/rooms/1/unit".to_owned(), json!(null), json!(2)),
            ]
        );
        assert!(differences(&before, &before).is_empty());
        assert_eq!(differences(&Value::Null, &json!({ "x": 1 })).len(), 1);
    }
}
