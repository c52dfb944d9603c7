crate::words! {
    /// What became of a record of a source, for people and for counts.
    #[derive(utoipa::ToSchema)]
    pub enum Ingested {
        /// Created in the core.
        Created = "created",
        /// Announced; it is being fetched.
        Fetching = "fetching",
        /// No longer at the channel.
        Gone = "gone",
        /// Of a kind that is not stored.
        NotKept = "not-kept",
        /// Waits for a link or a decision.
        Parked = "parked",
        /// Invalid, or sold out.
        Rejected = "rejected",
        /// Could not be read or stored.
        SetAside = "set-aside",
        /// Nothing new.
        Unchanged = "unchanged",
        /// Updated in the core or in the buffer.
        Updated = "updated",
    }
}
