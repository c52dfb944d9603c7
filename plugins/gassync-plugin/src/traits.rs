//! The capabilities of an adapter: one trait per interface of the contract.

use crate::{
    Acknowledgement, AcknowledgementOutcome, Attempt, CalendarNights, Change, ChangeResult, ChannelError, Chunk,
    ContentItem, Decoded, HttpRequest, HttpResponse, Operation, Outcome, Page, Query, Report, Subscribed,
};

/// The metadata of an adapter; every adapter implements it.
pub trait Adapter {
    /// Returns the manifest, a JSON document. Only [`crate::log`] of the host works during this call.
    fn manifest() -> String;
}

/// Receives calls from the channel.
pub trait Inbound {
    /// Decodes a call from the channel. Do not guess: use `None` for a value that the payload does not contain.
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError>;
}

/// Builds responses that depend on the outcome of a call.
pub trait Reply {
    /// Builds the response; `results` is in the order of the changes that [`Inbound::decode`] returned. On an error the host
    /// sends the `fallbackResponse` of the manifest's route.
    fn respond(
        request: HttpRequest,
        changes: Vec<Change>,
        results: Vec<ChangeResult>,
    ) -> Result<HttpResponse, ChannelError>;

    /// Builds the response to a call without results: [`Inbound::decode`] returned this error, or the host cannot
    /// process the call ([`ChannelError::Unavailable`]). By default the host sends the `fallbackResponse` of the
    /// manifest's route.
    fn on_error(request: HttpRequest, error: ChannelError) -> Result<HttpResponse, ChannelError> {
        let _ = (request, error);
        Err(ChannelError::Unsupported)
    }
}

/// Fetches from the channel.
pub trait Pull {
    /// Fetches one page, usually with one request; the cursor requests further pages.
    fn fetch(query: Query) -> Result<Page, ChannelError>;
}

/// Acknowledges reservations at the channel.
pub trait Acknowledgements {
    /// Sends acknowledgements. Returns one outcome per acknowledgement, in order.
    fn acknowledge(acknowledgements: Vec<Acknowledgement>) -> Result<Vec<AcknowledgementOutcome>, ChannelError>;
}

/// Writes availability, prices and stay rules.
pub trait PushCalendar {
    /// Writes nights. Returns one outcome per update, in order. [`Attempt::AfterUnknown`]: an earlier attempt may have written
    /// some of the nights.
    fn push_calendar(updates: Vec<CalendarNights>, attempt: Attempt) -> Result<Vec<Outcome>, ChannelError>;
}

/// Writes reservations and blocks.
pub trait PushReservations {
    /// Writes operations. Returns one outcome per operation, in order.
    fn push_reservations(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError>;
}

/// Writes names, texts and pictures.
pub trait PushContent {
    /// Writes content of one property, whose own content comes first. Returns one outcome per item, in order.
    /// [`Attempt::AfterUnknown`]: an earlier attempt may have written some of it.
    fn push_content(items: Vec<ContentItem>, attempt: Attempt) -> Result<Vec<Outcome>, ChannelError>;
}

/// Renders feeds that the channel fetches from us.
pub trait Feeds {
    /// Renders one chunk; `cursor` is `None` for the first, then `next` of the previous chunk.
    fn render(request: HttpRequest, cursor: Option<String>) -> Result<Chunk, ChannelError>;
}

/// Tests the connection and subscribes to webhooks.
pub trait Connection {
    /// Tests the connection.
    fn check() -> Result<Report, ChannelError>;

    /// Subscribes to the channel's webhooks. `endpoint` is a placeholder that the host fills.
    fn subscribe(endpoint: String) -> Result<Subscribed, ChannelError> {
        let _ = endpoint;
        Err(ChannelError::Unsupported)
    }

    /// Ends subscriptions; returns the ids that no longer exist.
    fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, ChannelError> {
        let _ = subscriptions;
        Err(ChannelError::Unsupported)
    }
}
