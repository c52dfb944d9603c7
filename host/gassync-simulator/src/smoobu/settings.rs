//! Settings of a simulated account. What the channel's documentation leaves open is a setting.

use axum::{http::StatusCode, response::Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::answer;
use crate::FaultSettings;

/// Settings of a simulated account.
#[derive(Debug, Clone)]
pub struct SmoobuSettings {
    /// Random seed; it also determines ids, so that accounts can be distinguished.
    pub seed: u64,
    /// Number of apartments.
    pub apartments: u32,
    /// True if the last two are a whole house and its upper floor, which close one another.
    pub house: bool,
    /// Number of initial bookings.
    pub bookings: u32,
    /// IANA name of the zone of `created-at` and `modifiedAt`, which do not say it.
    pub time_zone: String,
    /// When the plain key stops to work; `None` for never.
    pub plain_key_until: Option<Timestamp>,
    /// How far the time of a signed request may be from ours.
    pub clock_skew: SignedDuration,
    /// Calls per minute.
    pub calls_per_minute: u32,
    /// Form of `X-RateLimit-Retry-After`.
    pub retry_after: RetryAfter,
    /// Status of a refused request: 400 or 422.
    pub refused_status: u16,
    /// True if `modifiedFrom` and `modifiedTo` include the instant they name.
    pub bounds_included: bool,
    /// True if `end_date` and the end of a range of dates are included.
    pub last_day_included: bool,
    /// True if `available` of an operation closes nights; else it is ignored.
    pub operations_close: bool,
    /// True if a deleted block is gone for good; else it stays as a cancellation.
    pub deleted_blocks_vanish: bool,
    /// Fields of the guest that the host made obligatory, such as `email`.
    pub required_fields: Vec<String>,
    /// Maximum random delay of webhooks, in seconds.
    pub webhook_late_seconds: u32,
    /// True if webhooks are delivered out of order.
    pub webhook_shuffle: bool,
    /// Initial fault settings.
    pub faults: FaultSettings,
    /// Share of odd bookings, from 0 to 1.
    pub odd: f64,
}

/// Form of `X-RateLimit-Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Seconds to wait.
    Seconds,
    /// Seconds since 1970.
    Epoch,
}

impl Default for SmoobuSettings {
    fn default() -> Self {
        Self {
            seed: 70,
            apartments: 6,
            house: true,
            bookings: 12,
            time_zone: "UTC".to_owned(),
            // 25 September 2026, 00:00 UTC, as announced.
            plain_key_until: Timestamp::from_second(1_790_294_400).ok(),
            clock_skew: SignedDuration::from_mins(5),
            calls_per_minute: 1_000,
            retry_after: RetryAfter::Epoch,
            refused_status: 400,
            bounds_included: true,
            last_day_included: true,
            operations_close: false,
            deleted_blocks_vanish: false,
            required_fields: Vec::new(),
            webhook_late_seconds: 0,
            webhook_shuffle: true,
            faults: FaultSettings::default(),
            odd: 0.0,
        }
    }
}

impl SmoobuSettings {
    /// Id of the user, which webhooks and the stay check name.
    pub(super) fn user(&self) -> u64 {
        7_001 + self.seed % 900
    }

    /// Number below the first apartment's id.
    pub(super) fn first_apartment(&self) -> u64 {
        300_000 + self.seed % 900 * 100
    }

    /// Number below the first booking's id.
    pub(super) fn first_booking(&self) -> u64 {
        40_000_000 + self.seed % 900 * 10_000
    }

    /// Number below the ids of the account's own channels.
    pub(super) fn first_channel(&self) -> u64 {
        940_880 + self.seed % 900 * 20
    }

    fn refusal(&self) -> StatusCode {
        StatusCode::from_u16(self.refused_status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// Refuses a request, with the words in `detail`.
    pub(super) fn refuse(&self, detail: &str) -> Response {
        answer::refused(self.refusal(), detail)
    }

    /// Refuses a request, with the words in `validation_messages`.
    pub(super) fn refuse_fields(&self, messages: &Value) -> Response {
        answer::invalid(self.refusal(), messages)
    }
}
