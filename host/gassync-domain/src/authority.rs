use serde::{Deserialize, Serialize};

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Say {
    /// The core's: what the source tells is kept beside it.
    Ours,
    /// The source's: the core follows.
    Theirs,
    /// Nobody's: neither side is told of the other.
    None,
}

/// What a source has the say over. Where nothing was decided: bookings are theirs, the calendar is ours, and content is
/// theirs only at the one source that creates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authority {
    /// Over reservations and their guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bookings: Option<Say>,
    /// Over prices and rules of stay. What is sold, and what is closed by hand, each side hears from the other in any case,
    /// unless it is nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Say>,
    /// Over names, texts, addresses and sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Say>,
}

impl Authority {
    /// Whether the core follows this source in bookings.
    pub fn bookings_are_theirs(self) -> bool {
        self.bookings.unwrap_or(Say::Theirs) == Say::Theirs
    }

    /// Whether the core follows this source in prices and rules of stay.
    pub fn calendar_is_theirs(self) -> bool {
        self.calendar.unwrap_or(Say::Ours) == Say::Theirs
    }

    /// Tells whether neither side hears of the other's calendar.
    pub fn calendar_is_nobodys(self) -> bool {
        self.calendar == Some(Say::None)
    }

    /// Whether the core follows this source in content, given whether it is the one that creates.
    pub fn content_is_theirs(self, creates: bool) -> bool {
        self.content.unwrap_or(if creates { Say::Theirs } else { Say::None }) == Say::Theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default() {
        let nothing: Authority = serde_json::from_str("{}").expect("an authority");
        assert!(nothing.bookings_are_theirs() && !nothing.calendar_is_theirs());
        assert!(nothing.content_is_theirs(true) && !nothing.content_is_theirs(false));
        let said: Authority = serde_json::from_str(r#"{"bookings":"none","calendar":"theirs","content":"theirs"}"#)
            .expect("an authority");
        assert!(!said.bookings_are_theirs() && said.calendar_is_theirs() && said.content_is_theirs(false));
        assert!(serde_json::from_str::<Authority>(r#"{"prices":"ours"}"#).is_err());
    }
}
