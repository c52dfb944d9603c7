//! Finds values in a JSON text. Texts are edited in place and not serialised again, to keep the digits of numbers.

use super::{Members, ValueKind, ValueSpan};

/// Returns the values of a text, outer before inner; `None` if it is not JSON.
pub(super) fn spans(bytes: &[u8]) -> Option<Vec<ValueSpan>> {
    // Parse first with serde_json, which limits the depth, so that the recursion below needs no limit.
    serde_json::from_slice::<serde_json::Value>(bytes).ok()?;
    let mut reader = Reader { bytes, at: 0, spans: Vec::new() };
    reader.value("")?;
    Some(reader.spans)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    spans: Vec<ValueSpan>,
}

impl Reader<'_> {
    fn value(&mut self, place: &str) -> Option<()> {
        self.space();
        let (start, index) = (self.at, self.spans.len());
        let kind = match self.peek()? {
            b'{' => ValueKind::Object { end: 0, members: Members::None },
            b'[' => ValueKind::List,
            b'"' => ValueKind::Text,
            b't' | b'f' => ValueKind::Flag,
            b'n' => ValueKind::Null,
            _ => ValueKind::Number,
        };
        self.spans.push(ValueSpan { place: place.to_owned(), range: start..start, kind });
        match self.peek()? {
            b'{' => {
                let (end, members) = self.object(place)?;
                self.spans.get_mut(index)?.kind = ValueKind::Object { end, members };
            }
            b'[' => self.list(place)?,
            b'"' => drop(self.text()?),
            _ => {
                while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
                    self.at += 1;
                }
            }
        }
        self.spans.get_mut(index)?.range = start..self.at;
        Some(())
    }

    fn object(&mut self, place: &str) -> Option<(usize, Members)> {
        self.at += 1;
        let mut members = Members::None;
        loop {
            self.space();
            match self.peek()? {
                b'}' => {
                    self.at += 1;
                    return Some((self.at - 1, members));
                }
                b',' => self.at += 1,
                _ => {
                    let name = self.text()?;
                    members = match members {
                        Members::None | Members::Table if is_data(&name) => Members::Table,
                        _ => Members::Fields,
                    };
                    self.space();
                    self.at += 1;
                    self.value(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")))?;
                }
            }
        }
    }

    fn list(&mut self, place: &str) -> Option<()> {
        self.at += 1;
        let mut index = 0;
        loop {
            self.space();
            match self.peek()? {
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => {
                    self.value(&format!("{place}/{index}"))?;
                    index += 1;
                }
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_slice(self.bytes.get(start..self.at)?).ok()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

/// True for an id or date, which channels use as member names in objects that are tables.
fn is_data(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || b"-:T".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_values_are_located() {
        let text = br#" {"a/b": [1.50, "x\"}", {}], "c": {"2027-06-01": null, "2027-06-02": true}} "#;
        let spans = spans(text).expect("JSON");
        let found: Vec<(&str, &str)> = spans
            .iter()
            .map(|span| (&*span.place, std::str::from_utf8(&text[span.range.clone()]).expect("text")))
            .collect();
        assert_eq!(found.len(), 8);
        assert_eq!(found[1], ("/a~1b", r#"[1.50, "x\"}", {}]"#));
        assert_eq!((found[2], found[3]), (("/a~1b/0", "1.50"), ("/a~1b/1", r#""x\"}""#)));
        assert_eq!((found[4].1, found[6]), ("{}", ("/c/2027-06-01", "null")));
        let members = |index: usize| match &spans[index].kind {
            ValueKind::Object { end, members } => (text[*end], *members),
            other => panic!("{other:?}"),
        };
        assert_eq!(members(5), (b'}', Members::Table), "what days are the names of is a table");
        assert_eq!((members(0), members(4)), ((b'}', Members::Fields), (b'}', Members::None)));
        assert!(super::spans(b"{").is_none() && super::spans("[".repeat(10_000).as_bytes()).is_none());
    }
}
