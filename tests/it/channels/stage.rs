//! A host connected to a simulated channel, and a booking engine that sells one of its rooms.

use std::collections::BTreeMap;

use gassync::{admin::CreatedSource, store};
use gassync_domain::{Amount, CoreId, Date, SourceId, SourceKey, Stay};
use gassync_simulator::{
    NewReservation, Notification, SimulatedChannel, SimulatedReservation, SimulatedRoomType, SimulatedStatus,
    Simulator, SimulatorSettings,
};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Channel, Host, clock},
};
use jiff::Span;
use serde_json::{Value, json};

/// The booking engine's source.
const ENGINE: &str = "engine";
/// Days from now to the first night used by tests, beyond what simulators sell by chance.
const FIRST_NIGHT_DAYS: i64 = 150;

pub struct Stage {
    pub host: Host,
    pub channel: Channel<dyn Simulator>,
    pub source: CreatedSource,
    /// A room type of one unit.
    pub room: SimulatedRoomType,
    first: Date,
}

/// Settings without reservations, of a seed that gives a room type of one unit.
pub fn settings(channel: &SimulatedChannel) -> SimulatorSettings {
    let seeds = (24..124).map(|seed| SimulatorSettings {
        seed,
        properties: 1,
        bookings: 0,
        generous: true,
        ..SimulatorSettings::default()
    });
    let has_single = |settings: &SimulatorSettings| single(&*(channel.account)(settings, clock())).is_some();
    seeds.into_iter().find(has_single).expect("a seed with a room type of one unit")
}

fn single(account: &dyn Simulator) -> Option<SimulatedRoomType> {
    account.properties().into_iter().flat_map(|property| property.room_types).find(|room| room.units == 1)
}

impl Stage {
    /// Connects and waits for the properties; `polls` is the interval in seconds, 0 for the first poll alone.
    pub async fn open(
        channel: &SimulatedChannel,
        database: Database,
        polls: &str,
        settings: SimulatorSettings,
    ) -> Self {
        let channel = Channel::<dyn Simulator>::start((channel.account)(&settings, clock())).await;
        let room = single(&*channel.account).expect("a room type of one unit");
        let name = channel.account.channel();
        let polls = [("GASSYNC_WORKERS_POLL_SECONDS", polls)];
        let host = Host::begin(database, &[name], Some(channel.address), &polls).await;
        let source = host.connect(&channel).await;
        let first = host.app.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let first = first.saturating_add(Span::new().days(FIRST_NIGHT_DAYS));
        let stage = Self { host, channel, source, room, first };
        stage
            .host
            .until("the properties are in the core", async || stage.links().await.len() >= stage.expected())
            .await;
        stage
    }

    pub fn account(&self) -> &dyn Simulator {
        &*self.channel.account
    }

    pub fn name(&self) -> &'static str {
        self.account().channel()
    }

    pub fn day(&self, ahead: i64) -> Date {
        self.first.saturating_add(Span::new().days(ahead))
    }

    /// Number of properties and room types.
    pub fn expected(&self) -> usize {
        self.account().properties().iter().map(|property| 1 + property.room_types.len()).sum()
    }

    /// Gas ids of the linked properties and room types, by kind and id at the channel.
    pub async fn links(&self) -> BTreeMap<(String, String), i64> {
        let links = self.host.look(&format!("sources/{}/links", self.name())).await;
        let link = |link: &Value| {
            let text = |field: &str| link[field].as_str().unwrap_or_default().to_owned();
            Some(((text("kind"), text("id")), link["gasId"].as_i64()?))
        };
        let links: BTreeMap<_, _> = links.as_array().into_iter().flatten().filter_map(link).collect();
        links.into_iter().filter(|((kind, _), _)| ["property", "room_type"].contains(&kind.as_str())).collect()
    }

    async fn core_account(&self) -> gassync_domain::AccountId {
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there")
    }

    /// The channel's reservations, without blocks.
    pub fn booked(&self) -> Vec<SimulatedReservation> {
        let all = self.account().reservations().into_iter();
        all.filter(|reservation| reservation.status != SimulatedStatus::Block).collect()
    }

    pub fn reservation(&self, id: &str) -> SimulatedReservation {
        self.booked().into_iter().find(|reservation| reservation.id == id).expect("at the channel")
    }

    /// Facts of the core about the source's bookings, by their id at the channel: status, nights, adults and price.
    pub async fn in_core(&self) -> BTreeMap<String, String> {
        let account = self.core_account().await;
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let bookings =
            store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source: SourceId(self.source.id) })
                .await;
        let bookings = bookings.expect("read").into_iter();
        let facts = |facts: store::core::bookings::BookingFacts| {
            let price = facts.total_price.map(|price| Amount::from(price).ten_thousandths());
            let nights = (facts.check_in.0, facts.check_out.0);
            format!("{} {nights:?} {:?} {price:?}", facts.status.as_str(), facts.adults)
        };
        bookings.map(|(id, of)| (id, facts(of))).collect()
    }

    /// What differs between channel and core, except reservations for which `is_excused` says so.
    pub async fn differences(&self, is_excused: impl Fn(&SimulatedReservation) -> bool) -> Vec<String> {
        let mut core = self.in_core().await;
        for id in self.account().removed() {
            core.remove(&id);
        }
        let mut differences = Vec::new();
        for reservation in self.booked() {
            let (theirs, ours) = (facts(&reservation), core.remove(&reservation.id));
            let never_sent = reservation.odd.is_some() && reservation.status == SimulatedStatus::Cancelled;
            let is_right = ours.as_deref() == Some(theirs.as_str()) || (ours.is_none() && never_sent);
            if !is_right && !is_excused(&reservation) {
                differences.push(format!("{}: {theirs}, in the core {ours:?}, {:?}", reservation.id, reservation.odd));
            }
        }
        differences.extend(core.into_keys().map(|id| format!("{id} is in the core only")));
        differences
    }

    /// Waits until the core has what the channel has; panics with the differences.
    pub async fn until_same(&self, what: &str) {
        for _ in 0..1_800 {
            if self.differences(|_| false).await.is_empty() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("180 s went by before {what}: {:#?}", self.differences(|_| false).await);
    }

    /// Makes a reservation at the channel by hand, in the room type of one unit.
    pub fn sell(&self, nights: (i64, i64), notification: Notification) -> String {
        let new = NewReservation {
            room_type_id: self.room.id.clone(),
            check_in: self.day(nights.0),
            check_out: self.day(nights.1),
            adults: 2,
            total_cents: 24_050,
            guest: ("Ilse".to_owned(), "Vogel".to_owned()),
        };
        self.account().book(&new, notification).expect("the nights are free")
    }

    /// Sold units of the room type in the core on a night.
    pub async fn sold(&self, ahead: i64) -> i64 {
        let unit = self.links().await[&("room_type".to_owned(), self.room.id.clone())];
        let (account, now) = (self.core_account().await, self.host.app.now());
        let stay = Stay::spanning(self.day(ahead), self.day(ahead + 1)).expect("a stay");
        let mut tx = self.host.app.db.read(account).await.expect("a transaction");
        let nights = store::ledger::nights(&mut tx, account, CoreId(unit), &[stay], now).await.expect("read");
        nights.first().map_or(0, |night| night.sold)
    }

    /// True if the room type is for sale at the channel on a night.
    pub fn is_open(&self, ahead: i64) -> bool {
        let night = self.day(ahead);
        let nights = self.account().calendar(&self.room.id, night, night);
        nights.first().is_some_and(|night| !night.is_closed && night.available > 0)
    }

    /// Opens a booking engine that sells the room type, and lets the source go live.
    pub async fn engine(self) -> Engine {
        let key = self.host.key(ACCOUNT, ENGINE).await;
        let links = self.links().await;
        let property = self.account().properties().into_iter();
        let property = property.into_iter().find(|it| it.room_types.contains(&self.room)).expect("its property");
        let records = [
            ("properties", json!({ "id": "house", "name": "House", "currency": property.currency })),
            ("room-types", json!({ "id": "studio", "propertyId": "house", "name": "Studio", "quantity": 1 })),
        ];
        for (entity, record) in records {
            let (status, answer) = self.host.post(&key, entity, &record).await;
            assert!(status < 300, "{answer}");
        }
        for (kind, of, id, at_channel) in
            [("property", "property", "house", &property.id), ("room-type", "room_type", "studio", &self.room.id)]
        {
            let gas_id = links[&(of.to_owned(), at_channel.clone())];
            let linked = json!({ "kind": kind, "id": id, "gasId": gas_id });
            let answer = self.host.operate(&format!("sources/{ENGINE}/links"), &linked).await;
            assert_eq!(answer.status().as_u16(), 200, "{kind}: {}", answer.text().await.unwrap_or_default());
        }
        self.host.go_live(self.name()).await;
        Engine { stage: self, key, currency: property.currency }
    }
}

/// A reservation in the form of [`Stage::in_core`].
fn facts(reservation: &SimulatedReservation) -> String {
    let status = match reservation.status {
        SimulatedStatus::Pending => "pending",
        SimulatedStatus::Confirmed => "confirmed",
        SimulatedStatus::Cancelled => "cancelled",
        SimulatedStatus::Block | SimulatedStatus::Other => reservation.status_word.as_str(),
    };
    let nights = (reservation.check_in, reservation.check_out);
    let adults = reservation.adults.map(i64::from);
    format!("{status} {nights:?} {adults:?} {:?}", reservation.total_ten_thousandths)
}

/// A booking engine beside the channel.
pub struct Engine {
    pub stage: Stage,
    key: String,
    currency: String,
}

impl Engine {
    /// Creates, moves or cancels a direct booking.
    pub async fn book(&self, id: &str, nights: (i64, i64), status: &str) {
        let record = json!({
            "id": id, "roomTypeId": "studio", "status": status, "adults": 2, "totalPrice": 240.5,
            "currency": self.currency, "checkIn": self.stage.day(nights.0), "checkOut": self.stage.day(nights.1),
            "guest": { "firstName": "Noor", "lastName": "de Wit", "email": "noor@example.org" },
        });
        let (status, answer) = self.stage.host.post(&self.key, "reservations", &record).await;
        assert!(status < 300, "{answer}");
    }

    /// Sets the price of a night, as a revenue system does.
    pub async fn price(&self, ahead: i64, price: i64) {
        self.stage.host.operate(&format!("sources/{ENGINE}/authority"), &json!({ "calendar": "theirs" })).await;
        let night = self.stage.day(ahead);
        let record = json!({ "roomTypeId": "studio", "date": night, "price": price, "currency": self.currency });
        let (status, answer) = self.stage.host.post(&self.key, "availability", &record).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Our bookings at the channel.
    pub fn ours(&self) -> Vec<SimulatedReservation> {
        self.stage.booked().into_iter().filter(|reservation| reservation.reference.starts_with("gas-")).collect()
    }

    /// Waits until the channel has confirmed everything.
    pub async fn until_synced(&self) {
        let path = format!("sources/{}/age", self.stage.name());
        let is_synced = async || self.stage.host.look(&path).await["oldestMissing"] == Value::Null;
        self.stage.host.until("the channel has confirmed everything", is_synced).await;
    }

    /// Asserts that no booking was made twice, and ends.
    pub async fn close(self) {
        let created = self.stage.account().created_by_reference().into_iter();
        for (reference, count) in created.filter(|(reference, _)| reference.starts_with("gas-")) {
            assert_eq!(count, 1, "{reference}");
        }
        self.stage.host.stop().await;
    }
}
