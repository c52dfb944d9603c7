//! Ties an [`Adapter`] to the exports of the contract.

use crate::{
    Adapter, Applying, CalendarNights, Change, ChannelError, Decoded, HttpRequest, HttpResponse, Operation, Outcome,
    Page, Part, Query, Receipt, bindings,
};

/// Makes a component of an adapter: `gassync_plugin::export!(Lakeside: inbound, pull);`.
///
/// The names are `inbound`, `answer`, `pull`, `receipts`, `push_calendar`, `push_reservations`, `push_content`,
/// `feeds` and `connection`; `about` is always there. Natively the macro does nothing, so that several adapters can be
/// linked into one test or benchmark.
#[macro_export]
macro_rules! export {
    ($adapter:ident $(: $($interface:ident),+ $(,)?)?) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::about::export!($adapter with_types_in $crate::bindings::about);
        $($(
            #[cfg(target_family = "wasm")]
            $crate::bindings::$interface::export!($adapter with_types_in $crate::bindings::$interface);
        )+)?
    };
}

impl<A: Adapter> bindings::about::exports::gassync::channel::about::Guest for A {
    fn describe() -> String {
        A::manifest()
    }
}

impl<A: Adapter> bindings::inbound::exports::gassync::channel::inbound::Guest for A {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        A::decode(request)
    }
}

impl<A: Adapter> bindings::answer::exports::gassync::channel::answer::Guest for A {
    fn respond(request: HttpRequest, changes: Vec<Change>, outcomes: Vec<Applying>) -> HttpResponse {
        A::respond(request, changes, outcomes)
    }
}

impl<A: Adapter> bindings::pull::exports::gassync::channel::pull::Guest for A {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        A::fetch(query)
    }
}

impl<A: Adapter> bindings::receipts::exports::gassync::channel::receipts::Guest for A {
    fn acknowledge(receipts: Vec<Receipt>) -> Result<Vec<Option<String>>, ChannelError> {
        A::acknowledge(receipts)
    }
}

impl<A: Adapter> bindings::push_calendar::exports::gassync::channel::push_calendar::Guest for A {
    fn push(updates: Vec<CalendarNights>) -> Result<Vec<Outcome>, ChannelError> {
        A::push_calendar(updates)
    }
}

impl<A: Adapter> bindings::push_reservations::exports::gassync::channel::push_reservations::Guest for A {
    fn push(operations: Vec<Operation>) -> Result<Vec<Outcome>, ChannelError> {
        A::push_reservations(operations)
    }
}

impl<A: Adapter> bindings::push_content::exports::gassync::channel::push_content::Guest for A {
    fn push(property_id: String, content: String) -> Result<Vec<Outcome>, ChannelError> {
        A::push_content(property_id, content)
    }
}

impl<A: Adapter> bindings::feeds::exports::gassync::channel::feeds::Guest for A {
    fn render(request: HttpRequest, part: Option<String>) -> Result<Part, ChannelError> {
        A::render(request, part)
    }
}

impl<A: Adapter> bindings::connection::exports::gassync::channel::connection::Guest for A {
    fn check() -> Result<String, ChannelError> {
        A::check()
    }

    fn subscribe(endpoint: String) -> Result<Vec<String>, ChannelError> {
        A::subscribe(endpoint)
    }

    fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, ChannelError> {
        A::unsubscribe(subscriptions)
    }
}
