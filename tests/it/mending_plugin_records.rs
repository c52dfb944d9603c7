//! Facts received through a plugin are stored and their nights held, whatever else is odd about the record; a
//! cancellation releases them, whatever is odd about it.
//!
//! `TEST_EXAMPLES=2000` generates more bookings, `TEST_SEED=1` other ones.

use std::collections::BTreeMap;

use gassync::{
    admin::CreatedSource,
    store::{
        ledger,
        mappings::{self, EntityKind},
        sources,
    },
};
use gassync_domain::{AccountId, CoreId, Stay};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, clock},
    odd_records::{Booking, Dice, as_text, booking, cancellation, damaged},
    on_both,
};
use serde_json::{Value, json};

on_both!(no_fact_is_lost_on_its_way_through_a_plugin);

/// Bookings generated per database.
const EXAMPLES: usize = 40;
const SEED: u64 = 20_270_601;
/// Maximum records per message.
const LIST: usize = 5;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A property of two room types, whose channel uses a plugin.
struct House {
    host: Host,
    url: String,
    account: AccountId,
    units: BTreeMap<&'static str, CoreId>,
    sent: usize,
}

impl House {
    async fn open(database: Database) -> Self {
        let host = Host::start(database, &["standard"], None).await;
        let new = json!({ "account": ACCOUNT, "channel": "standard", "name": "standard" });
        let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
        let mut house = Self { host, url: made.webhook_url, account: AccountId(0), units: BTreeMap::new(), sent: 0 };
        house.report("properties", &[json!({ "id": "p", "name": "Lunca" }).to_string()]).await;
        let rooms = ["single", "double"]
            .map(|room| json!({ "id": room, "propertyId": "p", "name": room, "quantity": 3 }).to_string());
        house.report("room-types", &rooms).await;
        let mut tx = house.host.app.db.platform_read().await.expect("a transaction");
        let source = sources::named(&mut tx, "standard").await.expect("read").remove(0);
        house.account = source.account;
        for room in ["single", "double"] {
            let found = mappings::find(&mut tx, source.key(), EntityKind::RoomType, room).await.expect("read");
            house.units.insert(room, found.expect("it is linked").core);
        }
        drop(tx);
        house
    }

    /// Sends a message and waits for the outcomes of its records.
    async fn report(&mut self, kind: &str, texts: &[String]) -> String {
        let (path, token) = self.url.split_once('?').expect("a token");
        let url = format!("{}/{kind}?{token}", path.trim_end_matches('/'));
        let body = format!("[{}]", texts.join(","));
        let answer = self.host.http.post(url).body(body).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        self.sent += 1;
        let mut newest = Value::Null;
        self.host
            .until("the message was worked on", async || {
                let messages = self.host.look("inbox?limit=1000").await;
                let messages = messages.as_array().expect("a list");
                newest = messages.first().cloned().unwrap_or_default();
                messages.len() == self.sent && newest["state"] != "received"
            })
            .await;
        assert_eq!(newest["state"], "applied", "{newest}");
        newest["outcome"].as_str().expect("an outcome").to_owned()
    }

    /// Number of nights taken per room type in these days, overbooked ones included.
    async fn taken(&self, bookings: &[Booking]) -> BTreeMap<&'static str, i64> {
        let mut tx = self.host.app.db.read(self.account).await.expect("a transaction");
        let from = bookings.iter().flat_map(|b| &b.rooms).map(|room| room.1).min().expect("a night");
        let until = bookings.iter().flat_map(|b| &b.rooms).map(|room| room.2).max().expect("a night");
        let all = [Stay::spanning(from, until).expect("nights")];
        let mut taken = BTreeMap::new();
        for (room, unit) in &self.units {
            let nights = ledger::nights(&mut tx, self.account, *unit, &all, clock()()).await.expect("read");
            taken.insert(*room, nights.iter().map(|night| night.sold + night.overbooked).sum());
        }
        taken
    }
}

async fn no_fact_is_lost_on_its_way_through_a_plugin(database: Database) {
    let mut house = House::open(database).await;
    let (examples, seed) = (setting("TEST_EXAMPLES", EXAMPLES), setting("TEST_SEED", SEED));
    let mut dice = Dice::new(seed);
    let mut done = 0;
    while done < examples {
        let count = 1 + dice.below(LIST);
        let bookings: Vec<Booking> =
            (done..done + count).map(|n| booking(&mut dice, &format!("r{n}"), &["single", "double"])).collect();
        let about = format!("seed {seed}, booking {done} and {} more", count - 1);
        let texts: Vec<String> =
            bookings.iter().map(|booking| as_text(&damaged(&mut dice, &booking.record).record)).collect();
        let before = house.taken(&bookings).await;
        assert_eq!(house.report("reservations", &texts).await, format!("{count} created"), "{about}: {texts:?}");
        let mut expected = before.clone();
        for (room, check_in, check_out) in bookings.iter().flat_map(|booking| &booking.rooms) {
            let nights = Stay::spanning(*check_in, *check_out).expect("nights").nights();
            *expected.get_mut(room.as_str()).expect("a room type") += i64::from(nights);
        }
        assert_eq!(house.taken(&bookings).await, expected, "{about}: {texts:?}");
        let texts: Vec<String> = bookings
            .iter()
            .map(|booking| {
                let cancelled = cancellation(&mut dice, booking);
                as_text(&damaged(&mut dice, &cancelled).record)
            })
            .collect();
        assert_eq!(house.report("reservations", &texts).await, format!("{count} updated"), "{about}: {texts:?}");
        assert_eq!(house.taken(&bookings).await, before, "{about}: {texts:?}");
        done += count;
    }
    let mut tx = house.host.app.db.read(house.account).await.expect("a transaction");
    assert_eq!(ledger::differences(&mut tx, house.account, clock()()).await.expect("counted"), []);
    drop(tx);
    assert_eq!(house.host.look("set-aside").await, json!([]));
    house.host.stop().await;
}
