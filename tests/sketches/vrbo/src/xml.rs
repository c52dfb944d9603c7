//! XML as a tree, for reading and writing, shared by the four XML channels.

use std::fmt;

use gassync_plugin::{ChannelError, malformed};
use quick_xml::{
    Reader,
    escape::{escape, unescape},
    events::{BytesStart, Event},
};
use serde_json::{Map, Value};

/// Maximum depth: dropping a deeper document could overflow the stack.
const MAX_DEPTH: usize = 64;

/// An element with its content. Namespaces are dropped: no channel uses them to distinguish elements.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name without prefix.
    pub name: String,
    /// Its child elements.
    pub children: Vec<Element>,
    attributes: Vec<(String, String)>,
    secrets: Vec<(String, String)>,
    text: String,
}

/// Creates an element.
pub fn element(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

impl Element {
    /// Parses a document. Invalid or truncated XML is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, ChannelError> {
        let text = std::str::from_utf8(bytes).map_err(wrong)?;
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().map_err(wrong)? {
                Event::Start(start) if open.len() < MAX_DEPTH => open.push(started(&start)?),
                Event::Start(_) => return Err(wrong("too deep")),
                Event::Empty(start) => last(&mut open).children.push(started(&start)?),
                Event::End(_) => {
                    let done = open.pop().unwrap_or_default();
                    last(&mut open).children.push(done);
                }
                Event::Text(text) => last(&mut open).text.push_str(&text),
                Event::CData(text) => last(&mut open).text.push_str(&text),
                // Only predefined entities are known, so a document cannot expand.
                Event::GeneralRef(name) => {
                    let meant = format!("&{};", &*name);
                    last(&mut open).text.push_str(&unescape(&meant).map_err(wrong)?);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let [document] = open.as_mut_slice() else { return Err(wrong("it is cut off")) };
        document.children.pop().ok_or_else(|| wrong("there is no element"))
    }

    /// The first element at a path such as `A/B`.
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |at, name| at.children.iter().find(|child| child.name == name))
    }

    /// All elements at a path, in order.
    pub fn all(&self, path: &str) -> Vec<&Self> {
        path.split('/').fold(vec![self], |at, name| {
            at.into_iter().flat_map(|element| &element.children).filter(|child| child.name == name).collect()
        })
    }

    /// The value of an attribute; `None` if empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let said = self.attributes.iter().find(|(known, _)| known == name)?.1.trim();
        (!said.is_empty()).then_some(said)
    }

    /// The text of the first element at a path; `None` if empty.
    pub fn said(&self, path: &str) -> Option<&str> {
        self.find(path)?.own_text()
    }

    /// Its own text.
    pub fn own_text(&self) -> Option<&str> {
        let said = self.text.trim();
        (!said.is_empty()).then_some(said)
    }

    /// The text at a path, which is required.
    pub fn must_say(&self, path: &str) -> Result<&str, ChannelError> {
        self.said(path).ok_or_else(|| malformed(format_args!("{}/{path}", self.name), "is not said"))
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds an attribute if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds an attribute that the host fills in: `slot.field`.
    #[must_use]
    pub fn with_secret(mut self, name: &str, secret: &str) -> Self {
        self.secrets.push((name.to_owned(), secret.to_owned()));
        self
    }

    /// Adds child elements.
    #[must_use]
    pub fn around(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn saying(mut self, text: impl ToString) -> Self {
        self.text = text.to_string();
        self
    }

    /// The complete document.
    pub fn document(&self) -> Vec<u8> {
        let mut into = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
        self.write(&mut into);
        into.into_bytes()
    }

    /// Appends the element to a buffer, for documents that are written in parts.
    pub fn write_to(&self, into: &mut Vec<u8>) {
        let mut text = String::new();
        self.write(&mut text);
        into.extend(text.into_bytes());
    }

    fn write(&self, into: &mut String) {
        into.push('<');
        into.push_str(&self.name);
        for (name, value) in &self.attributes {
            into.push_str(&format!(" {name}=\"{}\"", plain(value)));
        }
        for (name, secret) in &self.secrets {
            into.push_str(&format!(" {name}=\"{{{{{secret}|xml}}}}\""));
        }
        if self.children.is_empty() && self.text.is_empty() {
            into.push_str("/>");
            return;
        }
        into.push('>');
        if self.children.is_empty() {
            into.push_str(&plain(&self.text));
        }
        for child in &self.children {
            child.write(into);
        }
        into.push_str(&format!("</{}>", self.name));
    }

    /// As JSON, for the record's `raw`.
    pub fn json(&self) -> Value {
        let mut fields = Map::new();
        for (name, value) in &self.attributes {
            fields.insert(format!("@{name}"), Value::from(value.as_str()));
        }
        for child in &self.children {
            match fields.get_mut(&child.name) {
                Some(Value::Array(several)) => several.push(child.json()),
                Some(one) => *one = Value::Array(vec![one.take(), child.json()]),
                None => {
                    fields.insert(child.name.clone(), child.json());
                }
            }
        }
        match self.own_text() {
            Some(text) if fields.is_empty() => Value::from(text),
            _ if fields.is_empty() => Value::Null,
            _ => Value::Object(fields),
        }
    }
}

fn last(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::default());
    }
    let index = open.len() - 1;
    &mut open[index]
}

fn started(start: &BytesStart<'_>) -> Result<Element, ChannelError> {
    let mut started = element(start.local_name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(wrong)?;
        let value = unescape(&attribute.value).map_err(wrong)?;
        started.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(started)
}

/// Keeps external text plain: it must contain neither markup nor a placeholder that the host would fill in.
fn plain(text: &str) -> String {
    escape(text).replace("{{", "&#123;&#123;")
}

fn wrong(problem: impl fmt::Display) -> ChannelError {
    malformed("the XML", problem)
}
