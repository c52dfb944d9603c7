//! Many buyers want the same few rooms through two processes on one PostgreSQL, over a connection that breaks before
//! and after commits: exactly as many rooms are sold as exist, whatever each buyer was told.

use std::{sync::Arc, time::Duration};

use gassync::store::{self, Db, ledger};
use gassync_domain::{AccountId, SourceKey, Status};
use gassync_tests::{
    database::Database,
    fault_proxy::FaultProxy,
    host::{clock, reservation},
    port::free_port,
    process::Served,
    web,
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Number of rooms.
const ROOMS: usize = 5;
/// Number of buyers.
const BUYERS: usize = 40;

struct Shop {
    http: Client,
    key: String,
    bases: [String; 2],
}

impl Shop {
    /// Repeats a request with the same Idempotency-Key until there is a definite response.
    async fn ask(&self, buyer: usize, path: &str, name: &str, record: &Value) -> (u16, Value) {
        for attempt in 0..200 {
            // Without a response, the buyer tries the other process.
            let url = format!("{}/integration/v1/{path}", self.bases[(buyer + attempt) % 2]);
            let request = self.http.post(url).bearer_auth(&self.key).header("idempotency-key", name).json(record);
            if let Ok(answer) = request.send().await {
                let status = answer.status().as_u16();
                let body: Value = answer.json().await.unwrap_or_default();
                let again = status >= 500 || body["type"] == "/problems/still-running";
                if !again {
                    return (status, body);
                }
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        panic!("buyer {buyer} never got an answer to {name}");
    }
}

fn stay(buyer: usize, from: &str, to: &str) -> Value {
    let mut record = reservation(&format!("buyer-{buyer}"));
    record["checkIn"] = json!(from);
    record["checkOut"] = json!(to);
    record
}

/// What a buyer believes in the end.
#[derive(Debug, PartialEq)]
enum Has {
    Nothing,
    Stay(String, String),
    Cancelled,
}

async fn buys(shop: Arc<Shop>, buyer: usize) -> (usize, Has) {
    let (first, last) = ("2027-06-01", "2027-06-03");
    let path = "reservations?onConflict=refuse";
    let (status, body) = shop.ask(buyer, path, &format!("buy-{buyer}"), &stay(buyer, first, last)).await;
    match status {
        409 => return (buyer, Has::Nothing),
        201 => {}
        other => panic!("buyer {buyer}: {other} {body}"),
    }
    let has = Has::Stay(first.to_owned(), last.to_owned());
    match buyer % 4 {
        0 => {
            let cancelled = json!({ "id": format!("buyer-{buyer}"), "status": "cancelled" });
            let (status, body) = shop.ask(buyer, path, &format!("cancel-{buyer}"), &cancelled).await;
            assert_eq!(status, 200, "{body}");
            (buyer, Has::Cancelled)
        }
        1 => {
            let moved = stay(buyer, "2027-06-02", "2027-06-05");
            let (status, body) = shop.ask(buyer, path, &format!("move-{buyer}"), &moved).await;
            match status {
                200 => (buyer, Has::Stay("2027-06-02".to_owned(), "2027-06-05".to_owned())),
                409 => (buyer, has),
                other => panic!("buyer {buyer}: {other} {body}"),
            }
        }
        _ => (buyer, has),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_buyers_sell_exactly_the_stock() {
    let database = Database::postgres().await;
    let direct = Db::open(&database.url).await.expect("a database");
    direct.migrate().await.expect("a schema");
    let server = url_address(&database.url);
    let cutter = FaultProxy::to(server).await;
    let url = database.url.replace(&server.to_string(), &cutter.address.to_string());
    let mut hosts = Vec::new();
    for number in 0..2 {
        let dir = database.dir.path().join(format!("process-{number}"));
        std::fs::create_dir_all(dir.join("plugins")).expect("a folder");
        let mut host = Served::on(url.clone(), dir, ([127, 0, 0, 1], free_port()).into());
        host.start().await;
        hosts.push(host);
    }
    let http = web::client();
    let token = std::fs::read_to_string(hosts[0].data().join("operator.token")).expect("the token");
    let request = http.post(format!("{}/admin/v1/keys", hosts[0].base())).bearer_auth(token);
    let made: Value = request
        .json(&json!({ "account": "One", "name": "partner" }))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("json");
    let key = made["key"].as_str().expect("a key").to_owned();
    let shop = Arc::new(Shop { http, key, bases: [hosts[0].base(), hosts[1].base()] });
    let house = json!({ "id": "p1", "name": "Casa Azul", "currency": "EUR" });
    let room = json!({ "id": "t1", "propertyId": "p1", "name": "Patio", "quantity": ROOMS });
    assert_eq!(shop.ask(0, "properties", "house", &house).await.0, 201);
    assert_eq!(shop.ask(0, "room-types", "room", &room).await.0, 201);

    cutter.begin();
    let mut crowd = JoinSet::new();
    for buyer in 0..BUYERS {
        crowd.spawn(buys(Arc::clone(&shop), buyer));
    }
    let mut believed = crowd.join_all().await;
    cutter.end();
    believed.sort_by_key(|(buyer, _)| *buyer);
    let (before, after) = cutter.cuts();
    assert!(before > 2 && after > 2, "the wire broke {before} times before and {after} times after a commit");

    let mut tx = direct.platform_read().await.expect("a transaction");
    let account = store::accounts::find(&mut tx, "One").await.expect("read").expect("there");
    assert_eq!(ledger::differences(&mut tx, account, clock()()).await.expect("counted"), []);
    let source = store::sources::named(&mut tx, "partner").await.expect("read")[0].id;
    let booked = store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source }).await.expect("read");
    for (buyer, has) in &believed {
        let id = format!("buyer-{buyer}");
        let found: Vec<_> = booked.iter().filter(|(known, _)| *known == id).map(|(_, facts)| facts).collect();
        let really = match found.as_slice() {
            [] => Has::Nothing,
            [facts] if facts.status == Status::Cancelled => Has::Cancelled,
            [facts] => Has::Stay(facts.check_in.0.to_string(), facts.check_out.0.to_string()),
            _ => panic!("{id} stands twice"),
        };
        assert_eq!(*has, really, "{id} was told otherwise");
    }
    let nights = sold(&mut tx, account).await;
    assert!(nights.iter().all(|(_, sold, overbooked)| *sold <= ROOMS && *overbooked == 0), "{nights:?}");
    // Cancelled rooms were bought again: all rooms are sold on the contested night, unless the last action was a
    // cancellation.
    let kept = believed.iter().filter(|(_, has)| matches!(has, Has::Stay(..))).count();
    assert!((1..=ROOMS * 2).contains(&kept), "{kept} have a room");
    let bought = believed.iter().filter(|(_, has)| *has != Has::Nothing).count();
    assert!(bought >= ROOMS, "only {bought} of {ROOMS} rooms were ever sold");
    let deadlocks = store::status::deadlocks(&mut tx).await.expect("read");
    assert_eq!(deadlocks, 0, "transactions waited for each other in a ring");
}

async fn sold(tx: &mut store::Tx, account: AccountId) -> Vec<(String, usize, i64)> {
    let types = store::calendar::CalendarQuery { room_type_id: None, property_id: None, from_row: 0 };
    let source = store::sources::named(tx, "partner").await.expect("read")[0].key();
    let unit = store::calendar::linked_room_types(tx, source, &types, 1).await.expect("read")[0].unit_id;
    let stay = gassync_domain::Stay::new("2027-06-01".parse().expect("a day"), "2027-06-06".parse().expect("a day"));
    let stays = [stay.expect("a stay")];
    let nights = store::calendar::nights(tx, account, gassync_domain::CoreId(unit), None, &stays, clock()());
    let nights = nights.await.expect("nights").into_iter();
    nights.map(|night| (night.night.to_string(), usize::try_from(night.sold).expect("few"), night.overbooked)).collect()
}

fn url_address(url: &str) -> std::net::SocketAddr {
    let rest = url.split_once('@').expect("a role").1;
    rest.split_once('/').expect("a database").0.parse().expect("an address")
}
