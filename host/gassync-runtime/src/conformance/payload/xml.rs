//! Finds values in an XML text. It parses only as much XML as altering samples requires.

use super::{ValueKind, ValueSpan};

/// The positions in a text that can be altered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// Element texts and attribute values.
    pub values: Vec<ValueSpan>,
    /// Positions for a new attribute, by element: after the name in each start tag.
    pub attributes: Vec<(String, usize)>,
    /// Positions for a new child, by element: before the end tag of each element with several children. An element with
    /// a single child is only a wrapper, which channels do not extend.
    pub children: Vec<(String, usize)>,
}

struct Open<'a> {
    name: &'a str,
    content: usize,
    children: usize,
}

/// Returns the parts of a text; `None` if its tags do not match.
pub(super) fn parts(text: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = text.find('<')?;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(end) = skipped(rest) {
            at += end?;
        } else if let Some(tag) = rest.strip_prefix("</") {
            let end = tag.find('>')?;
            let closed = open.pop().filter(|open| open.name == tag[..end].trim_end())?;
            let place = format!("{}{}", path(&open), closed.name);
            if closed.children > 1 {
                parts.children.push((place, at));
            } else if closed.children == 0 && !text[closed.content..at].trim().is_empty() {
                parts.values.push(ValueSpan { place, range: closed.content..at, kind: ValueKind::Text });
            }
            at += 2 + end + 1;
        } else {
            at = start_tag(text, at, &mut open, &mut parts)?;
        }
        at = text.get(at..)?.find('<').map_or(text.len(), |next| at + next);
    }
    (open.is_empty() && !parts.attributes.is_empty()).then_some(parts)
}

/// Returns the length of a comment, CDATA section, processing instruction or declaration: `None` for a start or end
/// tag, `Some(None)` if unterminated.
fn skipped(rest: &str) -> Option<Option<usize>> {
    let until = |end: &str| rest.find(end).map(|at| at + end.len());
    [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
        .into_iter()
        .find(|(start, _)| rest.starts_with(start))
        .map(|(_, end)| until(end))
}

fn start_tag<'a>(text: &'a str, at: usize, open: &mut Vec<Open<'a>>, parts: &mut Parts) -> Option<usize> {
    let rest = text.get(at + 1..)?;
    let name = &rest[..rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?];
    if name.is_empty() {
        return None;
    }
    if let Some(parent) = open.last_mut() {
        parent.children += 1;
    }
    let mut here = at + 1 + name.len();
    parts.attributes.push((format!("{}{name}", path(open)), here));
    loop {
        let left = text.get(here..)?;
        let next = left.find(['"', '\'', '>'])?;
        let quote = left[next..].chars().next()?;
        if quote == '>' {
            let ends_itself = left[..next].ends_with('/');
            here += next + 1;
            if !ends_itself {
                open.push(Open { name, content: here, children: 0 });
            }
            return Some(here);
        }
        let attribute = left[..next].trim().trim_end_matches('=').trim_end();
        let start = here + next + 1;
        let end = start + text.get(start..)?.find(quote)?;
        // Namespace declarations are not values.
        if !attribute.starts_with("xmlns") {
            let place = format!("{}{name}/@{attribute}", path(open));
            parts.values.push(ValueSpan { place, range: start..end, kind: ValueKind::Text });
        }
        here = end + 1;
    }
}

fn path(open: &[Open<'_>]) -> String {
    open.iter().map(|open| format!("{}/", open.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_texts_and_insertion_points_are_located() {
        let text = r#"<?xml version="1.0"?><!-- <no> --><a:Rq xmlns:a="urn:x" Id='7'><b x="1 > 0">hello</b><c/>
            <![CDATA[ <d> ]]></a:Rq>"#;
        let parts = parts(text).expect("XML");
        let values: Vec<(&str, &str)> =
            parts.values.iter().map(|span| (&*span.place, &text[span.range.clone()])).collect();
        assert_eq!(values, [("a:Rq/@Id", "7"), ("a:Rq/b/@x", "1 > 0"), ("a:Rq/b", "hello")]);
        assert_eq!((parts.attributes.len(), parts.children.len()), (3, 1));
        assert!(text[parts.children[0].1..].starts_with("</a:Rq>"));
        for wrong in ["<a>", "<a></b>", "no tags", "<a b='>", "<!-- "] {
            assert_eq!(super::parts(wrong), None, "{wrong}");
        }
    }
}
