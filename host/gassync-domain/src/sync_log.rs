//! The words of the audit trail and of synchronisation runs.

crate::words! {
    /// Which way a record went.
    #[derive(utoipa::ToSchema)]
    pub enum LogDirection {
        /// From a channel or partner.
        Inbound = "inbound",
        /// To a channel.
        Outbound = "outbound",
    }
}

crate::words! {
    /// What was done.
    #[derive(utoipa::ToSchema)]
    pub enum LogAction {
        /// Created in the core, or at the channel.
        Create = "create",
        /// Updated there.
        Update = "update",
        /// Deleted.
        Delete = "delete",
        /// Cancelled.
        Cancel = "cancel",
        /// Pushed.
        Push = "push",
        /// Linked.
        Map = "map",
        /// Unlinked.
        Unmap = "unmap",
        /// Parked.
        Park = "park",
        /// Decided by a person.
        Decide = "decide",
        /// Set aside: it could not be read or stored.
        SetAside = "set-aside",
        /// Refused: sold out.
        Refuse = "refuse",
        /// Rejected: invalid.
        Reject = "reject",
        /// Ignored: older than the stored record.
        Ignore = "ignore",
        /// Dismissed by a person.
        Dismiss = "dismiss",
        /// A person is asked.
        Ask = "ask",
        /// Closed by hand at a channel.
        Close = "close",
        /// Opened again.
        Open = "open",
        /// The channel shows something else.
        Differ = "differ",
        /// A source listens.
        Listen = "listen",
        /// A source went live.
        GoLive = "go-live",
    }
}

crate::words! {
    /// How it ended.
    #[derive(utoipa::ToSchema)]
    pub enum LogStatus {
        /// Done.
        Success = "success",
        /// Not done.
        Failed = "failed",
        /// Waits for something.
        Pending = "pending",
    }
}

crate::words! {
    /// Kinds of sync runs.
    #[derive(utoipa::ToSchema)]
    pub enum SyncRunKind {
        /// Reservations come in.
        BookingImport = "booking_import",
        /// Reservations go out.
        BookingExport = "booking_export",
        /// A calendar comes in.
        AvailabilityImport = "availability_import",
        /// A calendar goes out.
        AvailabilityExport = "availability_export",
        /// Prices come in.
        PriceImport = "price_import",
        /// Prices go out.
        PriceExport = "price_export",
        /// Properties, room types, rate plans.
        ContentSync = "content_sync",
        /// A webhook from a channel.
        Webhook = "webhook",
        /// A full sync requested by a person.
        FullSync = "full_sync",
    }
}

crate::words! {
    /// How a sync run ended.
    #[derive(utoipa::ToSchema)]
    pub enum SyncRunStatus {
        /// It runs, or was interrupted.
        Started = "started",
        /// Everything succeeded.
        Success = "success",
        /// Some records failed, or it ended early.
        Partial = "partial_success",
        /// Nothing succeeded.
        Failure = "failure",
        /// There was nothing to do.
        Skipped = "skipped",
    }
}

impl SyncRunKind {
    /// Which way the records go.
    pub const fn direction(self) -> LogDirection {
        match self {
            Self::BookingExport | Self::AvailabilityExport | Self::PriceExport => LogDirection::Outbound,
            Self::BookingImport
            | Self::AvailabilityImport
            | Self::PriceImport
            | Self::ContentSync
            | Self::Webhook
            | Self::FullSync => LogDirection::Inbound,
        }
    }
}
