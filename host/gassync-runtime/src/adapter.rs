use async_trait::async_trait;
use gassync_domain::{
    Attempt, CalendarUpdate, Change, ChannelError, ContentItem, Decoded, Fate, HttpRequest, HttpResponse, Operation,
    Outcome, Page, Part, Query, Receipt, ReceiptOutcome, Report, Subscribed,
};

use crate::{Call, Finished, Interface, Manifest};

/// A plugin as the host sees it: the same for every version of the contract. Each call runs in a sandbox of its own.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// What it says of itself.
    fn manifest(&self) -> &Manifest;

    /// SHA-256 of the component, in hex.
    fn hash(&self) -> &str;

    /// What it can do.
    fn exports(&self) -> &[Interface];

    /// What it asks of the host: the names of the interfaces it imports.
    fn imports(&self) -> &[String];

    /// Whether it asks for a memory of its own.
    fn keeps_state(&self) -> bool;

    /// What a channel's call to us says.
    async fn decode(&self, call: Call, request: HttpRequest) -> Finished<Decoded>;

    /// The reply to such a call, once the fate of each of its changes is known.
    async fn respond(
        &self,
        call: Call,
        request: HttpRequest,
        changes: Vec<Change>,
        fates: Vec<Fate>,
    ) -> Finished<HttpResponse>;

    /// The reply to such a call where there is no outcome, and why there is none.
    async fn unable(&self, call: Call, request: HttpRequest, why: ChannelError) -> Finished<HttpResponse>;

    /// What the channel has.
    async fn fetch(&self, call: Call, query: Query) -> Finished<Page>;

    /// Tells the channel what became of its reservations. One outcome for each receipt.
    async fn acknowledge(&self, call: Call, receipts: Vec<Receipt>) -> Finished<Vec<ReceiptOutcome>>;

    /// Writes nights. One outcome for each update, however many steps it took.
    async fn push_calendar(&self, call: Call, updates: Vec<CalendarUpdate>, attempt: Attempt)
    -> Finished<Vec<Outcome>>;

    /// Writes reservations. One outcome for each operation.
    async fn push_reservations(&self, call: Call, operations: Vec<Operation>) -> Finished<Vec<Outcome>>;

    /// Writes content of one property. One outcome for each item.
    async fn push_content(&self, call: Call, items: Vec<ContentItem>, attempt: Attempt) -> Finished<Vec<Outcome>>;

    /// A part of what the channel fetches from us.
    async fn render(&self, call: Call, request: HttpRequest, part: Option<String>) -> Finished<Part>;

    /// How the connection stands.
    async fn check(&self, call: Call) -> Finished<Report>;

    /// Has the channel call us.
    async fn subscribe(&self, call: Call, endpoint: String) -> Finished<Subscribed>;

    /// Has it call us no more; the ids that are gone.
    async fn unsubscribe(&self, call: Call, subscriptions: Vec<String>) -> Finished<Vec<String>>;
}
