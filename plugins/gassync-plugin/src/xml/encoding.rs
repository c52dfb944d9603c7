//! From bytes to text.

use std::{borrow::Cow, fmt};

use quick_xml::events::{BytesDecl, BytesStart};
use yore::code_pages::CP1252;

use crate::{ChannelError, malformed};

/// A declaration is found within this many bytes, or not at all.
const MAX_DECLARATION_BYTES: usize = 256;

/// Names of what is read as UTF-8, and as Windows-1252: the Encoding Standard of the web reads ISO-8859-1 so.
const UTF_8: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];
const WINDOWS_1252: [&str; 6] = ["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252"];

/// The text of a document: by its byte order mark, else as it declares, else UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ChannelError> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        _ => match declared(bytes).map(|name| name.to_ascii_lowercase()) {
            None => utf_8(bytes),
            Some(name) if UTF_8.contains(&&*name) => utf_8(bytes),
            Some(name) if WINDOWS_1252.contains(&&*name) => Ok(CP1252.decode(bytes)),
            Some(name) if name.starts_with("utf-16") => Err(wrong("declares UTF-16, and has no byte order mark")),
            Some(name) => {
                Err(wrong(format_args!("is in {name:.40?}: only UTF-8, UTF-16, ISO-8859-1 and Windows-1252 are read")))
            }
        },
    }
}

fn utf_8(bytes: &[u8]) -> Result<Cow<'_, str>, ChannelError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| wrong(format_args!("is not UTF-8: {error}")))
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, ChannelError> {
    let (units, rest) = bytes.as_chunks();
    let text = char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<String, _>>();
    text.ok().filter(|_| rest.is_empty()).map(Cow::Owned).ok_or_else(|| wrong("is not UTF-16"))
}

/// The encoding that the XML declaration names.
fn declared(bytes: &[u8]) -> Option<String> {
    let start = bytes.trim_ascii_start().get(..MAX_DECLARATION_BYTES).unwrap_or(bytes.trim_ascii_start());
    let ascii = String::from_utf8_lossy(start.strip_prefix(b"<?xml")?);
    let declaration = format!("xml{}", ascii.split_once("?>")?.0);
    let declaration = BytesDecl::from_start(BytesStart::from_content(declaration, "xml".len()));
    declaration.encoding()?.ok().map(Cow::into_owned)
}

fn wrong(problem: impl fmt::Display) -> ChannelError {
    malformed("", format_args!("the XML {problem}"))
}
