//! Records and rules of the integration buffer.
//!
//! No I/O: no clock, no database, no network, no plugin; callers pass the time in. The records are those of the public
//! standard schema; partners send and read their JSON form.

mod authority;
mod availability;
mod block;
mod breaker;
mod calendar;
mod change;
mod change_result;
mod channel_error;
mod channel_night;
mod clock;
mod closure;
mod difference;
mod direction;
mod event;
mod exchange;
mod extra;
mod guest;
mod id;
mod ingested;
mod mapping;
mod mend;
mod mend_values;
mod merge;
mod money;
mod price;
mod price_adjustment;
mod property;
mod pull;
mod push;
mod push_settings;
mod question;
mod quote;
mod rate_plan;
mod raw_json;
mod reference;
mod reservation;
mod retry;
mod run_state;
mod source_state;
mod stay;
mod stay_rules;
mod suggest;
mod sync_log;
mod sync_state;
mod text;
mod today;
mod validate;
mod webhook;
mod words;

pub use authority::{Authority, Owner};
pub use availability::{Availability, MAX_CALENDAR_NIGHTS};
pub use block::Block;
pub use breaker::{Breaker, BreakerState};
pub use calendar::{Calendar, CalendarNight};
pub use change::{Change, ChangeKind, ConnectionEvent, Decoded, Entity, EntityRef, Hint, Mended, Route, Unreadable};
pub use change_result::{ChangeResult, CoreBooking, Quote, Refusal, RefusalReason, Verdict};
pub use channel_error::ChannelError;
pub use channel_night::ChannelNight;
pub use clock::Clock;
pub use closure::{Closure, CoreNight, LastSent, ObservedNight, UnitCount, closed_by_hand};
pub use difference::{FieldChange, differences};
pub use direction::Direction;
pub use event::EventName;
pub use exchange::{Header, HttpRequest, HttpResponse};
pub use extra::Extra;
pub use guest::Guest;
pub use id::{AccountId, ConnectionId, CoreId, DeliveryId, JobId, RunId, SourceId, SourceKey, WebhookId};
pub use ingested::Ingested;
pub use jiff::Timestamp;
pub use jiff::civil::Date;
pub use mapping::{Missing, Parked};
pub use mend::{Mend, MendResult, join_mended};
pub use mend_values::{mark_in_json_text, mend_instant, mend_json_text, mend_text};
pub use merge::{Digest, MergeDecision, Version, decide, fill};
pub use money::{Amount, AmountError, Money, TEN_THOUSANDTHS, mend_amount};
pub use price::{PriceKind, PriceLine};
pub use price_adjustment::{PriceAdjustment, Rounding};
pub use property::{Address, Property, RoomType};
pub use pull::{Page, Query, ResumePoint, Scope, Selection};
pub use push::{
    Acknowledgement, AcknowledgementOutcome, Attempt, CalendarParts, CalendarUpdate, Chunk, ContentItem, Operation,
    OperationKind, Outcome, Report, Subject, Subscribed,
};
pub use push_settings::{BookingsPushed, MAX_HORIZON_DAYS, PushSettings};
pub use question::{Occupancy, Question, StayQuery};
pub use quote::{QuoteRequest, quote};
pub use rate_plan::RatePlan;
pub use raw_json::RawJson;
pub use reference::{reference_of, referenced};
pub use reservation::{Completeness, Intent, PaymentCollectedBy, Reservation, RoomStay, Status};
pub use retry::{ATTEMPT_DELAYS, RetryDelay, retry_delay};
pub use run_state::RunState;
pub use source_state::SourceState;
pub use stay::{MAX_STAY_NIGHTS, Stay, StayError};
pub use stay_rules::StayRules;
pub use suggest::{Similarity, WORTH_SHOWING, compare_properties, compare_room_types};
pub use sync_log::{LogAction, LogDirection, LogStatus, SyncRunKind, SyncRunStatus};
pub use sync_state::{MAX_MISMATCHES, MismatchStep, SyncEvent, SyncState, SyncStatus};
pub use text::lossless_instant;
pub use today::{is_time_zone, today_at, utc_day};
pub use validate::{
    FieldError, MAX_BLOCK_NIGHTS, MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PRICE_LINES, MAX_ROOMS, Validate, is_plausible,
};
pub use webhook::{
    DELIVERY_DELAYS, EventFilter, MAX_EVENT_NAMES, Signing, WebhookEnvelope, WebhookPayload, delivery_delay,
};
pub use words::UnknownWord;
