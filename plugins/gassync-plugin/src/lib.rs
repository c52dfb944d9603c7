//! What a GasSync adapter is written with.
//!
//! An adapter is a type with a manifest and up to two more functions, exported by one macro:
//!
//! ```
//! struct Acme;
//!
//! impl gassync_plugin::Adapter for Acme {
//!     fn manifest() -> String {
//!         r#"{"schemaVersion": 1, "id": "acme"}"#.to_owned() // and the rest of it
//!     }
//! }
//!
//! gassync_plugin::export!(crate::Acme);
//! ```
//!
//! The same crate compiles natively, where [`testing::FakeHost`] stands in for the host.

mod date;
#[doc(hidden)]
pub mod generated;
pub mod http;
pub mod log;
mod records;
mod settings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use date::{parse_date, to_date_text};
pub use generated::exports::gassync::channel::{
    inbound::Decoded,
    pull::{Page, Query, Scope, Selection},
};
pub use generated::gassync::channel::types::{
    Address, Block, CalendarNights, CalendarPart, Change, ChannelError, Completeness, Date, Entity, EntityRef,
    FieldError, GuestDetails, Header, HttpRequest, HttpResponse, Intent, Money, News, Nights, Price, Property,
    Reservation, ReservationStatus, RoomStay, RoomType, Route, StayRules,
};
pub use records::{change, money, reply};
pub use settings::settings;

/// What a partner writes. Everything but the manifest has a default that says "unsupported".
pub trait Adapter {
    /// The manifest, a JSON document.
    fn manifest() -> String;

    /// What a channel's call to us says. Answer without guessing: what the payload does not say is `None`.
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let _ = request;
        Err(ChannelError::Unsupported)
    }

    /// What the channel has. As a rule one request a call; more steps go through the cursor.
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        let _ = query;
        Err(ChannelError::Unsupported)
    }
}

/// Makes a component of an [`Adapter`].
#[macro_export]
macro_rules! export {
    ($adapter:ty) => {
        #[cfg(target_arch = "wasm32")]
        mod exported {
            use $crate::generated::exports::gassync::channel::{about, inbound, pull};

            struct Component;

            impl about::Guest for Component {
                fn describe() -> String {
                    <$adapter as $crate::Adapter>::manifest()
                }
            }

            impl inbound::Guest for Component {
                fn decode(request: $crate::HttpRequest) -> Result<$crate::Decoded, $crate::ChannelError> {
                    <$adapter as $crate::Adapter>::decode(request)
                }
            }

            impl pull::Guest for Component {
                fn fetch(query: $crate::Query) -> Result<$crate::Page, $crate::ChannelError> {
                    <$adapter as $crate::Adapter>::fetch(query)
                }
            }

            $crate::generated::export!(Component with_types_in $crate::generated);
        }
    };
}
