use serde::{Deserialize, Serialize};

/// Which side owns a part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The core owns it; the source's values are only buffered.
    #[serde(rename = "ours")]
    Core,
    /// The source owns it; the core follows.
    #[serde(rename = "theirs")]
    Source,
    /// Neither side owns it; nothing is exchanged.
    None,
}

/// Which parts a source owns. Defaults: the source owns bookings, the core owns the calendar, and content belongs to
/// the source only if that source creates core entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authority {
    /// Reservations and their guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bookings: Option<Owner>,
    /// Prices and stay rules. Availability and manual closures are exchanged in any case, unless neither side owns the
    /// calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Owner>,
    /// Names, texts, addresses and sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Owner>,
}

impl Authority {
    /// Whether the source owns bookings.
    pub fn source_owns_bookings(self) -> bool {
        self.bookings.unwrap_or(Owner::Source) == Owner::Source
    }

    /// Whether the source owns prices and stay rules.
    pub fn source_owns_calendar(self) -> bool {
        self.calendar.unwrap_or(Owner::Core) == Owner::Source
    }

    /// Whether no calendar data is exchanged.
    pub fn nobody_owns_calendar(self) -> bool {
        self.calendar == Some(Owner::None)
    }

    /// Whether the source owns content; `creates` tells whether it creates core entities.
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
