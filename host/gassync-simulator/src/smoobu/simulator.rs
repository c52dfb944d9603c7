//! The account as every simulated channel shows it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use jiff::{Span, civil::Date};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Smoobu, SmoobuSettings,
    book::Book,
    booking::SmoobuBooking,
    odd_kind::{self, FORMS},
    shown::Shown,
};
use crate::{
    Ability, Action, Delivered, FaultSettings, NewReservation, Notification, OddForm, SeenCall, SimulatedNight,
    SimulatedProperty, SimulatedReservation, SimulatedStatus, Simulator, SimulatorClock, SimulatorSettings,
    WebhookTarget, money,
};

/// Calls per minute of a generous account.
const GENEROUS_CALLS: u32 = 1_000_000;
/// Number of apartments from which on the last two are a house and its floor.
const WITH_HOUSE: u32 = 3;

/// Creates an account with the settings that all channels share.
pub(crate) fn account(common: &SimulatorSettings, clock: SimulatorClock) -> Arc<dyn Simulator> {
    let mut settings = SmoobuSettings {
        seed: common.seed,
        apartments: common.properties,
        house: common.properties >= WITH_HOUSE,
        bookings: common.bookings,
        faults: common.faults.clone(),
        odd: common.odd,
        ..SmoobuSettings::default()
    };
    if common.generous {
        settings.calls_per_minute = GENEROUS_CALLS;
    }
    Arc::new(Smoobu::new(settings, clock))
}

impl Book {
    fn reservation(&self, booking: &SmoobuBooking) -> SimulatedReservation {
        let sent = self.wire(booking, Shown::ANSWER);
        let status_word = sent["type"].as_str().unwrap_or_default().to_owned();
        let status = match (booking.is_block(), booking.is_active()) {
            (_, false) => SimulatedStatus::Cancelled,
            (true, _) => SimulatedStatus::Block,
            _ if status_word == booking.kind.word() => SimulatedStatus::Confirmed,
            _ => SimulatedStatus::Other,
        };
        let cents = money::cents(&sent["price"]).filter(|_| !booking.is_block());
        let odd = booking.odd.and_then(odd_kind::find).map(|form| OddForm {
            kind: form.name.to_owned(),
            waits_for_a_person: form.waits_for_a_person,
            is_without_id: false,
        });
        SimulatedReservation {
            id: booking.id.to_string(),
            room_type_id: booking.apartment.to_string(),
            check_in: booking.arrival,
            check_out: booking.departure,
            status,
            status_word,
            rooms: 1,
            adults: sent["adults"].as_u64().and_then(|adults| adults.try_into().ok()),
            total_ten_thousandths: cents.and_then(|cents| i64::try_from(cents * 100).ok()),
            reference: booking.given_reference.clone().unwrap_or_default(),
            odd,
        }
    }

    fn simulated_night(&self, apartment: u64, night: Date) -> SimulatedNight {
        let rate = self.rates.get(apartment, night);
        let blocked = |block: &SmoobuBooking| block.is_block() && block.apartment == apartment && block.takes(night);
        SimulatedNight {
            night,
            available: i64::from(!self.is_taken(apartment, night)),
            is_closed: rate.is_closed || self.bookings.iter().any(blocked),
            price_ten_thousandths: rate.price_cents.and_then(|cents| i64::try_from(cents * 100).ok()),
            min_stay: rate.min_stay,
        }
    }
}

impl Simulator for Smoobu {
    fn channel(&self) -> &'static str {
        "smoobu"
    }

    fn abilities(&self) -> BTreeSet<Ability> {
        [
            Ability::Properties,
            Ability::Poll,
            Ability::Webhooks,
            Ability::PushCalendar,
            Ability::ReadCalendar,
            Ability::PushReservations,
        ]
        .into()
    }

    fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> BoxFuture<'static, io::Result<()>> {
        Box::pin(self.clone().run(listener, shutdown))
    }

    fn settings(&self, address: SocketAddr) -> BTreeMap<String, Value> {
        [("baseUrl".to_owned(), json!(format!("http://{address}")))].into()
    }

    fn credentials(&self) -> BTreeMap<String, String> {
        let (key, secret) = self.signing_key();
        [("apiKey".to_owned(), key), ("apiSecret".to_owned(), secret)].into()
    }

    /// The header is not sent: this channel can send none.
    fn set_webhook(&self, target: WebhookTarget) {
        self.set_webhook_urls([target.url]);
    }

    fn webhooks_pending(&self) -> usize {
        self.account().outgoing.pending()
    }

    fn deliveries(&self) -> Vec<Delivered> {
        self.account().outgoing.delivered.clone()
    }

    fn properties(&self) -> Vec<SimulatedProperty> {
        self.account().book.apartments.iter().map(|apartment| apartment.property()).collect()
    }

    fn reservations(&self) -> Vec<SimulatedReservation> {
        let book = &self.account().book;
        book.bookings.iter().map(|booking| book.reservation(booking)).collect()
    }

    fn removed(&self) -> Vec<String> {
        self.account().book.removed.iter().map(u64::to_string).collect()
    }

    fn calendar(&self, room_type: &str, from: Date, to: Date) -> Vec<SimulatedNight> {
        let book = &self.account().book;
        let Some(apartment) = room_type.parse().ok().filter(|id| book.apartment(*id).is_some()) else {
            return Vec::new();
        };
        let nights = from.series(Span::new().days(1)).take_while(|night| *night <= to);
        nights.map(|night| book.simulated_night(apartment, night)).collect()
    }

    fn act(&self) -> Option<Action> {
        self.change(|account, settings, now| account.act(settings, now))
    }

    fn book(&self, new: &NewReservation, notification: Notification) -> Option<String> {
        let id = self.change(|account, settings, now| account.make(settings, new, now, notification))?;
        Some(id.to_string())
    }

    fn rebook(&self, id: &str, nights: (Date, Date), notification: Notification) -> bool {
        let Ok(id) = id.parse() else { return false };
        self.change(|account, settings, now| account.rebook(settings, id, nights, now, notification))
    }

    fn cancel(&self, id: &str, notification: Notification) -> bool {
        let Ok(id) = id.parse() else { return false };
        self.change(|account, settings, now| account.cancel(settings, id, now, notification))
    }

    fn close_by_hand(&self, room_type: &str, nights: (Date, Date), closed: bool) -> bool {
        let Ok(apartment) = room_type.parse() else { return false };
        self.change(|account, settings, now| account.close_by_hand(settings, apartment, nights, closed, now))
    }

    fn created_by_reference(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for reference in &self.account().book.made_by_api {
            *counts.entry(reference.clone()).or_default() += 1;
        }
        counts
    }

    fn faults(&self) -> FaultSettings {
        self.account().faults.clone()
    }

    fn set_faults(&self, faults: FaultSettings) {
        self.account().faults = faults;
    }

    fn set_odd(&self, share: f64) {
        self.account().oddities.rate = share;
    }

    fn odd_share(&self) -> f64 {
        self.account().oddities.rate
    }

    fn odd_sent(&self) -> BTreeMap<&'static str, u64> {
        self.account().oddities.sent.clone()
    }

    fn send_odd(&self, kind: &str) -> Option<Action> {
        self.be_odd(kind)
    }

    fn odd_kinds(&self) -> Vec<&'static str> {
        FORMS.iter().map(|form| form.name).collect()
    }

    fn requests(&self) -> Vec<SeenCall> {
        self.account().calls.all()
    }
}
