//! From the tree to bytes.

use std::{borrow::Cow, rc::Rc};

use quick_xml::{
    Writer,
    escape::escape,
    events::{BytesEnd, BytesStart, BytesText, Event, attributes::Attribute as Written},
    name::QName,
};

use super::{Attribute, Element, element::Text, mended};

const DECLARATION: &[u8; 38] = br#"<?xml version="1.0" encoding="UTF-8"?>"#;
/// Bound to the prefix `xml` without a declaration.
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// A prefix, empty for the default, and its namespace.
type Declaration = (Rc<str>, Rc<str>);
/// The declarations in scope.
type Scope = Vec<Declaration>;

/// Writing a document.
impl Element {
    /// The complete document, in UTF-8.
    pub fn document(&self) -> Vec<u8> {
        let mut document = Vec::from(*DECLARATION);
        self.write_to(&mut document);
        document
    }

    /// Appends the element without a declaration, for documents that are written in parts.
    pub fn write_to(&self, document: &mut Vec<u8>) {
        document.extend(element(self));
    }
}

fn element(element: &Element) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    write(element, &mut writer, &mut Scope::new());
    writer.into_inner()
}

fn write(element: &Element, writer: &mut Writer<Vec<u8>>, scope: &mut Scope) {
    let outside = scope.len();
    let mut start = BytesStart::new(&*element.name);
    // Of what was read the name has lost its prefix: its namespace becomes the default.
    let is_kept = |attribute: &&Attribute| element.place.is_nowhere() || *attribute.name != *"xmlns";
    for attribute in element.attributes.iter().filter(is_kept) {
        if let (Some(prefix), Text::Plain(namespace)) = (declared_prefix(&attribute.name), &attribute.value) {
            scope.push((prefix.into(), namespace.as_str().into()));
        }
        push(&mut start, &attribute.name, &attribute.value);
    }
    // It keeps its namespaces when it is written into another document.
    for (name, (prefix, namespace)) in missing(element) {
        let known = scope.iter().rev().find(|(known, _)| *known == prefix);
        if known.map_or("", |(_, namespace)| namespace) != &*namespace {
            push(&mut start, &name, &Text::Plain(namespace.to_string()));
            scope.push((prefix, namespace));
        }
    }
    let text = match &element.text {
        Text::Plain(text) if text.trim().is_empty() && !element.children.is_empty() => None,
        Text::Plain(text) if text.is_empty() => None,
        text => Some(escaped(text)),
    };
    let is_empty = text.is_none() && element.children.is_empty();
    emit(writer, if is_empty { Event::Empty(start) } else { Event::Start(start) });
    if !is_empty {
        if let Some(text) = text {
            // Only an attribute's line breaks need an escape.
            emit(writer, Event::Text(BytesText::from_escaped(text.replace('\r', "&#13;"))));
        }
        element.children.iter().for_each(|child| write(child, writer, scope));
        emit(writer, Event::End(BytesEnd::new(&*element.name)));
    }
    scope.truncate(outside);
}

/// The declarations that an element needs, with the attributes that make them.
fn missing(element: &Element) -> Vec<(String, Declaration)> {
    let namespace = || element.namespace.clone().unwrap_or_default();
    let own = (!element.place.is_nowhere()).then(|| ("xmlns".to_owned(), ("".into(), namespace())));
    let of_attribute = |attribute: &Attribute| {
        let namespace = attribute.namespace.clone().filter(|namespace| **namespace != *XML_NAMESPACE)?;
        let (prefix, _) = attribute.name.split_once(':').filter(|(prefix, _)| *prefix != "xmlns")?;
        Some((format!("xmlns:{prefix}"), (prefix.into(), namespace)))
    };
    own.into_iter().chain(element.attributes.iter().filter_map(of_attribute)).collect()
}

/// The prefix that an attribute declares, empty for the default namespace.
fn declared_prefix(name: &str) -> Option<&str> {
    if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") }
}

fn push(start: &mut BytesStart<'_>, name: &str, value: &Text) {
    let value = escaped(value).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;");
    start.push_attribute(Written { key: QName(name), value: Cow::Owned(value) });
}

/// Neither markup nor a placeholder, unless it is a secret.
fn escaped(text: &Text) -> String {
    match text {
        Text::Plain(text) => escape(&*mended(text)).replace("{{", "&#123;&#123;"),
        Text::Secret(name) => format!("{{{{{name}|xml}}}}"),
    }
}

fn emit(writer: &mut Writer<Vec<u8>>, event: Event<'_>) {
    writer.write_event(event).expect("memory takes every write");
}
