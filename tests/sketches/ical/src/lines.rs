//! Lines of a calendar: long ones are folded, and some characters are escaped.

use gassync_plugin::{ChannelError, malformed};

/// Maximum line length in bytes, without the line end.
const MAX_LINE_BYTES: usize = 75;

/// `NAME;PARAMETER=x:VALUE`: the name in upper case, without the parameters.
pub(crate) struct Line<'a> {
    pub name: String,
    pub value: &'a str,
}

/// Joins folded lines. A fold may split a character, so this precedes all decoding.
pub(crate) fn unfold(body: &[u8]) -> Result<String, ChannelError> {
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    while let Some((byte, more)) = rest.split_first() {
        rest = match rest {
            [b'\r', b'\n', b' ' | b'\t', more @ ..] | [b'\n', b' ' | b'\t', more @ ..] => more,
            _ => {
                text.push(*byte);
                more
            }
        };
    }
    String::from_utf8(text).map_err(|_| malformed("", "is not UTF-8"))
}

/// The non-empty lines.
pub(crate) fn lines(unfolded: &str) -> impl Iterator<Item = Result<Line<'_>, ChannelError>> {
    unfolded.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| {
        let mut quoted = false;
        let end = line.bytes().position(|byte| {
            quoted ^= byte == b'"';
            byte == b':' && !quoted
        });
        let end = end.ok_or_else(|| malformed(format_args!("line {}", number + 1), "is no line of a calendar"))?;
        let name = line[..end].split(';').next().unwrap_or_default().to_uppercase();
        Ok(Line { name, value: line[end + 1..].trim() })
    })
}

/// Unescapes a text.
pub(crate) fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => '\n',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    text
}

/// Escapes a text.
pub(crate) fn escape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars().filter(|character| *character != '\r') {
        match character {
            '\n' => value.push_str("\\n"),
            '\\' | ';' | ',' => value.extend(['\\', character]),
            other => value.push(other),
        }
    }
    value
}

/// Writes a line; folds it between characters if it is too long.
pub(crate) fn write(into: &mut String, name: &str, value: &str) {
    let mut length = 0;
    for character in name.chars().chain([':']).chain(value.chars()) {
        if length + character.len_utf8() > MAX_LINE_BYTES {
            into.push_str("\r\n ");
            length = 1;
        }
        into.push(character);
        length += character.len_utf8();
    }
    into.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_and_joined_again() {
        let name = "Chalet Grüne Höhe, überm See; mit Garten und einem sehr, sehr langen Namen, der kein Ende nimmt";
        let mut written = String::new();
        write(&mut written, "X-WR-CALNAME", &escape(name));
        assert!(written.lines().count() > 1 && written.lines().all(|line| line.len() <= MAX_LINE_BYTES), "{written}");
        let unfolded = unfold(written.as_bytes()).expect("text");
        let line = lines(&unfolded).next().expect("a line").expect("read");
        assert_eq!((line.name.as_str(), unescape(line.value)), ("X-WR-CALNAME", name.to_owned()));
        // The two bytes of an umlaut, separated by a fold.
        assert_eq!(unfold(b"SUMMARY:H\xc3\r\n \xb6he\n").expect("text"), "SUMMARY:Höhe\n");
        let quoted = lines("DTSTART;X=\"a:b;c\";VALUE=DATE:20270714").next().expect("a line").expect("read");
        assert_eq!((quoted.name.as_str(), quoted.value), ("DTSTART", "20270714"));
    }
}
