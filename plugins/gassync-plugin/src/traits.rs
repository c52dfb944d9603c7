//! What an adapter can do, a trait for each interface of the contract.

use crate::{
    Attempt, CalendarNights, Change, ChannelError, ContentItem, Decoded, Fate, HttpRequest, HttpResponse, Operation,
    Outcome, Page, Part, Query, Receipt, ReceiptOutcome, Report, Subscribed,
};

/// What every adapter says of itself.
pub trait Adapter {
    /// The manifest, a JSON document. Of the host only [`crate::log`] works while it runs.
    fn manifest() -> String;
}

/// It is called by its channel.
pub trait Inbound {
    /// What a channel's call to us says. Answer without guessing: what the payload does not say is `None`.
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError>;
}

/// Its channel waits for what became of a call.
pub trait Answer {
    /// Words the reply; `fates` stand in the order of the changes that [`Inbound::decode`] gave. On an error the host
    /// answers what the manifest's route says for when the plugin cannot.
    fn respond(request: HttpRequest, changes: Vec<Change>, fates: Vec<Fate>) -> Result<HttpResponse, ChannelError>;

    /// Words the reply where there is no outcome: [`Inbound::decode`] answered this error, or the host cannot
    /// ([`ChannelError::Unavailable`]). Without it the host answers what the manifest's route says for such calls.
    fn unable(request: HttpRequest, why: ChannelError) -> Result<HttpResponse, ChannelError> {
        let _ = (request, why);
        Err(ChannelError::Unsupported)
    }
}

/// It fetches.
pub trait Pull {
    /// What the channel has. As a rule one request a call; more steps go through the cursor.
    fn fetch(query: Query) -> Result<Page, ChannelError>;
}

/// Its channel wants each reservation confirmed.
pub trait Receipts {
    /// One outcome for each receipt, in order.
    fn acknowledge(receipts: Vec<Receipt>) -> Result<Vec<ReceiptOutcome>, ChannelError>;
}

/// It writes availability, prices and stay rules.
pub trait PushCalendar {
    /// One outcome for each update, in order. [`Attempt::AfterUnknown`]: some of the nights may have been written already.
    fn push_calendar(updates: Vec<CalendarNights>, attempt: Attempt) -> Result<Vec<Outcome>, ChannelError>;
}

/// It writes reservations and blocks.
pub trait PushReservations {
    /// One outcome for each operation, in order.
    fn push_reservations(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError>;
}

/// It writes names, texts and pictures.
pub trait PushContent {
    /// One outcome for each item, in order; all belong to one property, which comes first. [`Attempt::AfterUnknown`]: some of
    /// it may have been written already.
    fn push_content(items: Vec<ContentItem>, attempt: Attempt) -> Result<Vec<Outcome>, ChannelError>;
}

/// Its channel fetches from us.
pub trait Feeds {
    /// One part of the answer; `part` is `None` for the first, then `next` of the part before.
    fn render(request: HttpRequest, part: Option<String>) -> Result<Part, ChannelError>;
}

/// It can be tested, and can tell its channel where to call.
pub trait Connection {
    /// "Test this connection".
    fn check() -> Result<Report, ChannelError>;

    /// Tells the channel to call us. `endpoint` is a placeholder that the host fills in.
    fn subscribe(endpoint: String) -> Result<Subscribed, ChannelError> {
        let _ = endpoint;
        Err(ChannelError::Unsupported)
    }

    /// Ends subscriptions; returns those that are gone.
    fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, ChannelError> {
        let _ = subscriptions;
        Err(ChannelError::Unsupported)
    }
}
