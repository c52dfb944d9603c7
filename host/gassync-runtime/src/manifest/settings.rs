//! Validation of a source's settings against the schema of the manifest.

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::Value;

use super::Manifest;

impl Manifest {
    /// Errors of settings: path, such as `rooms[0].id`, and problem. Unknown settings are errors unless the schema
    /// allows additional properties.
    pub fn wrong_settings(&self, settings: &Value) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.settings.get("additionalProperties").is_none() {
            let known = self.settings.get("properties").and_then(Value::as_object);
            let given = settings.as_object().into_iter().flat_map(|given| given.keys());
            let unknown = given.filter(|name| !known.is_some_and(|known| known.contains_key(*name)));
            wrong.extend(unknown.map(|name| (name.clone(), "unknown setting".to_owned())));
        }
        match validator(&self.settings) {
            Ok(validator) => {
                let whole = self.with_defaults(settings);
                let errors = validator.iter_errors(&whole);
                wrong.extend(errors.map(|error| (place(&error), error.masked_with("what is given").to_string())));
            }
            Err(problem) => wrong.push((String::new(), problem)),
        }
        wrong
    }
}

/// Creates the validator of a schema, without network access.
pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options().should_validate_formats(true).build(schema).map_err(|error| error.to_string())
}

/// A readable path, including a missing or unexpected property.
fn place(error: &jsonschema::ValidationError<'_>) -> String {
    let mut place = String::new();
    for step in error.instance_path().as_str().split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(index) => place.push_str(&format!("[{index}]")),
            Err(_) if place.is_empty() => place.push_str(step),
            Err(_) => place.push_str(&format!(".{step}")),
        }
    }
    let last = match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.first().map(String::as_str),
        _ => None,
    };
    match last {
        Some(last) if place.is_empty() => last.to_owned(),
        Some(last) => format!("{place}.{last}"),
        None => place,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(settings: &Value) -> Manifest {
        let text = json!({
            "schemaVersion": 1, "id": "a", "displayName": "A", "version": "1.0.0", "contract": "1.0.0", "vendor": "V",
            "settings": settings,
        });
        Manifest::parse(&text.to_string()).expect("a manifest")
    }

    #[test]
    fn invalid_settings_are_reported_with_their_path() {
        let manifest = manifest(&json!({
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": { "type": "string", "format": "uri" },
                "days": { "type": "integer", "maximum": 500, "default": 365 },
                "rooms": { "type": "array", "items": {
                    "type": "object", "additionalProperties": false, "properties": { "id": { "type": "string" } },
                } },
            },
        }));
        let places = |settings: Value| {
            let mut places: Vec<String> =
                manifest.wrong_settings(&settings).into_iter().map(|(place, _)| place).collect();
            places.sort();
            places
        };
        assert_eq!(places(json!({ "url": "https://a.example" })), Vec::<String>::new());
        assert_eq!(places(json!({})), ["url"]);
        assert_eq!(places(json!({ "url": "https://a.example", "dasy": 3 })), ["dasy"]);
        assert_eq!(places(json!({ "url": "no address", "days": 501 })), ["days", "url"]);
        let rooms = json!({ "url": "https://a.example", "rooms": [{ "id": "1" }, { "id": 2 }, { "ids": "3" }] });
        assert_eq!(places(rooms), ["rooms[1].id", "rooms[2].ids"]);
        let errors = manifest.wrong_settings(&json!({ "url": "https://a.example", "days": "hunter2" }));
        assert!(errors.iter().all(|(_, why)| !why.contains("hunter2")), "what was given is not repeated: {errors:?}");
    }

    #[test]
    fn invalid_settings_schemas_are_refused() {
        let text = json!({
            "schemaVersion": 1, "id": "a", "displayName": "A", "version": "1.0.0", "contract": "1.0.0", "vendor": "V",
            "settings": { "type": "objekt" },
        });
        assert_eq!(Manifest::parse(&text.to_string()).expect_err("refused").path, "settings");
    }
}
