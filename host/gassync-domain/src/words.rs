//! Closed lists of words that stand in the database, in JSON and on the command line: each is an enum, never a text that is
//! compared.

/// An enum whose variants are words: in JSON (serde), in the database (`as_str`, `TryFrom<String>`), and for people
/// (`Display`, `FromStr`).
///
/// ```
/// gassync_domain::words! {
///     /// The state of a lamp.
///     pub enum Lamp {
///         /// It shines.
///         On = "on",
///         /// It does not.
///         Off = "off",
///     }
/// }
/// assert_eq!(Lamp::On.as_str(), "on");
/// assert_eq!("off".parse(), Ok(Lamp::Off));
/// assert_eq!("dim".parse::<Lamp>().map_err(|error| error.to_string()), Err("must be one of on, off".to_owned()));
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$of_enum:meta])* $visible:vis enum $name:ident { $($(#[$of_variant:meta])* $variant:ident = $word:tt,)+ }) => {
        // A word is a `tt`: derive macros do not see through the group that a `literal` is passed in.
        $(#[$of_enum])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        $visible enum $name {
            $($(#[$of_variant])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownWord;

            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::UnknownWord> {
                const WORDS: &[&str] = &[$($word,)+];
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or($crate::UnknownWord(WORDS))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::UnknownWord;

            fn try_from(text: String) -> ::std::result::Result<Self, $crate::UnknownWord> {
                text.parse()
            }
        }
    };
}

/// A text that is none of the words of an enum; holds those.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);
