//! Sample payloads, and ways to alter them.

mod json;
mod xml;

use std::ops::Range;

/// Name of a field that the channel may add in future.
const UNKNOWN: &str = "gassyncUnknown";
/// A text that is not a date, number or term of any channel.
const NO_WORD: &str = "\u{2603}";
/// Exceeds 32 bits; as an amount, even ten times this value is valid.
const HUGE: &str = "9999999999";
/// Exceeds the range of a float.
const BEYOND: &str = "1e999";
/// Date formats of channels, with `9` for any digit, each with dates that do not exist in day-month or month-day order.
const DAYS: [(&str, [&str; 3]); 7] = [
    ("9999-99-99", ["2027-02-30", "2027-13-01", "0000-00-00"]),
    ("9999/99/99", ["2027/02/30", "2027/13/01", "0000/00/00"]),
    ("99.99.9999", ["30.02.2027", "01.00.2027", "00.00.0000"]),
    ("99/99/9999", ["30/02/2027", "01/00/2027", "00/00/0000"]),
    ("99-99-9999", ["30-02-2027", "01-00-2027", "00-00-0000"]),
    ("19999999", ["20270230", "20271301", "00000000"]),
    ("20999999", ["20270230", "20271301", "00000000"]),
];

/// Kind of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ValueKind {
    Text,
    Number,
    Flag,
    Null,
    List,
    /// `end` is the position of the closing brace.
    Object {
        end: usize,
        members: Members,
    },
}

/// Kind of an object's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    None,
    Fields,
    /// The names are data, such as dates or ids.
    Table,
}

/// A value inside a payload.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueSpan {
    /// A JSON pointer, or the path of element names.
    pub place: String,
    pub range: Range<usize>,
    pub kind: ValueKind,
}

enum Form {
    Json(Vec<ValueSpan>),
    Xml(xml::Parts),
    Other,
}

/// The body of a channel's message.
pub(super) struct Payload {
    pub bytes: Vec<u8>,
    form: Form,
}

/// A way to change a payload.
pub(super) struct Alteration {
    pub how: String,
    edits: Vec<Edit>,
}

/// A range of bytes and its replacement.
type Edit = (Range<usize>, String);

impl Payload {
    pub fn new(bytes: Vec<u8>) -> Self {
        let form = match json::spans(&bytes) {
            Some(spans) => Form::Json(spans),
            None => std::str::from_utf8(&bytes).ok().and_then(xml::parts).map_or(Form::Other, Form::Xml),
        };
        Self { bytes, form }
    }

    pub fn is_json(&self) -> bool {
        matches!(self.form, Form::Json(_))
    }

    pub fn is_xml(&self) -> bool {
        matches!(self.form, Form::Xml(_))
    }

    /// Adds an unknown field to every object, or an unknown attribute and child to every element.
    pub fn unknown_everywhere(&self) -> Option<Alteration> {
        let edits: Vec<Edit> = self.unknown_in_each().into_iter().flat_map(|alteration| alteration.edits).collect();
        (!edits.is_empty()).then(|| Alteration { how: "something nobody knows in every place".to_owned(), edits })
    }

    /// Adds an unknown field at each position, one per alteration.
    pub fn unknown_in_each(&self) -> Vec<Alteration> {
        let one = |what: &str, place: &str, edit: Edit| Alteration {
            how: format!("{what} nobody knows at {}", shown(place)),
            edits: vec![edit],
        };
        match &self.form {
            Form::Json(spans) => {
                let member = |span: &ValueSpan| {
                    Some(one("a member", &span.place, added_member(span, r#"{"of":["later",1,null]}"#)?))
                };
                spans.iter().filter_map(member).collect()
            }
            Form::Xml(parts) => {
                let attribute = |(place, at): &(String, usize)| {
                    one("an attribute", place, (*at..*at, format!(r#" {UNKNOWN}="?""#)))
                };
                let child = |(place, at): &(String, usize)| {
                    one("an element", place, (*at..*at, format!(r#"<{UNKNOWN} code="1">?</{UNKNOWN}>"#)))
                };
                parts.attributes.iter().map(attribute).chain(parts.children.iter().map(child)).collect()
            }
            Form::Other => Vec::new(),
        }
    }

    /// Inserts a value as an unknown member, and in place of the first text.
    pub fn put_inside(&self, what: &str, json: &str, xml: &str) -> Vec<Alteration> {
        let altered =
            |place: &str, edit: Edit| Alteration { how: format!("{what} at {}", shown(place)), edits: vec![edit] };
        match &self.form {
            Form::Json(spans) => {
                let added = spans.iter().find_map(|span| Some((&span.place, added_member(span, json)?)));
                let first = spans.iter().find(|span| span.kind == ValueKind::Text);
                let replaced = first.map(|span| (&span.place, (span.range.clone(), json.to_owned())));
                added.into_iter().chain(replaced).map(|(place, edit)| altered(place, edit)).collect()
            }
            Form::Xml(parts) => {
                let first = parts.values.iter().find(|span| !span.place.contains('@'));
                first.map(|span| altered(&span.place, (span.range.clone(), xml.to_owned()))).into_iter().collect()
            }
            Form::Other => Vec::new(),
        }
    }

    /// Replaces every value in turn by nothing, by a value of another type, and by numbers out of range.
    pub fn other_values(&self) -> Vec<Alteration> {
        let replaced = |span: &ValueSpan, text: &str| {
            let what = if text.is_empty() { "nothing" } else { text };
            let how = format!("{what} at {}", shown(&span.place));
            Alteration { how, edits: vec![(span.range.clone(), text.to_owned())] }
        };
        let others = |span| others(span, self.is_json()).into_iter().map(move |text| replaced(span, &text));
        self.values().iter().flat_map(others).collect()
    }

    /// Replaces every date in turn by dates that do not exist. The text behind the date, such as a time, stays.
    pub fn impossible_days(&self) -> Vec<Alteration> {
        let mut alterations = Vec::new();
        for span in self.values().iter().filter(|span| span.kind == ValueKind::Text) {
            let start = span.range.start + usize::from(self.is_json());
            let text = self.bytes.get(start..span.range.end).unwrap_or_default();
            if let Some((form, impossible)) = DAYS.iter().find(|(form, _)| is_written(text, form)) {
                let range = start..start + form.len();
                alterations.extend(impossible.map(|day| Alteration {
                    how: format!("the day {day} at {}", shown(&span.place)),
                    edits: vec![(range.clone(), day.to_owned())],
                }));
            }
        }
        alterations
    }

    /// Position of the first edit.
    pub fn place(&self, alteration: &Alteration) -> usize {
        alteration.edits.iter().map(|(range, _)| range.start).min().unwrap_or_default()
    }

    /// Applies the edits.
    pub fn altered(&self, alteration: &Alteration) -> Vec<u8> {
        let mut edits: Vec<&Edit> = alteration.edits.iter().collect();
        edits.sort_by_key(|(range, _)| range.start);
        let mut bytes = self.bytes.clone();
        // Edit from the end, so that earlier positions stay valid.
        for (range, text) in edits.into_iter().rev() {
            bytes.splice(range.clone(), text.bytes());
        }
        bytes
    }

    fn values(&self) -> &[ValueSpan] {
        match &self.form {
            Form::Json(spans) => spans,
            Form::Xml(parts) => &parts.values,
            Form::Other => &[],
        }
    }
}

/// Invalid replacements for a value.
fn others(span: &ValueSpan, is_json: bool) -> Vec<String> {
    let word = format!("\"{NO_WORD}\"");
    let texts: &[&str] = match &span.kind {
        _ if !is_json => &["", NO_WORD, HUGE, BEYOND],
        ValueKind::Text => &["null", &word, "[]", HUGE, BEYOND],
        ValueKind::Number => &["null", &word, "[]", HUGE, "-9999999999", BEYOND],
        ValueKind::Flag => &["null", &word, HUGE],
        ValueKind::Null => &[&word, HUGE, "{}"],
        ValueKind::List => &["null", &word, "{}", HUGE],
        ValueKind::Object { .. } => &["null", &word, "[]", HUGE],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Adds an unknown member, if this is an object whose members are fields.
fn added_member(span: &ValueSpan, value: &str) -> Option<Edit> {
    let ValueKind::Object { end, members } = span.kind else { return None };
    let comma = match members {
        Members::None => "",
        Members::Fields => ",",
        Members::Table => return None,
    };
    Some((end..end, format!(r#"{comma}"{UNKNOWN}":{value}"#)))
}

/// The outermost value has an empty path.
fn shown(place: &str) -> &str {
    if place.is_empty() { "the top" } else { place }
}

/// True if a text begins with a date in this format, and not with a longer number.
fn is_written(text: &[u8], form: &str) -> bool {
    let (day, rest) = text.split_at(form.len().min(text.len()));
    let fits = |(byte, wanted): (&u8, u8)| if wanted == b'9' { byte.is_ascii_digit() } else { *byte == wanted };
    day.len() == form.len() && day.iter().zip(form.bytes()).all(fits) && !rest.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(payload: &Payload, alterations: &[Alteration]) -> Vec<String> {
        let text = |alteration| String::from_utf8(payload.altered(alteration)).expect("text");
        alterations.iter().map(text).collect()
    }

    #[test]
    fn json_is_altered_in_place() {
        let text = r#"{"total":450.00,"from":"2027-06-01T10:00:00Z","nights":{"2027-06-01":{}}}"#;
        let payload = Payload::new(text.as_bytes().to_vec());
        let unknown = texts(&payload, &[payload.unknown_everywhere().expect("JSON")]);
        let expected = r#"{"total":450.00,"from":"2027-06-01T10:00:00Z","nights":{"2027-06-01":{MORE}},MORE}"#;
        assert_eq!(unknown, [expected.replace("MORE", r#""gassyncUnknown":{"of":["later",1,null]}"#)]);
        let days = texts(&payload, &payload.impossible_days());
        assert!(days.len() == 3 && days[0].contains(r#""from":"2027-02-30T10:00:00Z""#), "{days:?}");
        let others = texts(&payload, &payload.other_values());
        assert!(others.contains(&text.replace("450.00", "null")) && !others.contains(&text.to_owned()), "{others:?}");
        let long = texts(&payload, &payload.put_inside("a long text", "\"xxxx\"", "xxxx"));
        assert!(long[0].ends_with(r#","gassyncUnknown":"xxxx"}"#) && long[1].contains(r#""from":"xxxx""#), "{long:?}");
    }

    #[test]
    fn xml_is_altered_in_place() {
        let payload = Payload::new(br#"<Rq Day="2027-06-01"><Name>Ada</Name><Of/></Rq>"#.to_vec());
        let start =
            r#"<Rq gassyncUnknown="?" Day="2027-06-01"><Name gassyncUnknown="?">Ada</Name><Of gassyncUnknown="?"/>"#;
        let unknown = texts(&payload, &[payload.unknown_everywhere().expect("XML")]);
        assert_eq!(unknown, [format!(r#"{start}<gassyncUnknown code="1">?</gassyncUnknown></Rq>"#)]);
        let days = texts(&payload, &payload.impossible_days());
        assert_eq!(days[1], r#"<Rq Day="2027-13-01"><Name>Ada</Name><Of/></Rq>"#);
        let others = texts(&payload, &payload.other_values());
        assert!(others.contains(&r#"<Rq Day=""><Name>Ada</Name><Of/></Rq>"#.to_owned()), "{others:?}");
        assert!(Payload::new(b"BEGIN:VCALENDAR".to_vec()).unknown_everywhere().is_none());
    }

    #[test]
    fn dates_are_recognised_in_all_formats() {
        let payload =
            Payload::new(br#"{"a":"24.12.2027","b":"12/24/2027 10:00","c":"20271224","d":"202712240001"}"#.to_vec());
        let days = texts(&payload, &payload.impossible_days());
        assert_eq!(days.len(), 9, "the last is a number: {days:?}");
        assert!(days[0].contains(r#""a":"30.02.2027""#) && days[3].contains(r#""b":"30/02/2027 10:00""#), "{days:?}");
        assert!(days[8].contains(r#""c":"00000000""#), "{days:?}");
    }
}
