use crate::{
    Applying, CalendarNights, Change, ChannelError, Decoded, HttpRequest, HttpResponse, Operation, Outcome, Page, Part,
    Query, Receipt,
};

/// A channel's adapter. Each function belongs to one interface of the contract and is called only where
/// [`export!`](crate::export!) names that interface; the defaults say "unsupported".
///
/// There is no `self`: a call may run in a fresh sandbox, so nothing is kept between two of them but
/// [`state`](crate::state).
pub trait Adapter {
    /// `about`: the manifest, as JSON. It asks; an admin grants. Nothing but [`log`](crate::log) works in it.
    fn manifest() -> String;

    /// `inbound`: what a call of the channel to us says. A call that is not understood is
    /// [`ChannelError::Malformed`], never a panic.
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let _ = request;
        Err(ChannelError::Unsupported)
    }

    /// `answer`: the words of a reply whose outcome is known. Outcomes stand in the order of the changes.
    fn respond(request: HttpRequest, changes: Vec<Change>, outcomes: Vec<Applying>) -> HttpResponse {
        let _ = (request, changes, outcomes);
        HttpResponse::text(501, "not supported")
    }

    /// `pull`: one page of the channel's records. As a rule one request a call; what is left goes into the cursor.
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        let _ = query;
        Err(ChannelError::Unsupported)
    }

    /// `receipts`: tells the channel what became of its reservations. In the order given: none where the channel took
    /// it, else what it said.
    fn acknowledge(receipts: Vec<Receipt>) -> Result<Vec<Option<String>>, ChannelError> {
        let _ = receipts;
        Err(ChannelError::Unsupported)
    }

    /// `push_calendar`: availability, prices and stay rules to the channel; one outcome per item, in order.
    fn push_calendar(updates: Vec<CalendarNights>) -> Result<Vec<Outcome>, ChannelError> {
        let _ = updates;
        Err(ChannelError::Unsupported)
    }

    /// `push_reservations`: bookings and blocks to the channel; one outcome per item, in order.
    fn push_reservations(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError> {
        let _ = operations;
        Err(ChannelError::Unsupported)
    }

    /// `push_content`: texts, images and amenities of one property, as JSON.
    fn push_content(property_id: String, content: String) -> Result<Vec<Outcome>, ChannelError> {
        let _ = (property_id, content);
        Err(ChannelError::Unsupported)
    }

    /// `feeds`: answers a channel that fetches from us, in parts.
    fn render(request: HttpRequest, part: Option<String>) -> Result<Part, ChannelError> {
        let _ = (request, part);
        Err(ChannelError::Unsupported)
    }

    /// `connection`: who we are at the channel, what we may do there and what is missing, as JSON.
    fn check() -> Result<String, ChannelError> {
        Err(ChannelError::Unsupported)
    }

    /// `connection`: asks the channel to call `endpoint`; gives the ids of the subscriptions.
    fn subscribe(endpoint: String) -> Result<Vec<String>, ChannelError> {
        let _ = endpoint;
        Err(ChannelError::Unsupported)
    }

    /// `connection`: ends subscriptions; gives the ids of those that are gone.
    fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, ChannelError> {
        let _ = subscriptions;
        Err(ChannelError::Unsupported)
    }
}
