//! What a GasSync adapter is written with.
//!
//! An adapter is a type with a manifest and one trait for each thing it can do, exported by one macro:
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
//! [`read_each`] reads the records of a page or a message one by one, so that an odd one stops no other. [`Loose`] reads what channels write now as a number, now as a text; [`Date`] and [`Nights`] count days; [`clock`] tells
//! the time. The same crate compiles natively, where [`testing::FakeHost`] stands in for the host.

mod abilities;
pub mod clock;
mod date;
mod each;
mod escapes;
mod export;
#[doc(hidden)]
pub mod generated;
pub mod http;
mod instant;
pub mod inventory;
mod json;
pub mod keys;
mod lenient;
pub mod log;
mod loose;
mod minor_units;
mod notes;
mod paging;
mod percent;
mod records;
mod settings;
pub mod state;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use abilities::{
    Adapter, Answer, Connection, Feeds, Inbound, Pull, PushCalendar, PushContent, PushReservations, Receipts,
};
pub use date::{parse_date, parse_date_as, to_date_text};
pub use each::{id_of, read_each, read_one};
pub use generated::gassync::channel::types::{
    Accepted, Address, Applied, Attempt, Block, Booked, CalendarNights, CalendarPart, Change, ChannelError, Collector,
    Completeness, ConnectionEvent, ContentItem, Date, Decoded, Entity, EntityRef, Fate, FieldError, GuestDetails,
    Header, Held, Hint, HoldRequest, HttpRequest, HttpResponse, Intent, Money, News, Nights, Operation, Outcome, Page,
    Part, Party, Price, PriceKind, PriceLine, Property, Query, Question, Quoted, RatePlan, Receipt, ReceiptFate,
    ReceiptOutcome, Refusal, Refused, Report, Reservation, ReservationStatus, ResumePoint, RoomStay, RoomType, Route,
    Scope, Selection, StayQuery, StayRules, Subject, Subscribed, Unreadable, Verb, Verdict,
};
pub use json::read_json;
pub use lenient::lenient;
pub use loose::Loose;
pub use notes::note;
pub use paging::last_modified;
pub use percent::{percent_decode, percent_encode};
pub use records::{accepted, change, look_again, malformed, money, reply, reply_with};
pub use serde_json::value::RawValue;
pub use settings::settings;
