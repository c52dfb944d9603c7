//! The direct booking engine: creates bookings and measures the time until the channels have them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gassync_domain::{CoreId, Date, Stay, reference_of, utc_day};
use gassync_simulator::SimulatedStatus;
use jiff::Span;
use serde_json::{Value, json};

use super::{
    Client, say,
    stage::{Room, Stage},
};
use gassync::{app::App, store};

/// First night the engine sells, in days from now, beyond the range of the simulated accounts.
const FIRST_NIGHT: i64 = 200;
/// One in this many actions is a cancellation.
const CANCELS: usize = 3;

/// A booking, and where it has been delivered.
struct Booked {
    id: String,
    room: Room,
    nights: (Date, Date),
    is_cancelled: bool,
    since: Instant,
    /// Time until the first account had the current state of the booking.
    delivered: Option<Duration>,
    /// Time until the second account closed or reopened the nights.
    closed: Option<Duration>,
    gas_id: Option<i64>,
}

pub struct BookingEngine<'a> {
    app: Arc<App>,
    stage: &'a Stage,
    client: Client,
    acts: usize,
    booked: Vec<Booked>,
    /// Both times of each booking.
    pub times: Vec<Duration>,
}

impl<'a> BookingEngine<'a> {
    pub fn open(app: &Arc<App>, client: &Client, stage: &'a Stage) -> Self {
        let client = client.as_partner(&stage.key);
        Self { app: Arc::clone(app), stage, client, acts: 0, booked: Vec::new(), times: Vec::new() }
    }

    /// Books a room for two nights, or cancels such a booking.
    pub async fn act(&mut self) -> anyhow::Result<()> {
        self.acts += 1;
        let active = self.booked.iter().position(|booked| !booked.is_cancelled && booked.is_known());
        if let (Some(index), true) = (active, self.acts.is_multiple_of(CANCELS)) {
            self.booked[index].is_cancelled = true;
            let booked = &mut self.booked[index];
            (booked.since, booked.delivered, booked.closed) = (Instant::now(), None, None);
            let record = booked.record();
            say(&format!("  engine   cancels {}", self.booked[index].id));
            return self.send(&record).await.map(drop);
        }
        let Some(room) = self.stage.rooms.get(self.acts % self.stage.rooms.len().max(1)) else { return Ok(()) };
        let today = utc_day(self.app.now());
        let first = today.saturating_add(Span::new().days(FIRST_NIGHT + 2 * i64::try_from(self.acts).unwrap_or(0)));
        let mut booked = Booked {
            id: format!("direct-{:03}", self.acts),
            room: room.clone(),
            nights: (first, first.saturating_add(Span::new().days(2))),
            is_cancelled: false,
            since: Instant::now(),
            delivered: None,
            closed: None,
            gas_id: None,
        };
        say(&format!(
            "  engine   books room {} from {} to {} as {}",
            room.id, booked.nights.0, booked.nights.1, booked.id
        ));
        let answer = self.send(&booked.record()).await?;
        booked.gas_id = answer["gasId"].as_i64();
        self.booked.push(booked);
        Ok(())
    }

    async fn send(&self, record: &Value) -> anyhow::Result<Value> {
        self.client.post("/integration/v1/reservations", record).await
    }

    /// Reports deliveries since the last check.
    pub fn look(&mut self) {
        for booked in self.booked.iter_mut().filter(|booked| !booked.is_known()) {
            booked.look(self.stage);
            if let (Some(delivered), Some(closed), true) = (booked.delivered, booked.closed, booked.is_known()) {
                self.times.push(delivered.max(closed));
                let (has, sells) =
                    if booked.is_cancelled { ("has it cancelled", "sells") } else { ("has it", "has closed") };
                say(&format!(
                    "  engine   {}: demo-beds24 {has} after {} ms, demo-second {sells} the nights after {} ms",
                    booked.id,
                    delivered.as_millis(),
                    closed.as_millis()
                ));
            }
        }
    }

    /// Whether all bookings were delivered.
    pub fn is_settled(&self) -> bool {
        self.booked.iter().all(Booked::is_known)
    }

    /// Describes undelivered bookings.
    pub fn differences(&self) -> Vec<String> {
        let open = self.booked.iter().filter(|booked| !booked.is_known());
        open.map(|booked| format!("{}: delivered {:?}, closed {:?}", booked.id, booked.delivered, booked.closed))
            .collect()
    }

    /// Bookings that were created more than once at the first account.
    pub fn doubled(&self) -> Vec<String> {
        let made = self.stage.first.created_by_reference();
        let more = made.into_iter().filter(|(_, count)| *count > 1);
        more.map(|(reference, count)| format!("{reference} was created {count} times")).collect()
    }
}

impl Booked {
    fn is_known(&self) -> bool {
        self.delivered.is_some() && self.closed.is_some()
    }

    fn record(&self) -> Value {
        json!({
            "id": self.id, "roomTypeId": self.room.of_engine, "checkIn": self.nights.0, "checkOut": self.nights.1,
            "status": if self.is_cancelled { "cancelled" } else { "confirmed" }, "source": "direct", "adults": 2,
            "totalPrice": 240.5, "guest": { "firstName": "Noor", "lastName": "de Wit", "email": "noor@example.org" },
        })
    }

    fn look(&mut self, stage: &Stage) {
        let took = self.since.elapsed();
        let Some(gas_id) = self.gas_id else { return };
        if self.delivered.is_none() {
            let reference = reference_of(stage.account, CoreId(gas_id));
            let book = stage.first.reservations();
            let entry = book.iter().find(|entry| entry.reference == reference);
            let is_there = entry.is_some_and(|entry| (entry.status == SimulatedStatus::Cancelled) == self.is_cancelled);
            self.delivered = is_there.then_some(took);
        }
        if self.closed.is_none() {
            let last = self.nights.1.yesterday().unwrap_or(self.nights.1);
            let nights = stage.second.calendar(&self.room.id, self.nights.0, last);
            // If the room type has several units, the others are still for sale.
            let should_be_closed = !self.is_cancelled && self.room.units == 1;
            let is_right = nights.iter().all(|night| night.is_closed == should_be_closed);
            self.closed = is_right.then_some(took);
        }
    }
}

/// Free units per night in the core, from tomorrow.
pub async fn free(app: &App, stage: &Stage, room: &Room, days: i64) -> anyhow::Result<Vec<(Date, i64)>> {
    let now = app.now();
    let first = utc_day(now).saturating_add(Span::new().days(1));
    let Some(stay) = Stay::spanning(first, first.saturating_add(Span::new().days(days))) else { return Ok(Vec::new()) };
    let mut tx = app.db.read(stage.account).await?;
    let nights = store::calendar::nights(&mut tx, stage.account, room.unit, None, &[stay], now).await?;
    Ok(nights
        .into_iter()
        .map(|night| (night.night, night.capacity - night.sold - night.held - night.blocked))
        .collect())
}
