//! The tree.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::place::Place;
use crate::{ChannelError, malformed};

/// An element with its content. Paths such as `A/B` lead to children by their local names, whatever their namespace;
/// [`is_in`](Self::is_in) and [`child_in`](Self::child_in) ask for it.
#[derive(Debug, Clone)]
pub struct Element {
    /// Its local name if it was read, as written otherwise.
    pub(super) name: Rc<str>,
    pub(super) namespace: Option<Rc<str>>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) children: Vec<Element>,
    pub(super) text: Text,
    pub(super) place: Place,
}

/// An attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name as written, with its prefix.
    pub(super) name: Rc<str>,
    pub(super) namespace: Option<Rc<str>>,
    pub(super) value: Text,
}

/// A text, or a secret's name, `slot.field`.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Plain(String),
    Secret(String),
}

impl Text {
    /// The text, trimmed; `None` if it is empty or a secret.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Self::Secret(_) => None,
        }
    }
}

/// Creates an element. Its name is the adapter's, with a prefix where one is declared; it must not be data.
pub fn element(name: &str) -> Element {
    Element {
        name: name.into(),
        namespace: None,
        attributes: Vec::new(),
        children: Vec::new(),
        text: Text::Plain(String::new()),
        place: Place::default(),
    }
}

/// Creates an element that contains a text only.
pub fn leaf(name: &str, text: impl ToString) -> Element {
    element(name).with_text(text)
}

/// Reading.
impl Element {
    /// Its name without prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace, if it was read and has one.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// True if it was read in this namespace.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.namespace() == Some(namespace)
    }

    /// Its child elements.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The same, to be changed.
    pub fn children_mut(&mut self) -> &mut Vec<Self> {
        &mut self.children
    }

    /// The first child with this name in this namespace.
    pub fn child_in(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name() == name && child.is_in(namespace))
    }

    /// The first element at a path such as `A/B`: the first child `B` of the first child `A`.
    pub fn find(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |at, name| at.children.iter().find(|child| child.name() == name))
    }

    /// The first element at a path; malformed if there is none.
    pub fn required(&self, path: &str) -> Result<&Self, ChannelError> {
        self.find(path).ok_or_else(|| malformed(self.place_of(path), "is missing"))
    }

    /// All elements at a path, in order.
    pub fn all(&self, path: &str) -> Vec<&Self> {
        path.split('/').fold(vec![self], |at, name| {
            at.into_iter().flat_map(|element| &element.children).filter(|child| child.name() == name).collect()
        })
    }

    /// An attribute by its name as written, trimmed; `None` if empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|attribute| *attribute.name == *name)?.value.said()
    }

    /// An attribute by its namespace and its name without prefix, such as `type` in that of XML Schema's instances.
    pub fn attribute_in(&self, namespace: &str, name: &str) -> Option<&str> {
        let is_it = |attribute: &&Attribute| {
            let local = attribute.name.rsplit(':').next().unwrap_or_default();
            local == name && attribute.namespace.as_deref() == Some(namespace)
        };
        self.attributes.iter().find(is_it)?.value.said()
    }

    /// Its own text, trimmed; `None` if empty.
    pub fn text(&self) -> Option<&str> {
        self.text.said()
    }

    /// The text of the first element at a path, trimmed; `None` if empty.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.find(path)?.text()
    }

    /// The place of a path for errors, from the root of the document: `/Bookings/Booking[2]/Stay/@from`.
    pub fn place_of(&self, path: &str) -> String {
        let own = if self.place.is_nowhere() { self.name.to_string() } else { self.place.to_string() };
        if path.is_empty() { own } else { format!("{own}/{path}") }
    }

    /// As JSON, for a record's `raw`: attributes as `@name`, text alone as a text, repeated children as a list.
    pub fn json(&self) -> Value {
        let mut fields = Map::new();
        for attribute in &self.attributes {
            fields.insert(format!("@{}", attribute.name), Value::from(attribute.value.said().unwrap_or_default()));
        }
        for child in &self.children {
            match fields.get_mut(child.name()) {
                Some(Value::Array(several)) => several.push(child.json()),
                Some(one) => *one = Value::Array(vec![one.take(), child.json()]),
                None => {
                    fields.insert(child.name().to_owned(), child.json());
                }
            }
        }
        match self.text() {
            Some(text) if fields.is_empty() => Value::from(text),
            None if fields.is_empty() => Value::Null,
            text => {
                fields.extend(text.map(|text| ("#text".to_owned(), Value::from(text))));
                Value::Object(fields)
            }
        }
    }
}

/// Writing. Texts and values are escaped, and are never taken for a placeholder.
impl Element {
    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        let value = Text::Plain(value.to_string());
        self.attributes.push(Attribute { name: name.into(), namespace: None, value });
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

    /// Adds an attribute that the host fills in, `slot.field`. [`http::Request::with_document`] declares it.
    ///
    /// [`http::Request::with_document`]: crate::http::Request::with_document
    #[must_use]
    pub fn with_secret(mut self, name: &str, secret: &str) -> Self {
        let value = Text::Secret(secret.to_owned());
        self.attributes.push(Attribute { name: name.into(), namespace: None, value });
        self
    }

    /// Adds child elements.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Sets the text. It is written before the children.
    #[must_use]
    pub fn with_text(mut self, text: impl ToString) -> Self {
        self.text = Text::Plain(text.to_string());
        self
    }

    /// Sets a text that the host fills in, `slot.field`.
    #[must_use]
    pub fn with_secret_text(mut self, secret: &str) -> Self {
        self.text = Text::Secret(secret.to_owned());
        self
    }

    /// The names of all secrets in it, each once.
    pub fn secrets(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.collect_secrets(&mut names);
        names
    }

    fn collect_secrets<'a>(&'a self, names: &mut Vec<&'a str>) {
        for text in self.attributes.iter().map(|attribute| &attribute.value).chain([&self.text]) {
            match text {
                Text::Secret(name) if !names.contains(&name.as_str()) => names.push(name),
                Text::Secret(_) | Text::Plain(_) => {}
            }
        }
        self.children.iter().for_each(|child| child.collect_secrets(names));
    }
}
