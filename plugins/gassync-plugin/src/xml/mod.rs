//! XML documents as a small tree, for reading and for writing.
//!
//! Documents come from strangers: a DTD is refused, entities other than the five of XML are never expanded, nothing is
//! loaded, and [`Limits`] bound what a document may cost. UTF-8, UTF-16 with its byte order mark, ISO-8859-1 and
//! Windows-1252 are read as declared. Characters that XML forbids, such as NUL, are replaced, as in JSON.
//!
//! ```
//! use gassync_plugin::{parse_date, xml::{Element, element}};
//!
//! let body = br#"<r:Booking xmlns:r="urn:acme" id="17"><r:Stay from="2027-03-04"/><r:Total>410.50</r:Total></r:Booking>"#;
//! let booking = Element::parse(body)?;
//! assert!(booking.is_in("urn:acme") && booking.name() == "Booking");
//! assert_eq!(booking.field("@id").required()?, "17");
//! assert_eq!(booking.field("Stay/@from").required_date()?, parse_date("2027-03-04").expect("a date"));
//! assert_eq!(booking.field("Total").amount()?.as_deref(), Some("410.50"));
//! let problem = booking.field("Stay/@until").required_date().expect_err("it is not there");
//! assert_eq!(problem, gassync_plugin::malformed("/Booking/Stay/@until", "is missing"));
//!
//! let answer = element("Answer").with("id", 17).with_children([element("Note").with_text("2 < 3 & {{acme.key}}")]);
//! let text = String::from_utf8(answer.document()).expect("UTF-8");
//! assert!(text.ends_with(r#"<Answer id="17"><Note>2 &lt; 3 &amp; &#123;&#123;acme.key}}</Note></Answer>"#));
//! # Ok::<(), gassync_plugin::ChannelError>(())
//! ```

mod element;
mod encoding;
mod field;
mod limits;
mod place;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use element::{Attribute, Element, element, leaf};
pub use field::Field;
pub use limits::Limits;

use std::borrow::Cow;

/// A character that XML forbids, such as NUL, which the host cannot store.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Replaces forbidden characters.
fn mended(text: &str) -> Cow<'_, str> {
    if text.contains(is_forbidden) { Cow::Owned(text.replace(is_forbidden, "\u{fffd}")) } else { Cow::Borrowed(text) }
}
