//! XML as a tree, for reading and for writing: the four XML channels share this file.

use std::fmt;

use gassync_plugin::{ChannelError, malformed};
use quick_xml::{
    Reader,
    escape::{escape, unescape},
    events::{BytesStart, Event},
};
use serde_json::{Map, Value};

/// How deep a document may be: a hostile one must not use up the stack when it is dropped.
const MAX_DEPTH: usize = 64;

/// An element with all that is in it. Namespaces are left out: no channel has two elements that differ in them alone.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// What is in it.
    pub children: Vec<Element>,
    attributes: Vec<(String, String)>,
    secrets: Vec<(String, String)>,
    text: String,
}

/// An element to be written.
pub fn element(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

impl Element {
    /// Reads a document. What is no XML, or is cut off, is malformed.
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
                // Only what XML itself names: entities of the document's own are not known, so none can grow.
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

    /// What an attribute says; an empty one says nothing.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let said = self.attributes.iter().find(|(known, _)| known == name)?.1.trim();
        (!said.is_empty()).then_some(said)
    }

    /// What the first element at a path says; an empty one says nothing.
    pub fn said(&self, path: &str) -> Option<&str> {
        self.find(path)?.own_text()
    }

    /// What it says itself.
    pub fn own_text(&self) -> Option<&str> {
        let said = self.text.trim();
        (!said.is_empty()).then_some(said)
    }

    /// The same, where it must be said.
    pub fn must_say(&self, path: &str) -> Result<&str, ChannelError> {
        self.said(path).ok_or_else(|| malformed(format_args!("{}/{path}", self.name), "is not said"))
    }

    /// With an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// With an attribute, where there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With an attribute that the host fills in: `slot.field`.
    #[must_use]
    pub fn with_secret(mut self, name: &str, secret: &str) -> Self {
        self.secrets.push((name.to_owned(), secret.to_owned()));
        self
    }

    /// Around these elements.
    #[must_use]
    pub fn around(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Saying this.
    #[must_use]
    pub fn saying(mut self, text: impl ToString) -> Self {
        self.text = text.to_string();
        self
    }

    /// The document.
    pub fn document(&self) -> Vec<u8> {
        let mut into = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
        self.write(&mut into);
        into.into_bytes()
    }

    /// A piece of a document that is longer than one wants to hold at once.
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

/// What somebody wrote must stay text: neither markup, nor a placeholder that the host would fill in.
fn plain(text: &str) -> String {
    escape(text).replace("{{", "&#123;&#123;")
}

fn wrong(problem: impl fmt::Display) -> ChannelError {
    malformed("the XML", problem)
}
