crate::words! {
    /// Where a source stands.
    #[derive(utoipa::ToSchema)]
    pub enum SourceState {
        /// Its credentials are not complete yet.
        Pending = "pending",
        /// It works.
        Active = "active",
        /// An operator stopped its fetches and pushes; webhooks are applied.
        Paused = "paused",
        /// An operator stopped it; webhooks are stored until it is resumed.
        Disabled = "disabled",
        /// Its polls fail.
        Error = "error",
        /// Its channel no longer accepts its credentials.
        Expired = "expired",
        /// Its credentials were revoked.
        Disconnected = "disconnected",
    }
}

impl SourceState {
    /// True if it exchanges data; its polls may fail.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Active | Self::Error)
    }

    /// True if an operator stopped it.
    pub const fn is_stopped(self) -> bool {
        matches!(self, Self::Paused | Self::Disabled)
    }
}
