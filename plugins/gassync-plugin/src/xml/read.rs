//! From bytes to the tree.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
    rc::Rc,
};

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event, attributes::Attribute as Written},
    name::{NamespaceResolver, QName, ResolveResult},
};

use super::{Attribute, Element, Limits, element::Text, encoding, is_forbidden, mended, place::Place};
use crate::{ChannelError, malformed};

/// Reading.
impl Element {
    /// Reads a document within the default [`Limits`]. What is no XML is malformed, with the place where it ends to be.
    pub fn parse(bytes: &[u8]) -> Result<Self, ChannelError> {
        Self::parse_within(bytes, Limits::DEFAULT)
    }

    /// Reads a document within limits.
    pub fn parse_within(bytes: &[u8], limits: Limits) -> Result<Self, ChannelError> {
        document(bytes, limits)
    }
}

fn document(bytes: &[u8], limits: Limits) -> Result<Element, ChannelError> {
    let is_within = |bytes: usize| {
        let problem = format_args!("the XML has more than {} bytes", limits.bytes);
        if bytes > limits.bytes { Err(malformed("", problem)) } else { Ok(()) }
    };
    is_within(bytes.len())?;
    let text = encoding::text(bytes)?;
    is_within(text.len())?;
    let text = mended(&text);
    let mut reader = NsReader::from_str(&text);
    let mut tree = Tree::within(limits);
    loop {
        let event = reader.read_event();
        let at = reader.error_position();
        let event = event.map_err(|error| tree.wrong(format_args!("{error} (byte {at})")))?;
        let resolver = reader.resolver();
        match event {
            Event::Start(start) => tree.open(&start, resolver)?,
            Event::Empty(start) => {
                tree.open(&start, resolver)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.add_text(&text.xml10_content())?,
            Event::CData(text) => tree.add_text(&text.xml10_content())?,
            Event::GeneralRef(name) => tree.add_reference(&name)?,
            Event::DocType(_) => return Err(tree.wrong("a document type definition is not read")),
            Event::Eof => return tree.finish(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// The elements that are open, from the root, and what was counted.
struct Tree {
    open: Vec<Open>,
    root: Option<Element>,
    names: HashSet<Rc<str>>,
    limits: Limits,
    elements: usize,
    attributes: usize,
}

struct Open {
    element: Element,
    text: String,
    /// Children so far, by name.
    numbers: HashMap<Rc<str>, u32>,
}

impl Tree {
    fn within(limits: Limits) -> Self {
        Self { open: Vec::new(), root: None, names: HashSet::new(), limits, elements: 0, attributes: 0 }
    }

    fn open(&mut self, start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<(), ChannelError> {
        let Limits { depth, elements, .. } = self.limits;
        self.elements += 1;
        if self.open.len() >= depth {
            return Err(self.wrong(format_args!("the document is more than {depth} elements deep")));
        }
        if self.elements > elements {
            return Err(self.wrong(format_args!("the document has more than {elements} elements")));
        }
        if self.root.is_some() {
            return Err(self.wrong("something follows the document's end"));
        }
        let (namespace, local) = resolver.resolve_element(start.name());
        let name = self.known(local.as_ref());
        let parent = self.open.last_mut();
        let number = parent.map_or(1, |parent| {
            let number = parent.numbers.entry(name.clone()).or_default();
            *number += 1;
            *number
        });
        let place = self.open.last().map_or_else(Place::default, |parent| parent.element.place.clone());
        let place = place.child(name.clone(), number);
        let namespace = self.namespace(namespace, &place)?;
        let attributes = self.attributes(start, resolver, &place)?;
        let text = Text::Plain(String::new());
        let element = Element { name, namespace, attributes, children: Vec::new(), text, place };
        self.open.push(Open { element, text: String::new(), numbers: HashMap::new() });
        Ok(())
    }

    fn attributes(
        &mut self,
        start: &BytesStart<'_>,
        resolver: &NamespaceResolver,
        place: &Place,
    ) -> Result<Vec<Attribute>, ChannelError> {
        let Limits { attributes: most, attributes_of_element: most_here, text_bytes, .. } = self.limits;
        let mut read = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| malformed(place, error))?;
            self.attributes += 1;
            if self.attributes > most || read.len() >= most_here {
                let problem = format!("there are more than {most} attributes, or more than {most_here} of one element");
                return Err(malformed(place, problem));
            }
            if attribute.value.len() > text_bytes {
                return Err(malformed(place, format_args!("an attribute has more than {text_bytes} bytes")));
            }
            let value = value(&attribute.value).map_err(|error| malformed(place, error))?;
            let (namespace, _) = resolver.resolve_attribute(attribute.key);
            let namespace = self.namespace(namespace, place)?;
            let name = self.known(attribute.key.as_ref());
            read.push(Attribute { name, namespace, value: Text::Plain(value) });
        }
        read.shrink_to_fit();
        Ok(read)
    }

    fn namespace(&mut self, resolved: ResolveResult<'_>, place: &Place) -> Result<Option<Rc<str>>, ChannelError> {
        match resolved {
            ResolveResult::Bound(namespace) => {
                // The library resolves it as it is written, with its references.
                let namespace = value(namespace.as_ref()).map_err(|error| malformed(place, error))?;
                Ok(Some(self.known(&namespace)))
            }
            ResolveResult::Unbound => Ok(None),
            ResolveResult::Unknown(prefix) => {
                Err(malformed(place, format_args!("the prefix {prefix:.40?} is not declared")))
            }
        }
    }

    fn close(&mut self) -> Result<(), ChannelError> {
        let Some(Open { mut element, text, .. }) = self.open.pop() else {
            return Err(self.wrong("an element ends that did not begin"));
        };
        // Between elements, space is layout.
        if element.children.is_empty() || !text.trim().is_empty() {
            element.text = Text::Plain(text);
        }
        element.children.shrink_to_fit();
        match self.open.last_mut() {
            Some(parent) => parent.element.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) -> Result<(), ChannelError> {
        let most = self.limits.text_bytes;
        let Some(open) = self.open.last_mut() else {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(self.wrong("there is text outside of the document"))
            };
        };
        if open.text.len() + text.len() > most {
            return Err(self.wrong(format_args!("the text has more than {most} bytes")));
        }
        open.text.push_str(text);
        Ok(())
    }

    /// A character, or one of XML's five entities. No other is known, so that nothing can expand.
    fn add_reference(&mut self, name: &str) -> Result<(), ChannelError> {
        if let Some(character) = character(name) {
            return self.add_text(character.encode_utf8(&mut [0; 4]));
        }
        match quick_xml::escape::resolve_predefined_entity(name) {
            Some(text) => self.add_text(text),
            None => Err(self.wrong(format_args!("the entity {name:.40?} is not known: entities are not expanded"))),
        }
    }

    fn finish(mut self) -> Result<Element, ChannelError> {
        if !self.open.is_empty() {
            return Err(self.wrong("the document is cut off"));
        }
        self.root.take().ok_or_else(|| self.wrong("there is no element"))
    }

    /// One copy of each name.
    fn known(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Rc<str> = name.into();
        self.names.insert(name.clone());
        name
    }

    /// An error in the innermost open element.
    fn wrong(&self, problem: impl fmt::Display) -> ChannelError {
        match self.open.last() {
            Some(open) => malformed(&open.element.place, problem),
            None => malformed("the XML", problem),
        }
    }
}

/// The value of an attribute as it is written.
fn value(raw: &str) -> quick_xml::Result<String> {
    let attribute = Written { key: QName(""), value: mended_references(raw).into() };
    attribute.normalized_value(XmlVersion::Implicit1_0).map(Cow::into_owned)
}

/// The character of a reference such as `#x41`; one that does not exist, or that XML forbids, is replaced, as in JSON.
fn character(reference: &str) -> Option<char> {
    let number = reference.strip_prefix('#')?;
    let (digits, base) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    let character = u32::from_str_radix(digits, base).ok().and_then(char::from_u32);
    let allowed = character.filter(|character| !is_forbidden(*character));
    is_number.then_some(allowed.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Replaces references to characters that do not exist, or that XML forbids, in the raw value of an attribute.
fn mended_references(raw: &str) -> String {
    let mut pieces = raw.split("&#");
    let mut mended = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(';') {
            Some((number, rest)) if character(&format!("#{number}")) == Some(char::REPLACEMENT_CHARACTER) => {
                mended.push(char::REPLACEMENT_CHARACTER);
                mended.push_str(rest);
            }
            _ => mended.push_str(&format!("&#{piece}")),
        }
    }
    mended
}
