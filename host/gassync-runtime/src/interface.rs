use std::{fmt, str::FromStr};

/// The contract's interfaces that a plugin may export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `inbound`
    Inbound,
    /// `reply`
    Reply,
    /// `pull`
    Pull,
    /// `acknowledgements`
    Acknowledgements,
    /// `push-calendar`
    PushCalendar,
    /// `push-reservations`
    PushReservations,
    /// `push-content`
    PushContent,
    /// `feeds`
    Feeds,
    /// `connection`
    Connection,
}

impl Interface {
    /// All interfaces.
    pub const ALL: [Self; 9] = [
        Self::Inbound,
        Self::Reply,
        Self::Pull,
        Self::Acknowledgements,
        Self::PushCalendar,
        Self::PushReservations,
        Self::PushContent,
        Self::Feeds,
        Self::Connection,
    ];

    /// The interface's name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Reply => "reply",
            Self::Pull => "pull",
            Self::Acknowledgements => "acknowledgements",
            Self::PushCalendar => "push-calendar",
            Self::PushReservations => "push-reservations",
            Self::PushContent => "push-content",
            Self::Feeds => "feeds",
            Self::Connection => "connection",
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Interface {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|interface| interface.as_str() == name).ok_or(())
    }
}
