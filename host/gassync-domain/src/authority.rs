use serde::{Deserialize, Serialize};

/// Whose word counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The core's: what the source tells is kept beside it.
    #[serde(rename = "ours")]
    Core,
    /// The source's: the core follows.
    #[serde(rename = "theirs")]
    Source,
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
    pub bookings: Option<Owner>,
    /// Over prices and rules of stay. What is sold, and what is closed by hand, each side hears from the other in any case,
    /// unless it is nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Owner>,
    /// Over names, texts, addresses and sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Owner>,
}

impl Authority {
    /// Whether the core follows this source in bookings.
    pub fn source_owns_bookings(self) -> bool {
        self.bookings.unwrap_or(Owner::Source) == Owner::Source
    }

    /// Whether the core follows this source in prices and rules of stay.
    pub fn source_owns_calendar(self) -> bool {
        self.calendar.unwrap_or(Owner::Core) == Owner::Source
    }

    /// Tells whether neither side hears of the other's calendar.
    pub fn nobody_owns_calendar(self) -> bool {
        self.calendar == Some(Owner::None)
    }

    /// Whether the core follows this source in content, given whether it is the one that creates.
    pub fn source_owns_content(self, creates: bool) -> bool {
        self.content.unwrap_or(if creates { Owner::Source } else { Owner::None }) == Owner::Source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_have_defaults() {
        let nothing: Authority = serde_json::from_str("{}").expect("an authority");
        assert!(nothing.source_owns_bookings() && !nothing.source_owns_calendar());
        assert!(nothing.source_owns_content(true) && !nothing.source_owns_content(false));
        let said: Authority = serde_json::from_str(r#"{"bookings":"none","calendar":"theirs","content":"theirs"}"#)
            .expect("an authority");
        assert!(!said.source_owns_bookings() && said.source_owns_calendar() && said.source_owns_content(false));
        assert!(serde_json::from_str::<Authority>(r#"{"prices":"ours"}"#).is_err());
    }
}
