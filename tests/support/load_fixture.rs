//! Load fixture: many accounts, each with its own booking engine and ten sources, each with its own simulated Beds24
//! account.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use gassync::{
    admin::{CreatedSource, NewSourceRequest},
    app::App,
    limits::{ChannelLimits, Charge, LocalLimits, RateLimitHeaders},
    store::{Db, Time, Tx, sources},
};
use gassync_domain::{CoreId, Timestamp};
use gassync_simulator::{WebhookTarget, beds24::Settings};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    core_fixture::CoreFixture,
    database::Database,
    host::{self, Channel, Host},
};

/// Sources per account, and rooms per account.
pub const OF_ACCOUNT: usize = 10;
/// Accounts set up concurrently.
const FURNISHED_AT_ONCE: usize = 4;
/// Polling interval.
const LOOKED_AT: Duration = Duration::from_millis(200);
/// Maximum wait.
const LONGEST: Duration = Duration::from_secs(900);

/// Counts what is not confirmed at the channels yet, at any stage.
const MISSING: &str = "select (select count(*) from int_outbox where sequence is null and created_at <= $1)
    + (select count(*) from int_calendar_invalidations) + (select count(*) from int_channel_nights where state <> 'confirmed')
    + (select count(*) from int_channel_bookings where state <> 'confirmed')";

/// A host with all its sellers.
pub struct LoadFixture {
    /// The host.
    pub host: Arc<Host>,
    /// Another connection pool to its database.
    pub db: Db,
    /// Sellers, ten per account, ordered by account.
    pub sellers: Vec<Seller>,
    /// API keys of the booking engines, by account.
    pub keys: Vec<String>,
    /// Properties in the core, by account.
    pub houses: Vec<CoreFixture>,
    waits: Arc<Mutex<Waits>>,
}

/// A source with a channel of its own.
pub struct Seller {
    /// The channel.
    pub channel: Channel,
    /// The id of the source.
    pub id: i64,
}

impl Seller {
    async fn new(number: usize, rooms: usize) -> Self {
        let (seed, room_types_per_property) = (number as u64, u32::try_from(rooms).expect("few"));
        let settings = Settings { seed, bookings: 0, properties: 1, room_types_per_property, ..Settings::default() };
        Self { id: 0, channel: host::channel(settings).await }
    }

    /// The channel's id of the room at this place.
    pub fn room(&self, place: usize) -> u64 {
        self.channel.account.properties()[0].room_types[place].id
    }
}

impl LoadFixture {
    /// Sets up accounts whose rooms have one unit each and are sold by `sellers_of_room` sources; returns once the
    /// channels have everything.
    pub async fn open(database: Database, accounts: usize, sellers_of_room: usize) -> Self {
        let url = database.url.clone();
        let mut sellers = Vec::new();
        for number in 0..accounts * OF_ACCOUNT {
            sellers.push(Seller::new(number, sellers_of_room).await);
        }
        let private: Vec<String> = sellers.iter().map(|seller| seller.channel.address.to_string()).collect();
        let private = private.join(",");
        // The default polling, which other tests shorten.
        let settings = [
            ("GASSYNC_EGRESS_ALLOW_PRIVATE", private.as_str()),
            ("GASSYNC_WORKERS_POLL_MILLIS", "1000"),
            ("GASSYNC_WORKERS_POLL_SECONDS", "0"),
        ];
        let waits = Arc::<Mutex<Waits>>::default();
        let watched = Watched { within: LocalLimits::default(), waits: Arc::clone(&waits) };
        let replace = |app: &mut App| app.channel_limits = Arc::new(watched);
        let host = Arc::new(Host::prepared(database, (&["beds24"], None), &settings, replace).await);
        let mut furnishing = JoinSet::new();
        let (mut furnished, mut keys, mut houses) = (Vec::new(), Vec::new(), Vec::new());
        for account in 0..accounts {
            let rest = sellers.split_off(OF_ACCOUNT);
            let of_account = std::mem::replace(&mut sellers, rest);
            if furnishing.len() == FURNISHED_AT_ONCE {
                furnished.extend(furnishing.join_next().await.map(|done| done.expect("furnished")));
            }
            furnishing.spawn(furnish(Arc::clone(&host), account, of_account, sellers_of_room));
        }
        furnished.extend(furnishing.join_all().await);
        furnished.sort_by_key(|(account, ..)| *account);
        for (_, key, house, of_account) in furnished {
            keys.push(key);
            houses.push(house);
            sellers.extend(of_account);
        }
        let db = Db::open(&url).await.expect("a database");
        let market = Self { host, db, sellers, keys, houses, waits };
        market.quiet("the start").await;
        market
    }

    /// Index of the seller that has a room of an account at this place.
    pub fn seller_of(account: usize, room: usize, place: usize) -> usize {
        account * OF_ACCOUNT + (room + OF_ACCOUNT - place) % OF_ACCOUNT
    }

    /// Waits until all core data is confirmed at the channels.
    pub async fn quiet(&self, what: &str) {
        let end = Instant::now() + LONGEST;
        loop {
            let missing = self.figure(MISSING).await;
            if missing == 0 {
                return;
            }
            assert!(Instant::now() < end, "{what}: {missing} are missing still");
            sleep(LOOKED_AT).await;
        }
    }

    /// The single figure returned by a query over all accounts; `$1` is now.
    pub async fn figure(&self, text: &'static str) -> i64 {
        let now = Time::from(self.host.app.now());
        let figure = match &mut self.db.platform_read().await.expect("a transaction") {
            Tx::Sqlite(tx, _) => sqlx::query_scalar(text).bind(now).fetch_one(&mut **tx).await,
            Tx::Postgres(tx, _) => sqlx::query_scalar(text).bind(now).fetch_one(&mut **tx).await,
        };
        figure.expect("a figure")
    }

    /// Account and connection of each seller.
    pub async fn connections(&self) -> Vec<(i64, i64)> {
        let mut tx = self.db.platform_read().await.expect("a transaction");
        let all = sources::all(&mut tx).await.expect("sources");
        let place = |source: sources::Source| Some((source.id.0, (source.account.0, source.connection?.0)));
        let known: HashMap<i64, (i64, i64)> = all.into_iter().filter_map(place).collect();
        self.sellers.iter().map(|seller| known[&seller.id]).collect()
    }

    /// The rate-limit waits of these connections: from the refusal to the next admitted request.
    pub fn waits(&self, connections: &[(i64, i64)]) -> Vec<Vec<(Timestamp, Timestamp)>> {
        let (waits, now) = (self.waits.lock().expect("the waits"), self.host.app.now());
        let of = |(account, connection): &(i64, i64)| {
            let whose = format!("/{account}/{connection}@");
            let of_it = waits.iter().filter(|(budget, _)| budget.contains(&whose)).flat_map(|(_, waits)| waits);
            of_it.map(|(from, until)| (*from, until.unwrap_or(now))).collect()
        };
        connections.iter().map(of).collect()
    }

    /// Updates PostgreSQL's table statistics, as autovacuum does after a minute.
    pub async fn settle(&self) {
        if let Db::Postgres { writers, .. } = &self.db {
            sqlx::query("analyze").execute(writers).await.expect("analysed");
        }
    }

    /// Stops the host.
    pub async fn stop(self) {
        self.db.close().await;
        Arc::into_inner(self.host).expect("nobody else has it").stop().await;
    }
}

/// Sets up an account: an engine that sells ten rooms, and ten sources that sell some of them.
async fn furnish(
    host: Arc<Host>,
    account: usize,
    mut sellers: Vec<Seller>,
    rooms: usize,
) -> (usize, String, CoreFixture, Vec<Seller>) {
    let (name, engine) = (format!("account-{account}"), format!("engine-{account}"));
    let key = host.key(&name, &engine).await;
    let list: Vec<Value> = (0..OF_ACCOUNT)
        .map(|room| json!({ "id": format!("r{room}"), "propertyId": "house", "name": format!("Room {room}"), "quantity": 1 }))
        .collect();
    let plan = json!({ "id": "flex", "propertyId": "house", "name": "Flexible", "currency": "EUR" });
    for (entity, record) in [
        ("properties", json!({ "id": "house", "name": "House", "currency": "EUR" })),
        ("room-types", json!(list)),
        ("rate-plans", plan),
    ] {
        let (status, answer) = host.post(&key, entity, &record).await;
        assert!(status < 300, "{answer}");
    }
    let answer = host.operate(&format!("sources/{engine}/authority"), &json!({ "calendar": "theirs" })).await;
    assert_eq!(answer.status().as_u16(), 204);
    let links = host.look(&format!("sources/{engine}/links")).await;
    let links = links.as_array().expect("links");
    let gas_id = |id: &str| links.iter().find(|link| link["id"] == id).expect("a link")["gasId"].clone();
    for (number, seller) in sellers.iter_mut().enumerate() {
        let new = NewSourceRequest {
            account: name.clone(),
            channel: "beds24".to_owned(),
            name: format!("beds24-{account}-{number}"),
            settings: [("baseUrl".to_owned(), json!(format!("http://{}/api/v2", seller.channel.address)))].into(),
            credentials: [("inviteCode".to_owned(), seller.channel.account.invite_code())].into(),
            time_zone: Some("UTC".to_owned()),
        };
        let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
        seller.id = made.id;
        let header = made.webhook_header.map(|name| (name, made.webhook_token));
        seller.channel.account.set_webhook(WebhookTarget { url: made.webhook_url, header });
    }
    for (number, seller) in sellers.iter().enumerate() {
        let path = format!("sources/beds24-{account}-{number}");
        let house = seller.channel.account.properties()[0].id.to_string();
        // The channel's records are parked until linked, once they have been fetched.
        while host.look(&format!("{path}/parked")).await.as_array().is_none_or(Vec::is_empty) {
            sleep(LOOKED_AT).await;
        }
        let mut pairs = vec![("property", house, gas_id("house"))];
        for place in 0..rooms {
            let sold = gas_id(&format!("r{}", (number + place) % OF_ACCOUNT));
            pairs.push(("room-type", seller.room(place).to_string(), sold));
        }
        for (kind, id, gas_id) in pairs {
            let linked = json!({ "kind": kind, "id": id, "gasId": gas_id });
            let answer = host.operate(&format!("{path}/links"), &linked).await;
            assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap_or_default());
        }
        host.go_live(&format!("beds24-{account}-{number}")).await;
    }
    let core = |id: &str| CoreId(gas_id(id).as_i64().expect("a key"));
    let units = (0..OF_ACCOUNT).map(|room| core(&format!("r{room}"))).collect();
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let of_account = sources::named(&mut tx, &engine).await.expect("read")[0].account;
    (account, key, CoreFixture { account: of_account, units, plan: core("flex") }, sellers)
}

/// Waits by budget: from the refusal to the next admitted request, if there was one.
type Waits = BTreeMap<String, Vec<(Timestamp, Option<Timestamp>)>>;

/// The host's rate limits, recording the waits.
struct Watched {
    within: LocalLimits,
    waits: Arc<Mutex<Waits>>,
}

#[async_trait]
impl ChannelLimits for Watched {
    async fn take(&self, charges: &[Charge], now: Timestamp) -> Result<(), SignedDuration> {
        let taken = self.within.take(charges, now).await;
        let mut waits = self.waits.lock().expect("the waits");
        for charge in charges {
            match (&taken, waits.get_mut(&charge.budget).and_then(|waits| waits.last_mut())) {
                (Ok(()), Some((_, until @ None))) => *until = Some(now),
                (Err(_), None | Some((_, Some(_)))) => {
                    waits.entry(charge.budget.clone()).or_default().push((now, None))
                }
                _ => {}
            }
        }
        taken
    }

    async fn correct(&self, charge: &Charge, reported: RateLimitHeaders, now: Timestamp) {
        self.within.correct(charge, reported, now).await;
    }
}
