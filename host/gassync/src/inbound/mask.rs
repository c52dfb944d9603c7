//! What nobody may keep is taken out before anything durable is written and before a plugin sees it.

use serde_json::Value;

/// What stands in place of a masked value.
const MASK: &str = "***";

/// Blanks every value that one of the pointers names; `*` stands for any element of an array. A body that is not JSON,
/// or has nothing to hide, comes back byte for byte, so that long ids and digits stay as they were.
pub fn mask(body: Vec<u8>, pointers: &[String]) -> Vec<u8> {
    if pointers.is_empty() {
        return body;
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
        return body;
    };
    let mut hidden = false;
    for pointer in pointers {
        let steps: Vec<&str> = pointer.split('/').skip(1).collect();
        hidden |= blank(&mut value, &steps);
    }
    if !hidden {
        return body;
    }
    serde_json::to_vec(&value).unwrap_or_default()
}

fn blank(value: &mut Value, steps: &[&str]) -> bool {
    match (steps, value) {
        ([], Value::Null) => false,
        ([], text) if text == "" => false,
        ([], value) => {
            *value = Value::String(MASK.to_owned());
            true
        }
        (["*", rest @ ..], Value::Array(items)) => {
            // All of them: the first that hides something must not end the search.
            items.iter_mut().map(|item| blank(item, rest)).filter(|hidden| *hidden).count() > 0
        }
        ([key, rest @ ..], Value::Object(fields)) => fields.get_mut(*key).is_some_and(|field| blank(field, rest)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_values_go_and_the_rest_stays() {
        let pointers = ["/data/*/token".to_owned(), "/cvc".to_owned()];
        let body = br#"{"data":[{"token":"tok_1","id":12345678901234567890},{"token":null}],"cvc":123}"#;
        let masked = String::from_utf8(mask(body.to_vec(), &pointers)).expect("text");
        assert!(!masked.contains("tok_1") && !masked.contains("123}"), "{masked}");
        assert!(masked.contains("12345678901234567890"));
    }

    #[test]
    fn nothing_to_hide_is_left_byte_for_byte() {
        let body = br#"{ "price" : 450.00, "token": null }"#;
        assert_eq!(mask(body.to_vec(), &["/token".to_owned()]), body);
        assert_eq!(mask(b"<xml/>".to_vec(), &["/token".to_owned()]), b"<xml/>");
    }
}
