use gassync_domain::Timestamp;

/// When a lease begins and ends: what is leased until `until` belongs to its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The time of leasing.
    pub now: Timestamp,
    /// When others may lease it.
    pub until: Timestamp,
}
