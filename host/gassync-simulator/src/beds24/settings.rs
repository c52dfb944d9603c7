//! Simulator settings. Behaviour that the channel's documentation leaves open is configurable.

use super::FaultSettings;

/// Settings of a simulated account.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Random seed; it also determines ids, so that accounts can be distinguished.
    pub seed: u64,
    /// Number of properties.
    pub properties: u32,
    /// Room types per property.
    pub room_types_per_property: u32,
    /// Number of initial bookings.
    pub bookings: u32,
    /// Records per page.
    pub page_size: usize,
    /// Scopes of an invite code.
    pub scopes: Vec<String>,
    /// Response status for a missing scope; unconfirmed.
    pub missing_scope_status: u16,
    /// True if refresh tokens rotate. Measured: they do not.
    pub refresh_rotates: bool,
    /// Credits per rolling five minutes.
    pub credits_per_five_minutes: f64,
    /// Cost of a read call.
    pub read_cost: f64,
    /// Cost of a write call.
    pub write_cost: f64,
    /// Spelling of the credit headers.
    pub credit_headers: CreditHeaders,
    /// Handling of concurrent calls.
    pub parallel: Parallel,
    /// True if `…From` and `…To` include the day or instant they name; unconfirmed.
    pub bounds_included: bool,
    /// True if `searchString` searches `reference` too; unconfirmed.
    pub search_finds_reference: bool,
    /// True if valid fields of a refused change are still applied.
    pub refused_changes_apply_in_part: bool,
    /// True if writes that create nothing return only `success`.
    pub bare_answers: bool,
    /// True if the second room type of each property inherits the prices of the first.
    pub linked_prices: bool,
    /// True if version 2 webhooks are sent as an array with one element.
    pub webhook_in_array: bool,
    /// Maximum random delay of webhooks, in seconds.
    pub webhook_late_seconds: u32,
    /// True if webhooks are delivered out of order.
    pub webhook_shuffle: bool,
    /// Initial fault settings.
    pub faults: FaultSettings,
    /// Share of odd bookings, from 0 to 1.
    pub odd: f64,
}

/// Spelling of the credit headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditHeaders {
    /// As observed.
    Wire,
    /// As in the vendor's OpenAPI file.
    File,
}

/// Handling of concurrent calls. They are counted either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallel {
    /// Answer normally.
    Count,
    /// Refuse with 429; the real behaviour is unconfirmed.
    Refuse,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 24,
            properties: 3,
            room_types_per_property: 2,
            bookings: 20,
            page_size: 100,
            scopes: ["bookings", "bookings-personal", "bookings-financial", "inventory", "properties"]
                .map(|area| format!("all:{area}"))
                .to_vec(),
            missing_scope_status: 403,
            refresh_rotates: false,
            credits_per_five_minutes: 100.0,
            read_cost: 1.0,
            write_cost: 1.1,
            credit_headers: CreditHeaders::Wire,
            parallel: Parallel::Count,
            bounds_included: true,
            search_finds_reference: true,
            refused_changes_apply_in_part: true,
            bare_answers: false,
            linked_prices: false,
            webhook_in_array: false,
            webhook_late_seconds: 0,
            webhook_shuffle: true,
            faults: FaultSettings::default(),
            odd: 0.0,
        }
    }
}

impl Settings {
    /// Id of the account's owner.
    pub(super) fn owner_id(&self) -> u64 {
        77_001 + self.seed % 900
    }

    /// Number below the first booking's id.
    pub(super) fn first_booking_id(&self) -> u64 {
        90_000_000 + self.seed % 900 * 10_000
    }
}
