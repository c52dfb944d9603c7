//! Sync status of a core night or booking at a channel.

/// Whether a channel has the desired state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// Must be sent.
    Pending,
    /// Sent; must be read back.
    Unconfirmed,
    /// The channel has it: a read-back showed it, or the source trusts the channel's acknowledgement.
    Confirmed,
    /// The channel does not accept it: a person must act.
    Rejected,
}

impl SyncStatus {
    /// The text in the tables and in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }
}

/// A status in the database that this program does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown sync status {0:?}")]
pub struct UnknownSyncStatus(String);

impl TryFrom<String> for SyncStatus {
    type Error = UnknownSyncStatus;

    fn try_from(text: String) -> Result<Self, UnknownSyncStatus> {
        match text.as_str() {
            "pending" => Ok(Self::Pending),
            "unconfirmed" => Ok(Self::Unconfirmed),
            "confirmed" => Ok(Self::Confirmed),
            "rejected" => Ok(Self::Rejected),
            _ => Err(UnknownSyncStatus(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_from_its_text() {
        for status in [SyncStatus::Pending, SyncStatus::Unconfirmed, SyncStatus::Confirmed, SyncStatus::Rejected] {
            assert_eq!(SyncStatus::try_from(status.as_str().to_owned()).expect("known"), status);
        }
        assert!(SyncStatus::try_from("there".to_owned()).is_err());
    }
}
