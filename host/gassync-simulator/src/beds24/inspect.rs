//! State of the channel, for comparison in tests.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::Date};

use super::{
    Beds24, Beds24Property, BookEntry, FaultSettings, GuestMessage, InjectedFault, NightWrite, RoomNight, Rule,
    SeenCall, nights::PRICED_NIGHTS, today,
};

impl Beds24 {
    /// All bookings.
    pub fn book(&self) -> Vec<BookEntry> {
        self.account().book.entries()
    }

    /// All properties.
    pub fn properties(&self) -> Vec<Beds24Property> {
        self.account().book.properties.clone()
    }

    /// Nights of a room type from today, as far as priced; empty for an unknown room type.
    pub fn calendar(&self, room_id: u64) -> Vec<RoomNight> {
        let first = today(self.now());
        self.nights(room_id, first, first.saturating_add(Span::new().days(PRICED_NIGHTS - 1)))
    }

    /// Nights of a room type; both ends are inclusive.
    pub fn nights(&self, room_id: u64, from: Date, to: Date) -> Vec<RoomNight> {
        let account = self.account();
        let nights = from.series(Span::new().days(1)).take_while(|night| *night <= to);
        nights.filter_map(|night| account.book.night(room_id, night)).collect()
    }

    /// Last API write of a night, if any.
    pub fn night_written(&self, room_id: u64, night: Date) -> Option<Timestamp> {
        self.account().book.calendar.written.get(&(room_id, night)).copied()
    }

    /// Calendar writes by API, in order.
    pub fn night_writes(&self) -> Vec<NightWrite> {
        self.account().book.calendar.writes.iter().cloned().collect()
    }

    /// Last API write of a booking, if any.
    pub fn booking_written(&self, id: u64) -> Option<Timestamp> {
        self.account().book.get(id)?.written
    }

    /// All messages.
    pub fn messages(&self) -> Vec<GuestMessage> {
        self.account().messages.all.clone()
    }

    /// Number of bookings created by API with a reference.
    pub fn creates(&self, reference: &str) -> usize {
        self.creates_by_reference().get(reference).copied().unwrap_or(0)
    }

    /// Number of bookings created by API per reference; empty text for none.
    pub fn creates_by_reference(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, reference) in &self.account().book.made_by_api {
            *counts.entry(reference.clone()).or_default() += 1;
        }
        counts
    }

    /// Logged API calls, in the order they ended.
    pub fn requests(&self) -> Vec<SeenCall> {
        self.account().calls.all()
    }

    /// Number of concurrent calls.
    pub fn parallel_calls(&self) -> u64 {
        self.account().calls.parallel
    }

    /// Remaining credits.
    pub fn credits_remaining(&self) -> f64 {
        let now = self.now();
        self.account().credits.remaining(now)
    }

    /// Current fault settings.
    pub fn faults(&self) -> FaultSettings {
        self.account().faults.clone()
    }

    /// Sets the rule of a fault.
    pub fn set_fault(&self, fault: InjectedFault, rule: Rule) {
        self.account().faults.rules.insert(fault, rule);
    }

    /// Replaces the fault settings.
    pub fn set_faults(&self, faults: FaultSettings) {
        self.account().faults = faults;
    }

    /// Creates a single-use invite code with the default scopes.
    pub fn invite_code(&self) -> String {
        let scopes = self.inner.settings.scopes.clone();
        self.invite_code_with(scopes)
    }

    /// Creates an invite code with these scopes, such as `read:bookings`.
    pub fn invite_code_with(&self, scopes: impl IntoIterator<Item = impl Into<String>>) -> String {
        let now = self.now();
        let account = &mut *self.account();
        let scopes = super::scopes::Scopes(scopes.into_iter().map(Into::into).collect());
        account.tokens.invite(scopes, now, &mut account.rng)
    }

    /// Creates a long-life token: read-only, valid while used.
    pub fn long_life_token(&self) -> String {
        let now = self.now();
        let account = &mut *self.account();
        let scopes = super::scopes::Scopes(self.inner.settings.scopes.clone());
        account.tokens.long_life(&scopes, now, &mut account.rng)
    }

    /// Expires all access tokens; refresh tokens stay valid.
    pub fn end_access_tokens(&self) {
        self.account().tokens.end_all();
    }
}
