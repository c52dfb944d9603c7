use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The directions in which a source and the core exchange data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Read from the channel and push to it.
    #[default]
    Bidirectional,
    /// Only read from the channel.
    InboundOnly,
    /// Only push to the channel; what it sends is buffered and does not change the core.
    OutboundOnly,
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 3] = [Self::Bidirectional, Self::InboundOnly, Self::OutboundOnly];

    /// The name in JSON and in the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bidirectional => "bidirectional",
            Self::InboundOnly => "inbound_only",
            Self::OutboundOnly => "outbound_only",
        }
    }

    /// Whether the channel's data is applied to the core.
    pub const fn is_inward(self) -> bool {
        !matches!(self, Self::OutboundOnly)
    }

    /// Whether the core is pushed to the channel.
    pub const fn is_outward(self) -> bool {
        !matches!(self, Self::InboundOnly)
    }

    /// The direction with push enabled or disabled; `None` if no direction would be left.
    pub const fn with_push(self, pushes: bool) -> Option<Self> {
        match (self, pushes) {
            (Self::InboundOnly, true) => Some(Self::Bidirectional),
            (Self::OutboundOnly, false) => None,
            (_, false) => Some(Self::InboundOnly),
            (known, true) => Some(known),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let word = word.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|direction| direction.as_str() == word)
            .ok_or_else(|| "must be bidirectional, inbound_only or outbound_only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_has_one_name() {
        for direction in Direction::ALL {
            assert_eq!(direction.as_str().parse(), Ok(direction));
            assert_eq!(serde_json::to_value(direction).expect("JSON"), direction.as_str());
        }
        assert_eq!("inbound-only".parse(), Ok(Direction::InboundOnly));
        assert!("both".parse::<Direction>().is_err());
    }

    #[test]
    fn push_cannot_be_disabled_for_outbound_only_sources() {
        use Direction::{Bidirectional, InboundOnly, OutboundOnly};
        for (before, pushes, after) in [
            (Bidirectional, true, Some(Bidirectional)),
            (Bidirectional, false, Some(InboundOnly)),
            (InboundOnly, true, Some(Bidirectional)),
            (InboundOnly, false, Some(InboundOnly)),
            (OutboundOnly, true, Some(OutboundOnly)),
            (OutboundOnly, false, None),
        ] {
            assert_eq!(before.with_push(pushes), after, "{before} {pushes}");
        }
    }
}
