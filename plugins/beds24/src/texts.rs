//! Texts that guests read, in the languages that a house has them in.

use gassync_plugin::Lenient;
use serde_json::value::RawValue;

/// The language that is taken where there are several.
const PREFERRED: &str = "en";

/// One text in one language, by its name there: the first of these names that says anything. Texts that cannot be read are
/// none, since nothing is decided by them.
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
