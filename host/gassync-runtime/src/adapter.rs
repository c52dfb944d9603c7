use async_trait::async_trait;
use gassync_domain::{
    Acknowledgement, AcknowledgementOutcome, Attempt, CalendarUpdate, Change, ChangeResult, ChannelError, Chunk,
    ContentItem, Decoded, HttpRequest, HttpResponse, Operation, Outcome, Page, Query, Report, Subscribed,
};

use crate::{Call, Finished, Interface, Manifest};

/// A plugin, independent of its contract version. Each call runs in a sandbox of its own.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// The plugin's manifest.
    fn manifest(&self) -> &Manifest;

    /// SHA-256 of the component, in hex.
    fn hash(&self) -> &str;

    /// The interfaces the plugin exports.
    fn exports(&self) -> &[Interface];

    /// The names of the interfaces the plugin imports.
    fn imports(&self) -> &[String];

    /// True if the plugin imports `state`.
    fn keeps_state(&self) -> bool;

    /// Decodes a call from the channel.
    async fn decode(&self, call: Call, request: HttpRequest) -> Finished<Decoded>;

    /// Builds the response to an inbound call from the result of each change.
    async fn respond(
        &self,
        call: Call,
        request: HttpRequest,
        changes: Vec<Change>,
        results: Vec<ChangeResult>,
    ) -> Finished<HttpResponse>;

    /// Builds the response to an inbound call that failed before any change was processed, from the error.
    async fn on_error(&self, call: Call, request: HttpRequest, error: ChannelError) -> Finished<HttpResponse>;

    /// Fetches one page from the channel.
    async fn fetch(&self, call: Call, query: Query) -> Finished<Page>;

    /// Acknowledges reservations at the channel. Returns one outcome per acknowledgement.
    async fn acknowledge(
        &self,
        call: Call,
        acknowledgements: Vec<Acknowledgement>,
    ) -> Finished<Vec<AcknowledgementOutcome>>;

    /// Writes nights. Returns one outcome per update, however many steps it took.
    async fn push_calendar(&self, call: Call, updates: Vec<CalendarUpdate>, attempt: Attempt)
    -> Finished<Vec<Outcome>>;

    /// Writes reservations. Returns one outcome per operation.
    async fn push_reservations(&self, call: Call, operations: Vec<Operation>) -> Finished<Vec<Outcome>>;

    /// Writes content of one property. Returns one outcome per item.
    async fn push_content(&self, call: Call, items: Vec<ContentItem>, attempt: Attempt) -> Finished<Vec<Outcome>>;

    /// Renders one chunk of a feed that the channel fetches from us.
    async fn render(&self, call: Call, request: HttpRequest, cursor: Option<String>) -> Finished<Chunk>;

    /// Tests the connection.
    async fn check(&self, call: Call) -> Finished<Report>;

    /// Subscribes to the channel's webhooks.
    async fn subscribe(&self, call: Call, endpoint: String) -> Finished<Subscribed>;

    /// Ends subscriptions; returns the ids that no longer exist.
    async fn unsubscribe(&self, call: Call, subscriptions: Vec<String>) -> Finished<Vec<String>>;
}
