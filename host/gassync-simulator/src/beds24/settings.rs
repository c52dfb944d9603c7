//! What the simulation starts with. What the channel's own documents leave open is a setting, so that both ways can be
//! tried.

use super::faults::FaultSettings;

/// What the simulation starts with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What all chance grows from; ids differ with it too, so that several accounts can be told apart.
    pub seed: u64,
    /// How many properties.
    pub properties: u32,
    /// How many room types each of them has.
    pub room_types_per_property: u32,
    /// How many bookings are there from the start.
    pub bookings: u32,
    /// Records on a page.
    pub page_size: usize,
    /// What an invite code grants.
    pub scopes: Vec<String>,
    /// The status that a call without the scope it needs is answered with; unconfirmed.
    pub missing_scope_status: u16,
    /// Each use of a refresh token brings a new one and ends the old one. Measured: it does not.
    pub refresh_rotates: bool,
    /// Credits per rolling five minutes.
    pub credits_per_five_minutes: f64,
    /// What a reading call costs.
    pub read_cost: f64,
    /// What a writing call costs.
    pub write_cost: f64,
    /// How the headers with the credits are spelled.
    pub credit_headers: CreditHeaders,
    /// What becomes of a call that comes while another one runs.
    pub parallel: Parallel,
    /// Whether `…From` and `…To` include the day or instant they name; unconfirmed.
    pub bounds_included: bool,
    /// Whether `searchString` looks at `reference` too; unconfirmed.
    pub search_finds_reference: bool,
    /// Whether the good keys of a refused change are kept all the same.
    pub refused_changes_apply_in_part: bool,
    /// Writes that create nothing answer with `success` alone.
    pub bare_answers: bool,
    /// The second room type of each property takes its prices from the first.
    pub linked_prices: bool,
    /// Webhooks of version 2 are an array with one element.
    pub webhook_in_array: bool,
    /// Webhooks are up to so many seconds late, by chance.
    pub webhook_late_seconds: u32,
    /// Deliver webhooks out of order.
    pub webhook_shuffle: bool,
    /// What goes wrong from the start.
    pub faults: FaultSettings,
    /// The share of the bookings that are said which is odd, from 0 to 1.
    pub odd: f64,
}

/// How the headers with the credits are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditHeaders {
    /// As they are seen on the wire.
    Wire,
    /// As the vendor's OpenAPI file has them.
    File,
}

/// What becomes of a call that comes while another one runs. Either way it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parallel {
    /// It is answered as any other.
    Count,
    /// It is refused with 429; what the channel would do is unconfirmed.
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
    /// Which owner the account belongs to.
    pub(super) fn owner_id(&self) -> u64 {
        77_001 + self.seed % 900
    }

    /// Below the first booking's id.
    pub(super) fn first_booking_id(&self) -> u64 {
        90_000_000 + self.seed % 900 * 10_000
    }
}
