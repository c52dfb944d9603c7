//! Masks fields of messages. Manifests write a field as a JSON pointer (`*` matches any array element) or as `xml:A/B/@C`,
//! which matches the end of an element's path without namespaces and includes everything inside the element.

use std::{borrow::Cow, cmp::Reverse, fmt};

use quick_xml::{
    Reader, Writer,
    events::{BytesStart, BytesText, Event, attributes::Attribute},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::body_text::BodyText;

/// The mask.
const MASK: &str = "***";

/// The path of a field in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldPath<'a> {
    /// JSON: the steps of a pointer.
    Json(Vec<&'a str>),
    /// XML: the last names of an element path, and an attribute.
    Xml(Vec<&'a str>, Option<&'a str>),
}

impl<'a> FieldPath<'a> {
    /// Parses a path as written in manifests.
    pub fn parse(text: &'a str) -> Self {
        let Some(path) = text.strip_prefix("xml:") else {
            return Self::Json(text.split('/').skip(1).collect());
        };
        match path.rsplit_once('@') {
            Some((elements, attribute)) => Self::Xml(names(elements), Some(attribute)),
            None => Self::Xml(names(path), None),
        }
    }
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

/// Reads the text at a path; the first match counts.
pub fn read(body: &[u8], path: &FieldPath<'_>) -> Option<String> {
    let text = BodyText::of(body).text;
    match path {
        FieldPath::Json(steps) => {
            let value: Value = serde_json::from_str(&text).ok()?;
            let found = steps.iter().try_fold(&value, |value, step| match value {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            })?;
            found.as_str().map(str::to_owned)
        }
        FieldPath::Xml(path, attribute) => read_xml(&text, path, *attribute),
    }
}

fn read_xml(text: &str, path: &[&str], wanted: Option<&str>) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut above: Vec<String> = Vec::new();
    let mut inside: Option<(usize, String)> = None;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(element) | Event::Empty(element) => {
                above.push(local_name(element));
                if ends_with(&above, path) {
                    match wanted {
                        Some(wanted) => {
                            let found = element.attributes().flatten().find(|a| is_named(a, wanted));
                            if let Some(attribute) = found {
                                return quick_xml::escape::unescape(&attribute.value).ok().map(Cow::into_owned);
                            }
                        }
                        None => inside = Some((above.len(), String::new())),
                    }
                }
                if matches!(event, Event::Empty(_)) {
                    above.pop();
                }
            }
            Event::Text(text) => say(&mut inside, text),
            Event::CData(text) => say(&mut inside, text),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &**name);
                say(&mut inside, &quick_xml::escape::unescape(&reference).ok()?);
            }
            Event::End(_) => {
                if inside.as_ref().is_some_and(|(depth, _)| *depth == above.len()) {
                    return inside.map(|(_, said)| said.trim().to_owned());
                }
                above.pop();
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn say(inside: &mut Option<(usize, String)>, text: &str) {
    if let Some((_, said)) = inside {
        said.push_str(text);
    }
}

/// Masks the values at the given paths. All other bytes are unchanged, so that long ids and amounts keep their digits.
pub fn mask(body: Vec<u8>, paths: &[FieldPath<'_>]) -> Vec<u8> {
    if paths.is_empty() {
        return body;
    }
    let read = BodyText::of(&body);
    let masked = if read.text.trim_start().starts_with('<') {
        mask_xml(&read.text, paths)
    } else {
        mask_json(&read.text, paths)
    };
    masked.map_or(body, |masked| read.encode(&masked))
}

/// Masks JSON in place, leaving all other bytes unchanged.
fn mask_json(text: &str, paths: &[FieldPath<'_>]) -> Option<String> {
    let whole: &RawValue = serde_json::from_str(text).ok()?;
    let mut found = Vec::new();
    for path in paths {
        if let FieldPath::Json(steps) = path {
            find(whole.get(), steps, &mut found);
        }
    }
    // A value inside a masked one is masked with it.
    found.sort_by_key(|value: &&str| (value.as_ptr(), Reverse(value.len())));
    let mut masked = String::with_capacity(text.len());
    let mut rest = 0;
    for value in found {
        let start = value.as_ptr().addr() - text.as_ptr().addr();
        if start < rest {
            continue;
        }
        masked.push_str(text.get(rest..start)?);
        masked.push_str(&format!("{MASK:?}"));
        rest = start + value.len();
    }
    masked.push_str(text.get(rest..)?);
    (masked != text).then_some(masked)
}

/// The raw values at a path; null and empty values are left out.
fn find<'a>(value: &'a str, steps: &[&str], found: &mut Vec<&'a str>) {
    let Some((step, rest)) = steps.split_first() else {
        if !["null", "\"\""].contains(&value) {
            found.push(value);
        }
        return;
    };
    if value.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(value).unwrap_or_default();
        let index = step.parse::<usize>().ok();
        let meant = items.into_iter().enumerate().filter(|(at, _)| *step == "*" || index == Some(*at));
        meant.for_each(|(_, item)| find(item.get(), rest, found));
    } else if value.starts_with('{') {
        let Members(members) = serde_json::from_str(value).unwrap_or_default();
        let meant = members.into_iter().filter(|(name, _)| name == step);
        meant.for_each(|(_, member)| find(member.get(), rest, found));
    }
}

/// The members of an object in order, including duplicate names.
#[derive(Default)]
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Masks XML; `None` if nothing matched. Malformed XML is cut at the error, since the rest cannot be checked.
fn mask_xml(text: &str, paths: &[FieldPath<'_>]) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new(Vec::with_capacity(text.len()));
    let mut above: Vec<String> = Vec::new();
    let mut hidden = false;
    // Depth of the outermost element that is masked as a whole.
    let mut under: Option<usize> = None;
    loop {
        let Ok(event) = reader.read_event() else {
            return String::from_utf8(writer.into_inner()).ok();
        };
        let written = match event {
            Event::Eof => return hidden.then(|| String::from_utf8(writer.into_inner()).ok())?,
            Event::Start(element) => {
                above.push(local_name(&element));
                if under.is_none() && is_whole(&above, paths) {
                    under = Some(above.len());
                }
                let element = attributes(element, &above, under.is_some(), paths, &mut hidden);
                writer.write_event(Event::Start(element))
            }
            Event::Empty(element) => {
                above.push(local_name(&element));
                let whole = under.is_some() || is_whole(&above, paths);
                let element = attributes(element, &above, whole, paths, &mut hidden);
                above.pop();
                writer.write_event(Event::Empty(element))
            }
            Event::End(element) => {
                if under == Some(above.len()) {
                    under = None;
                }
                above.pop();
                writer.write_event(Event::End(element))
            }
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) if under.is_some() => {
                hidden = true;
                writer.write_event(Event::Text(BytesText::from_escaped(MASK)))
            }
            other => writer.write_event(other),
        };
        // Writing to memory cannot fail; if it did, masking everything is safe.
        written.ok()?;
    }
}

fn is_whole(above: &[String], paths: &[FieldPath<'_>]) -> bool {
    paths.iter().any(|path| matches!(path, FieldPath::Xml(path, None) if ends_with(above, path)))
}

fn attributes<'a>(
    element: BytesStart<'a>,
    above: &[String],
    whole: bool,
    paths: &[FieldPath<'_>],
    hidden: &mut bool,
) -> BytesStart<'a> {
    let is_hidden = |attribute: &Attribute<'_>| {
        whole
            || paths.iter().any(|path| {
                matches!(path, FieldPath::Xml(path, Some(name)) if ends_with(above, path) && is_named(attribute, name))
            })
    };
    if !element.attributes().flatten().any(|attribute| is_hidden(&attribute)) {
        return element;
    }
    *hidden = true;
    let mut masked = element.to_owned();
    masked.clear_attributes();
    for mut attribute in element.attributes().flatten() {
        if is_hidden(&attribute) {
            attribute.value = Cow::Borrowed(MASK);
        }
        masked.push_attribute(attribute);
    }
    masked
}

fn local_name(element: &BytesStart<'_>) -> String {
    element.local_name().as_ref().to_owned()
}

fn is_named(attribute: &Attribute<'_>, name: &str) -> bool {
    attribute.key.local_name().as_ref() == name
}

fn ends_with(above: &[String], path: &[&str]) -> bool {
    above.len() >= path.len() && above[above.len() - path.len()..].iter().zip(path).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(body: &str, paths: &[&str]) -> String {
        let paths: Vec<FieldPath<'_>> = paths.iter().map(|path| FieldPath::parse(path)).collect();
        String::from_utf8(mask(body.as_bytes().to_vec(), &paths)).expect("text")
    }

    #[test]
    fn named_values_are_masked_only() {
        let body = r#"{"data":[{"token":"tok_1","id":12345678901234567890},{"token":null}],"cvc":123}"#;
        let masked = masked(body, &["/data/*/token", "/cvc"]);
        assert!(!masked.contains("tok_1") && !masked.contains("123}"), "{masked}");
        assert!(masked.contains("12345678901234567890"));
    }

    #[test]
    fn other_bytes_are_unchanged() {
        let body =
            r#" { "price" : 450.00, "key":"a", "list":[{"key":{"x":"b"}}, {"key" : "c"}], "key": "d", "n": 1E+2 } "#;
        let hidden =
            r#" { "price" : 450.00, "key":"***", "list":[{"key":"***"}, {"key" : "c"}], "key": "***", "n": 1E+2 } "#;
        assert_eq!(masked(body, &["/key", "/list/0/key", "/list/0/key/x", "/nothing", "/price/x"]), hidden);
        assert_eq!(masked(r#"[{"key":""},{"key":null}]"#, &["/*/key"]), r#"[{"key":""},{"key":null}]"#);
    }

    #[test]
    fn nothing_to_hide_is_left_byte_for_byte() {
        for body in [r#"{ "price" : 450.00, "token": null }"#, "<a  x='1'><b/></a>", "<a>broken", "", "no json"] {
            assert_eq!(masked(body, &["/token", "xml:c/@d"]), body);
        }
    }

    #[test]
    fn xml_elements_and_attributes_are_masked() {
        let body = r#"<s:Env xmlns:s="u"><s:Auth Username="hotel" Password="s3cret"/><Card No="4111"><Name>J &amp; K</Name>
            <Cvc><![CDATA[123]]></Cvc></Card><Total Amount="12000"/></s:Env>"#;
        let masked = masked(body, &["xml:Env/Auth/@Password", "xml:Card"]);
        for gone in ["s3cret", "4111", "J &amp; K", "123<", "CDATA"] {
            assert!(!masked.contains(gone), "{gone}: {masked}");
        }
        for kept in [r#"Username="hotel""#, r#"Amount="12000""#, "<Name>***", r#"No="***""#] {
            assert!(masked.contains(kept), "{kept}: {masked}");
        }
        let path = |text| FieldPath::parse(text);
        assert_eq!(read(body.as_bytes(), &path("xml:Auth/@Password")).as_deref(), Some("s3cret"));
        assert_eq!(read(body.as_bytes(), &path("xml:Card/Name")).as_deref(), Some("J & K"));
        assert_eq!(read(body.as_bytes(), &path("xml:Auth/@Nothing")), None);
        assert_eq!(read(br#"{"auth":[{"key":"k"}]}"#, &path("/auth/0/key")).as_deref(), Some("k"));
    }

    #[test]
    fn values_are_masked_in_any_encoding() {
        let paths = [FieldPath::parse("xml:Card")];
        let mask = |body: Vec<u8>| mask(body, &paths);
        let document = r#"<?xml version="1.0" encoding="utf-16"?><a n="Zoë"><Card No="4111"/></a>"#;
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(mask(utf16(document)), utf16(&document.replace("4111", MASK)));
        let marked = format!("\u{feff}{document}");
        assert_eq!(mask(utf16(&marked)), utf16(&marked.replace("4111", MASK)));
        assert_eq!(mask(marked.clone().into_bytes()), marked.replace("4111", MASK).into_bytes());
        assert_eq!(mask(b"<a n='Zo\xeb'><Card No=\"4111\"/></a>".to_vec()), b"<a n='Zo\xeb'><Card No=\"***\"/></a>");
        let json = |number: &str| [&b"{\"name\":\"Zo\xeb\",\"card\":\""[..], number.as_bytes(), b"\"}"].concat();
        assert_eq!(super::mask(json("4111"), &[FieldPath::parse("/card")]), json(MASK));
        assert_eq!(read(&utf16(document), &FieldPath::parse("xml:Card/@No")).as_deref(), Some("4111"));
    }

    #[test]
    fn truncated_xml_is_masked_as_far_as_possible() {
        let cut = masked(r#"<a><Card No="4111"/><b></c><Card No="4222"/>"#, &["xml:Card"]);
        assert!(!cut.contains("4111") && !cut.contains("4222"), "{cut}");
    }
}
