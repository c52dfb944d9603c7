/// Exports an [`Adapter`](crate::Adapter) and the named traits as a component:
/// `gassync_plugin::export!(crate::Acme: Inbound, Pull)`. Traits that are not named are not
/// exported, so the host knows that the plugin does not support them.
#[macro_export]
macro_rules! export {
    ($adapter:ty $(: $($interface:ident),+ $(,)?)?) => {
        #[cfg(target_arch = "wasm32")]
        mod exported {
            struct Component;

            impl $crate::generated::metadata::exports::gassync::channel::metadata::Guest for Component {
                fn describe() -> String {
                    <$adapter as $crate::Adapter>::manifest()
                }
            }
            $crate::generated::metadata::export_metadata!(Component with_types_in $crate::generated::metadata);

            $($($crate::export_interface!($interface, $adapter, Component);)+)?
        }
    };
}

/// One arm per interface of the contract.
#[doc(hidden)]
#[macro_export]
macro_rules! export_interface {
    (Inbound, $adapter:ty, $component:ident) => {
        impl $crate::generated::inbound::exports::gassync::channel::inbound::Guest for $component {
            fn decode(request: $crate::HttpRequest) -> Result<$crate::Decoded, $crate::ChannelError> {
                <$adapter as $crate::Inbound>::decode(request)
            }
        }
        $crate::generated::inbound::export_inbound!($component with_types_in $crate::generated::inbound);
    };
    (Reply, $adapter:ty, $component:ident) => {
        impl $crate::generated::reply::exports::gassync::channel::reply::Guest for $component {
            fn respond(
                request: $crate::HttpRequest,
                changes: Vec<$crate::Change>,
                results: Vec<$crate::ChangeResult>,
            ) -> Result<$crate::HttpResponse, $crate::ChannelError> {
                <$adapter as $crate::Reply>::respond(request, changes, results)
            }

            fn on_error(
                request: $crate::HttpRequest,
                error: $crate::ChannelError,
            ) -> Result<$crate::HttpResponse, $crate::ChannelError> {
                <$adapter as $crate::Reply>::on_error(request, error)
            }
        }
        $crate::generated::reply::export_reply!($component with_types_in $crate::generated::reply);
    };
    (Pull, $adapter:ty, $component:ident) => {
        impl $crate::generated::pull::exports::gassync::channel::pull::Guest for $component {
            fn fetch(query: $crate::Query) -> Result<$crate::Page, $crate::ChannelError> {
                <$adapter as $crate::Pull>::fetch(query)
            }
        }
        $crate::generated::pull::export_pull!($component with_types_in $crate::generated::pull);
    };
    (Acknowledgements, $adapter:ty, $component:ident) => {
        impl $crate::generated::acknowledgements::exports::gassync::channel::acknowledgements::Guest for $component {
            fn acknowledge(acknowledgements: Vec<$crate::Acknowledgement>) -> Result<Vec<$crate::AcknowledgementOutcome>, $crate::ChannelError> {
                <$adapter as $crate::Acknowledgements>::acknowledge(acknowledgements)
            }
        }
        $crate::generated::acknowledgements::export_acknowledgements!($component with_types_in $crate::generated::acknowledgements);
    };
    (PushCalendar, $adapter:ty, $component:ident) => {
        impl $crate::generated::push_calendar::exports::gassync::channel::push_calendar::Guest for $component {
            fn push(
                updates: Vec<$crate::CalendarNights>,
                attempt: $crate::Attempt,
            ) -> Result<Vec<$crate::Outcome>, $crate::ChannelError> {
                <$adapter as $crate::PushCalendar>::push_calendar(updates, attempt)
            }
        }
        $crate::generated::push_calendar::export_push_calendar!($component with_types_in $crate::generated::push_calendar);
    };
    (PushReservations, $adapter:ty, $component:ident) => {
        impl $crate::generated::push_reservations::exports::gassync::channel::push_reservations::Guest for $component {
            fn push(operations: Vec<$crate::Operation>) -> Result<Vec<$crate::Outcome>, $crate::ChannelError> {
                <$adapter as $crate::PushReservations>::push_reservations(operations)
            }
        }
        $crate::generated::push_reservations::export_push_reservations!($component with_types_in $crate::generated::push_reservations);
    };
    (PushContent, $adapter:ty, $component:ident) => {
        impl $crate::generated::push_content::exports::gassync::channel::push_content::Guest for $component {
            fn push(
                items: Vec<$crate::ContentItem>,
                attempt: $crate::Attempt,
            ) -> Result<Vec<$crate::Outcome>, $crate::ChannelError> {
                <$adapter as $crate::PushContent>::push_content(items, attempt)
            }
        }
        $crate::generated::push_content::export_push_content!($component with_types_in $crate::generated::push_content);
    };
    (Feeds, $adapter:ty, $component:ident) => {
        impl $crate::generated::feeds::exports::gassync::channel::feeds::Guest for $component {
            fn render(
                request: $crate::HttpRequest,
                cursor: Option<String>,
            ) -> Result<$crate::Chunk, $crate::ChannelError> {
                <$adapter as $crate::Feeds>::render(request, cursor)
            }
        }
        $crate::generated::feeds::export_feeds!($component with_types_in $crate::generated::feeds);
    };
    (Connection, $adapter:ty, $component:ident) => {
        impl $crate::generated::connection::exports::gassync::channel::connection::Guest for $component {
            fn check() -> Result<$crate::Report, $crate::ChannelError> {
                <$adapter as $crate::Connection>::check()
            }

            fn subscribe(endpoint: String) -> Result<$crate::Subscribed, $crate::ChannelError> {
                <$adapter as $crate::Connection>::subscribe(endpoint)
            }

            fn unsubscribe(subscriptions: Vec<String>) -> Result<Vec<String>, $crate::ChannelError> {
                <$adapter as $crate::Connection>::unsubscribe(subscriptions)
            }
        }
        $crate::generated::connection::export_connection!($component with_types_in $crate::generated::connection);
    };
}
