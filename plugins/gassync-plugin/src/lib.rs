//! The SDK for GasSync adapters.
//!
//! An adapter is a type with a manifest and one trait per capability, exported by a macro:
//!
//! ```
//! use gassync_plugin::{Adapter, ChannelError, Decoded, HttpRequest, Inbound, reply};
//!
//! struct Acme;
//!
//! impl Adapter for Acme {
//!     fn manifest() -> String {
//!         r#"{"schemaVersion": 1, "id": "acme"}"#.to_owned() // and the rest of it
//!     }
//! }
//!
//! impl Inbound for Acme {
//!     fn decode(_: HttpRequest) -> Result<Decoded, ChannelError> {
//!         Ok(Decoded { event_id: None, changes: Vec::new(), reply: Some(reply(200, "ok")) })
//!     }
//! }
//!
//! gassync_plugin::export!(crate::Acme: Inbound);
//! ```
//!
//! [`read_each`] reads the records of a page or message one by one, so that a malformed record does not affect the
//! others. [`Lenient`] reads values that channels send as number or text; [`Date`] and [`Nights`] handle dates;
//! [`Decimal`] adds amounts exactly; [`clock`] gives the time. The features `xml` and `multipart` read and write XML
//! documents and forms with files. The crate also compiles natively, with [`testing::FakeHost`] as the host.

pub mod clock;
pub mod core_data;
mod date;
mod decimal;
mod each;
mod escapes;
mod export;
#[doc(hidden)]
pub mod generated;
pub mod http;
mod instant;
mod json;
mod lenient_member;
mod lenient_value;
pub mod log;
mod minor_units;
#[cfg(feature = "multipart")]
pub mod multipart;
mod notes;
mod paging;
mod percent;
mod records;
mod settings;
pub mod signing;
pub mod state;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod traits;
#[cfg(feature = "xml")]
pub mod xml;

pub use date::{parse_date, parse_date_as, to_date_text};
pub use decimal::Decimal;
pub use each::{id_of, read_each, read_one};
pub use generated::gassync::channel::types::{
    Accepted, Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, Address, AppliedChange, Attempt, Block,
    CalendarNights, CalendarPart, Change, ChangeKind, ChangeResult, ChannelError, Chunk, Completeness, ConnectionEvent,
    ContentItem, CoreBooking, Date, Decoded, Entity, EntityRef, FieldError, GuestDetails, Header, Hint, Hold,
    HoldRequest, HttpRequest, HttpResponse, Intent, Money, Nights, Occupancy, Operation, OperationKind, Outcome, Page,
    PaymentCollectedBy, Price, PriceKind, PriceLine, Property, Query, Question, Quote, RatePlan, Refusal,
    RefusalReason, Report, Reservation, ReservationStatus, ResumePoint, RoomStay, RoomType, Route, Scope, Selection,
    StayQuery, StayRules, Subject, Subscribed, Unreadable, Verdict,
};
pub use json::read_json;
pub use lenient_member::lenient;
pub use lenient_value::Lenient;
pub use minor_units::currency_places;
pub use notes::note;
pub use paging::last_modified;
pub use percent::{percent_decode, percent_encode};
pub use records::{accepted, change, malformed, money, refetch, reply, reply_with};
pub use serde_json::value::RawValue;
pub use settings::settings;
pub use traits::{
    Acknowledgements, Adapter, Connection, Feeds, Inbound, Pull, PushCalendar, PushContent, PushReservations, Reply,
};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
