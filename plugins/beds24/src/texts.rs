//! Texts for guests, in the languages of a property.

use gassync_plugin::Lenient;
use serde_json::value::RawValue;

/// Preferred language if there are several.
const PREFERRED: &str = "en";

/// Returns one text in one language: the first non-empty of these names. Unreadable texts are ignored, since they are
/// only informative.
pub(crate) fn text(texts: Option<&RawValue>, names: &[&str]) -> Option<String> {
    type Named = std::collections::BTreeMap<String, Lenient>;
    let texts: Vec<Named> = serde_json::from_str(texts?.get()).ok()?;
    let said = |one: &Named| names.iter().find_map(|name| one.get(*name)?.text());
    let is_preferred = |one: &&Named| one.get("language").is_some_and(|language| language.lower() == PREFERRED);
    texts.iter().find(is_preferred).and_then(said).or_else(|| texts.iter().find_map(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_language_counts_first_and_any_is_better_than_none() {
        let reported = |texts: &str| {
            let raw = RawValue::from_string(texts.to_owned()).expect("JSON");
            text(Some(&raw), &["propertyDescription", "headline"])
        };
        let dutch = r#"{"language":"nl","propertyDescription":"Aan het strand","headline":""}"#;
        let english = r#"{"language":"EN","propertyDescription":"","headline":"By the beach"}"#;
        assert_eq!(reported(&format!("[{dutch},{english}]")).as_deref(), Some("By the beach"));
        assert_eq!(reported(&format!("[{dutch}]")).as_deref(), Some("Aan het strand"));
        for none in ["[]", "null", "7", r#"[{"language":"en"}]"#, r#"["en"]"#] {
            assert_eq!(reported(none), None, "{none}");
        }
        assert_eq!(text(None, &["headline"]), None);
    }
}
