crate::words! {
    /// State of a run.
    #[derive(utoipa::ToSchema)]
    pub enum RunState {
        /// Some of its jobs wait or run.
        Running = "running",
        /// None of its jobs waits any more.
        Done = "done",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}
