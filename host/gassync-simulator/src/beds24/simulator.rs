//! The account in the words that all simulated channels share.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Beds24, BookEntry, BookingAction, BookingChange, NewBooking, NightsSet, Odd, RoomNight, Settings};
use crate::{
    Ability, Action, Delivered, FaultSettings, NewReservation, Notification, OddForm, SeenCall, SimulatedNight,
    SimulatedProperty, SimulatedReservation, SimulatedRoomType, SimulatedStatus, Simulator, SimulatorClock,
    SimulatorSettings, WebhookTarget,
};

/// Credits per five minutes of a generous account.
const GENEROUS_CREDITS: f64 = 100_000.0;

/// Creates an account with the settings that all channels share.
pub(crate) fn account(common: &SimulatorSettings, clock: SimulatorClock) -> Arc<dyn Simulator> {
    let mut settings = Settings {
        seed: common.seed,
        properties: common.properties,
        bookings: common.bookings,
        faults: common.faults.clone(),
        odd: common.odd,
        ..Settings::default()
    };
    if common.generous {
        settings.credits_per_five_minutes = GENEROUS_CREDITS;
    }
    Arc::new(Beds24::new(settings, clock))
}

impl Simulator for Beds24 {
    fn channel(&self) -> &'static str {
        "beds24"
    }

    fn abilities(&self) -> BTreeSet<Ability> {
        BTreeSet::from([
            Ability::Properties,
            Ability::Poll,
            Ability::Webhooks,
            Ability::PushCalendar,
            Ability::ReadCalendar,
            Ability::PushReservations,
        ])
    }

    fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> BoxFuture<'static, io::Result<()>> {
        let account = self.clone();
        Box::pin(async move { Self::serve(&account, listener, shutdown).await })
    }

    fn settings(&self, address: SocketAddr) -> BTreeMap<String, Value> {
        // The guest's total is in the invoice lines.
        let settings = [("baseUrl", json!(format!("http://{address}/api/v2"))), ("invoiceLines", json!(true))];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("inviteCode".to_owned(), self.invite_code())])
    }

    fn set_webhook(&self, target: WebhookTarget) {
        Self::set_webhook(self, target);
    }

    fn webhooks_pending(&self) -> usize {
        Self::webhooks_pending(self)
    }

    fn deliveries(&self) -> Vec<Delivered> {
        Self::deliveries(self)
    }

    fn properties(&self) -> Vec<SimulatedProperty> {
        let room = |room: super::Beds24RoomType| SimulatedRoomType {
            id: room.id.to_string(),
            name: room.name,
            units: room.qty,
            max_occupancy: room.max_people,
        };
        let property = |property: super::Beds24Property| SimulatedProperty {
            id: property.id.to_string(),
            name: property.name,
            currency: property.currency,
            room_types: property.room_types.into_iter().map(room).collect(),
        };
        Self::properties(self).into_iter().map(property).collect()
    }

    fn reservations(&self) -> Vec<SimulatedReservation> {
        self.book().into_iter().map(SimulatedReservation::from).collect()
    }

    fn removed(&self) -> Vec<String> {
        Self::removed(self).iter().map(u64::to_string).collect()
    }

    fn calendar(&self, room_type: &str, from: Date, to: Date) -> Vec<SimulatedNight> {
        let Ok(room) = room_type.parse() else { return Vec::new() };
        self.nights(room, from, to).into_iter().map(SimulatedNight::from).collect()
    }

    fn act(&self) -> Option<Action> {
        Self::act(self).map(Action::from)
    }

    fn book(&self, new: &NewReservation, notification: Notification) -> Option<String> {
        let (first_name, last_name) = new.guest.clone();
        let booking = NewBooking {
            room_id: new.room_type_id.parse().ok()?,
            arrival: new.check_in,
            departure: new.check_out,
            room_qty: 1,
            num_adult: new.adults,
            price_cents: new.total_cents,
            first_name,
            last_name,
        };
        self.make(booking, notification).map(|id| id.to_string())
    }

    fn rebook(&self, id: &str, nights: (Date, Date), notification: Notification) -> bool {
        let change = BookingChange { dates: Some(nights), ..BookingChange::default() };
        id.parse().is_ok_and(|id| self.change(id, &change, notification))
    }

    fn cancel(&self, id: &str, notification: Notification) -> bool {
        id.parse().is_ok_and(|id| Self::cancel(self, id, notification))
    }

    fn close_by_hand(&self, room_type: &str, nights: (Date, Date), closed: bool) -> bool {
        let closing = if closed { "blackout" } else { "none" };
        let set = NightsSet { closing: Some(closing.to_owned()), ..NightsSet::default() };
        room_type.parse().is_ok_and(|room| self.set_nights(room, nights, &set))
    }

    fn created_by_reference(&self) -> BTreeMap<String, usize> {
        self.creates_by_reference()
    }

    fn faults(&self) -> FaultSettings {
        Self::faults(self)
    }

    fn set_faults(&self, faults: FaultSettings) {
        Self::set_faults(self, faults);
    }

    fn odd_share(&self) -> f64 {
        self.odd_rate()
    }

    fn set_odd(&self, share: f64) {
        Self::set_odd(self, share);
    }

    fn send_odd(&self, kind: &str) -> Option<Action> {
        let kind = Odd::ALL.into_iter().find(|known| known.name() == kind)?;
        self.say_odd(kind).map(Action::from)
    }

    fn odd_kinds(&self) -> Vec<&'static str> {
        Odd::ALL.map(Odd::name).to_vec()
    }

    fn odd_sent(&self) -> BTreeMap<&'static str, u64> {
        self.odd_said().into_iter().map(|(kind, count)| (kind.name(), count)).collect()
    }

    fn requests(&self) -> Vec<SeenCall> {
        Self::requests(self)
    }

    fn figures(&self) -> BTreeMap<&'static str, Value> {
        BTreeMap::from([
            ("creditsRemaining", json!(self.credits_remaining())),
            ("parallelCalls", json!(self.parallel_calls())),
        ])
    }
}

impl From<BookEntry> for SimulatedReservation {
    fn from(entry: BookEntry) -> Self {
        let status = match entry.status.as_str() {
            "new" | "confirmed" => SimulatedStatus::Confirmed,
            "request" => SimulatedStatus::Pending,
            "cancelled" => SimulatedStatus::Cancelled,
            "black" => SimulatedStatus::Block,
            _ => SimulatedStatus::Other,
        };
        let odd = entry.odd.map(|kind| OddForm {
            kind: kind.name().to_owned(),
            waits_for_a_person: kind.waits_for_a_person(),
            is_without_id: kind == Odd::WithoutId,
        });
        Self {
            id: entry.id.to_string(),
            room_type_id: entry.room_id.to_string(),
            check_in: entry.arrival,
            check_out: entry.departure,
            status,
            status_word: entry.status,
            rooms: entry.room_qty,
            adults: Some(entry.num_adult),
            total_ten_thousandths: entry.owed.and_then(|owed| i64::try_from(owed).ok()),
            reference: entry.reference,
            odd,
        }
    }
}

impl From<RoomNight> for SimulatedNight {
    fn from(night: RoomNight) -> Self {
        let cents = night.price1_cents.and_then(|cents| i64::try_from(cents).ok());
        Self {
            night: night.night,
            available: night.available,
            is_closed: night.closing.as_deref() == Some("blackout"),
            price_ten_thousandths: cents.map(|cents| cents * 100),
            min_stay: night.min_stay,
        }
    }
}

impl From<BookingAction> for Action {
    fn from(action: BookingAction) -> Self {
        let BookingAction { kind, booking_id, notification, summary } = action;
        Self { kind, reservation_id: booking_id.to_string(), notification, summary }
    }
}
