//! The characters of a body and the way back to its bytes, since what is masked must be found in any encoding. Broken UTF-16 comes
//! back with replacement characters, and without half a unit at its end.

/// The byte order mark.
const MARK: char = '\u{feff}';

/// A body as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BodyText {
    /// Its characters, without a byte order mark.
    pub text: String,
    encoding: Encoding,
    has_mark: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 {
        big_endian: bool,
    },
    /// Any that writes ASCII as itself, in single bytes: each byte is taken for the character of its number.
    SingleByte,
}

impl BodyText {
    pub fn of(body: &[u8]) -> Self {
        let encoding = match body {
            // Without a mark, documents begin with ASCII: a NUL beside it tells.
            [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] => Encoding::Utf16 { big_endian: true },
            [0xff, 0xfe, ..] | [1..=0x7f, 0, ..] => Encoding::Utf16 { big_endian: false },
            _ if std::str::from_utf8(body).is_ok() => Encoding::Utf8,
            _ => Encoding::SingleByte,
        };
        let text = match encoding {
            Encoding::Utf8 => String::from_utf8_lossy(body).into_owned(),
            Encoding::Utf16 { big_endian } => {
                let (units, _) = body.as_chunks::<2>();
                let read = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
                char::decode_utf16(units.iter().map(|unit| read(*unit)))
                    .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect()
            }
            Encoding::SingleByte => body.iter().map(|byte| char::from(*byte)).collect(),
        };
        match text.strip_prefix(MARK) {
            Some(rest) => Self { text: rest.to_owned(), encoding, has_mark: true },
            None => Self { text, encoding, has_mark: false },
        }
    }

    /// Another text as bytes of the same encoding.
    pub fn encode(&self, text: &str) -> Vec<u8> {
        let mark = self.has_mark.then_some(MARK);
        let characters = mark.into_iter().chain(text.chars());
        match self.encoding {
            Encoding::Utf8 => characters.collect::<String>().into_bytes(),
            Encoding::Utf16 { big_endian } => {
                let text: String = characters.collect();
                let write = if big_endian { u16::to_be_bytes } else { u16::to_le_bytes };
                text.encode_utf16().flat_map(write).collect()
            }
            // Other characters come from a mask, which has none.
            Encoding::SingleByte => characters.map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were() {
        let utf16 = |big: bool| -> Vec<u8> {
            "\u{feff}<a>Zoë 🏠</a>"
                .encode_utf16()
                .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
                .collect()
        };
        let spaced: Vec<u8> = "\r\n <a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin = b"<a>Zo\xeb \x80</a>".to_vec();
        let marked = "\u{feff}<a>Zoë</a>".as_bytes().to_vec();
        for body in [utf16(true), utf16(false), spaced, latin, marked, b"{}".to_vec(), Vec::new()] {
            let text = BodyText::of(&body);
            assert!(!text.text.starts_with(MARK));
            assert_eq!(text.encode(&text.text), body);
        }
    }
}
