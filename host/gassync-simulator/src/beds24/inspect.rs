//! What tests compare with: everything as the channel has it.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil::Date};

use super::{
    Beds24, BookEntry, FaultSettings, GuestMessage, InjectedFault, NightWrite, RoomNight, Rule, SeenCall,
    SimulatedProperty, nights::PRICED_NIGHTS, today,
};

impl Beds24 {
    /// Every booking.
    pub fn book(&self) -> Vec<BookEntry> {
        self.account().book.entries()
    }

    /// The houses.
    pub fn properties(&self) -> Vec<SimulatedProperty> {
        self.account().book.properties.clone()
    }

    /// Each night of a room type from today on, for as long as there are prices; empty when there is no such room type.
    pub fn calendar(&self, room_id: u64) -> Vec<RoomNight> {
        let first = today(self.now());
        self.nights(room_id, first, first.saturating_add(Span::new().days(PRICED_NIGHTS - 1)))
    }

    /// The nights of a room type from one to another, both included.
    pub fn nights(&self, room_id: u64, from: Date, to: Date) -> Vec<RoomNight> {
        let account = self.account();
        let nights = from.series(Span::new().days(1)).take_while(|night| *night <= to);
        nights.filter_map(|night| account.book.night(room_id, night)).collect()
    }

    /// When a night of a room type was last written by API; none where it never was.
    pub fn night_written(&self, room_id: u64, night: Date) -> Option<Timestamp> {
        self.account().book.calendar.written.get(&(room_id, night)).copied()
    }

    /// What was written of calendars by API, in its order.
    pub fn night_writes(&self) -> Vec<NightWrite> {
        self.account().book.calendar.writes.iter().cloned().collect()
    }

    /// When a booking was last written by API; none where it never was.
    pub fn booking_written(&self, id: u64) -> Option<Timestamp> {
        self.account().book.get(id)?.written
    }

    /// Every message.
    pub fn messages(&self) -> Vec<GuestMessage> {
        self.account().messages.all.clone()
    }

    /// How many bookings were made by API under this reference.
    pub fn creates(&self, reference: &str) -> usize {
        self.creates_by_reference().get(reference).copied().unwrap_or(0)
    }

    /// How many bookings were made by API under each reference; without one, under an empty text.
    pub fn creates_by_reference(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, reference) in &self.account().book.made_by_api {
            *counts.entry(reference.clone()).or_default() += 1;
        }
        counts
    }

    /// The last calls of the API, in the order they ended.
    pub fn requests(&self) -> Vec<SeenCall> {
        self.account().calls.all()
    }

    /// How many calls began while another one ran.
    pub fn parallel_calls(&self) -> u64 {
        self.account().calls.parallel
    }

    /// Credits left now.
    pub fn credits_remaining(&self) -> f64 {
        let now = self.now();
        self.account().credits.remaining(now)
    }

    /// What may go wrong now.
    pub fn faults(&self) -> FaultSettings {
        self.account().faults.clone()
    }

    /// Lets something go wrong from now on.
    pub fn set_fault(&self, fault: InjectedFault, rule: Rule) {
        self.account().faults.rules.insert(fault, rule);
    }

    /// Says anew what may go wrong.
    pub fn set_faults(&self, faults: FaultSettings) {
        self.account().faults = faults;
    }

    /// A fresh invite code, good for one use, that grants what the settings say.
    pub fn invite_code(&self) -> String {
        let scopes = self.inner.settings.scopes.clone();
        self.invite_code_with(scopes)
    }

    /// A fresh invite code that grants these scopes, such as `read:bookings`.
    pub fn invite_code_with(&self, scopes: impl IntoIterator<Item = impl Into<String>>) -> String {
        let now = self.now();
        let account = &mut *self.account();
        let scopes = super::scopes::Scopes(scopes.into_iter().map(Into::into).collect());
        account.tokens.invite(scopes, now, &mut account.rng)
    }

    /// A token as it is made by hand: it only reads, and lives while it is used.
    pub fn long_life_token(&self) -> String {
        let now = self.now();
        let account = &mut *self.account();
        let scopes = super::scopes::Scopes(self.inner.settings.scopes.clone());
        account.tokens.long_life(&scopes, now, &mut account.rng)
    }

    /// Ends every access token before its time; refresh tokens live on.
    pub fn end_access_tokens(&self) {
        self.account().tokens.end_all();
    }
}
