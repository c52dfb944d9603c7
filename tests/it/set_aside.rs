//! One record never stops a page: an odd one is set aside in its original form, reported once however often it is
//! received, and read again when its plugin or the record changes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, extract::State, routing::get};
use gassync::{
    admin::CreatedSource,
    store::{self, Tx},
};
use gassync_domain::Timestamp;
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, read},
    on_both,
    plugins::component,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex};

on_both!(
    an_unreadable_record_does_not_stop_a_page,
    a_record_without_id_is_refetched_with_its_kind,
    a_message_is_mended_and_unreadable_parts_set_aside,
    a_new_plugin_version_retries_set_aside_records,
    a_record_the_database_refuses_stops_no_other,
);

/// A channel with a configurable list of bookings.
#[derive(Clone, Default)]
struct FaultyChannel {
    bookings: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl FaultyChannel {
    async fn serve(&self) -> SocketAddr {
        self.say(&json!([])).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/bookings", get(bookings)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn say(&self, bookings: &Value) {
        *self.bookings.lock().await = bookings.to_string();
    }
}

async fn bookings(State(channel): State<FaultyChannel>) -> String {
    channel.asked.fetch_add(1, Ordering::SeqCst);
    channel.bookings.lock().await.clone()
}

fn booking(number: &str) -> Value {
    json!({
        "number": number, "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04", "state": "booked",
        "name": "Ada Example", "price": "410.00", "currency": "EUR", "changed": "2027-01-05T09:00:00Z",
    })
}

/// The booking with one member replaced.
fn with(mut booking: Value, name: &str, value: Value) -> Value {
    booking[name] = value;
    booking
}

/// A host connected to the channel, after the first poll.
async fn connected(database: Database) -> (Host, FaultyChannel, CreatedSource) {
    let channel = FaultyChannel::default();
    let address = channel.serve().await.to_string();
    let settings = [("GASSYNC_EGRESS_ALLOW_PRIVATE", address.as_str()), ("GASSYNC_WORKERS_POLL_SECONDS", "900")];
    let host = Host::begin(database, &["example"], None, &settings).await;
    let new = json!({
        "account": ACCOUNT, "channel": "example", "name": "example",
        "settings": { "baseUrl": format!("http://{address}") }, "credentials": { "key": "k-1" },
    });
    let made = host.operate("sources", &new).await.json().await.expect("a source");
    // To its end: what the channel says later must not be part of the first poll.
    let is_polled = async || !host.look("sources/example").await["lastSyncAt"].is_null();
    host.until("it was polled", async || channel.asked.load(Ordering::SeqCst) > 0 && is_polled().await).await;
    (host, channel, made)
}

/// Number of records of a poll by outcome.
async fn polled(host: &Host) -> Value {
    let (status, tally) = read(host.operate("sources/example/sync", &json!(null)).await).await;
    assert_eq!(status, 200, "{tally}");
    tally["reservation"].clone()
}

async fn set_aside(host: &Host) -> Vec<Value> {
    host.look("set-aside").await.as_array().expect("a list").clone()
}

async fn an_unreadable_record_does_not_stop_a_page(database: Database) {
    let (host, channel, _) = connected(database).await;
    let odd = with(booking("B-2"), "from", json!("31.06.2027"));
    let page = json!([booking("B-1"), odd, with(booking("B-3"), "price", json!(1714.28571)), booking("B-4")]);
    channel.say(&page).await;
    assert_eq!(polled(&host).await, json!({ "parked": 3, "set-aside": 1 }));
    assert_eq!(polled(&host).await, json!({ "parked": 3, "set-aside": 1 }));
    let rows = set_aside(&host).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&row["source"], &row["entity"]), (&json!("example"), &json!("reservation")));
    // The source's own poll may have read it once more.
    assert_eq!(row["externalId"], "B-2");
    assert!(row["count"].as_i64() >= Some(2), "the same again is the same: {row}");
    assert_eq!(row["problem"], "/1/from: is not a date (YYYY-MM-DD)");
    let at = |field: &str| row[field].as_str().expect("an instant").parse::<Timestamp>().expect("an instant");
    assert!(at("firstSeenAt") < at("lastSeenAt"), "{row}");
    let whole = host.look(&format!("set-aside/{}", row["id"])).await;
    let raw: Value = serde_json::from_str(whole["raw"].as_str().expect("its words")).expect("JSON");
    assert_eq!(raw, odd);
    assert_eq!(host.look("sources/example").await["status"], "active");

    // The channel corrects the record.
    channel.say(&json!([booking("B-2")])).await;
    assert_eq!(polled(&host).await, json!({ "parked": 1 }));
    assert_eq!(set_aside(&host).await, [] as [Value; 0]);
    host.stop().await;
}

async fn a_record_without_id_is_refetched_with_its_kind(database: Database) {
    let (host, channel, _) = connected(database).await;
    let nameless = with(booking("B-2"), "number", json!(null));
    channel.say(&json!([booking("B-1"), nameless, booking("B-3"), booking("B-4")])).await;
    assert_eq!(polled(&host).await, json!({ "parked": 3, "set-aside": 1 }));
    assert_eq!(polled(&host).await, json!({ "parked": 3, "set-aside": 1 }));
    let rows = set_aside(&host).await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    let count = row["count"].as_i64().expect("a count");
    assert!(row["externalId"].is_null() && count >= 2, "{row}");

    let retry = format!("set-aside/{}/retry", row["id"]);
    assert_eq!(host.operate(&retry, &json!(null)).await.status().as_u16(), 202);
    host.until("it was seen again", async || set_aside(&host).await[0]["count"].as_i64() > Some(count)).await;
    channel.say(&json!([booking("B-1")])).await;
    assert_eq!(host.operate(&retry, &json!(null)).await.status().as_u16(), 202);
    host.until("it did not come again", async || set_aside(&host).await.is_empty()).await;

    channel.say(&json!([nameless])).await;
    assert_eq!(polled(&host).await, json!({ "set-aside": 1 }));
    let row = set_aside(&host).await.remove(0);
    let dismiss = format!("set-aside/{}/dismiss", row["id"]);
    assert_eq!(host.operate(&dismiss, &json!({ "by": "Ada", "why": " " })).await.status().as_u16(), 400);
    let decision = json!({ "by": "Ada", "why": "a test of theirs" });
    assert_eq!(host.operate(&dismiss, &decision).await.status().as_u16(), 204);
    assert_eq!(host.operate(&dismiss, &decision).await.status().as_u16(), 404);
    assert_eq!(set_aside(&host).await, [] as [Value; 0]);
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let log = store::sync_log::newest(&mut tx, 10).await.expect("the log");
    let said = log
        .iter()
        .find(|line| line.action == store::sync_log::LogAction::SetAside)
        .and_then(|line| line.error_message.as_deref());
    assert_eq!(said, Some("dismissed by Ada: a test of theirs"));
    drop(tx);
    host.stop().await;
}

async fn a_message_is_mended_and_unreadable_parts_set_aside(database: Database) {
    let (host, _, made) = connected(database).await;
    let (header, token) = (made.webhook_header.clone().expect("a header"), made.webhook_token.clone());
    let send = async |body: String| {
        let request = host.http.post(&made.webhook_url).header(&header, &token).body(body);
        request.send().await.expect("an answer").status().as_u16()
    };
    let outcomes = async || -> Vec<Value> {
        let messages = host.look("inbox?limit=20").await;
        let calls = messages.as_array().expect("a list").iter().filter(|message| message["kind"] == "call");
        calls.map(|message| message["outcome"].clone()).collect()
    };
    let half = booking("B-1").to_string().replace("Ada Example", r"Ada \ud83d\u0000");
    assert_eq!(send(half).await, 200);
    host.until("it was applied", async || outcomes().await == [json!("1 parked")]).await;
    let odd = with(booking("B-2"), "to", json!("soon"));
    assert_eq!(send(odd.to_string()).await, 200);
    host.until("it was set aside", async || outcomes().await.first() == Some(&json!("1 set-aside"))).await;
    let row = set_aside(&host).await.remove(0);
    assert_eq!((&row["externalId"], row["messageId"].is_i64()), (&json!("B-2"), true));
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let waiting = store::set_aside::waiting(&mut tx).await.expect("rows");
    assert_eq!(waiting.len(), 1);
    drop(tx);
    assert_eq!(send(booking("B-2").to_string()).await, 200);
    host.until("read successfully", async || set_aside(&host).await.is_empty()).await;
    host.stop().await;
}

/// The same component with other bytes: an empty section is added to its end.
fn another_version(mut component: Vec<u8>) -> Vec<u8> {
    component.extend([0, 5, 4]);
    component.extend(b"more");
    component
}

async fn a_new_plugin_version_retries_set_aside_records(database: Database) {
    let (host, channel, _) = connected(database).await;
    let nameless = with(booking("B-2"), "number", json!(null));
    channel.say(&json!([nameless, with(booking("B-3"), "to", json!("soon"))])).await;
    assert_eq!(polled(&host).await, json!({ "set-aside": 2 }));
    // The corrected data stands for what another version would read from the old data.
    channel.say(&json!([booking("B-3")])).await;
    let (status, installed) = host.install(another_version(component("example"))).await;
    assert_eq!((status, &installed["status"]), (201, &json!("serving")), "{installed}");
    host.until("both were asked for anew", async || set_aside(&host).await.is_empty()).await;
    host.stop().await;
}

/// Makes the database reject reservation B-2, which no validation rule would.
async fn refuse_one(host: &Host) {
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let text = tx.dialect(
        "create trigger refused before insert on int_reservations when new.external_id = 'B-2'
        begin select raise(abort, 'refused'); end",
        "alter table int_reservations add constraint refused check (external_id <> 'B-2')",
    );
    match &mut tx {
        Tx::Sqlite(inner, _) => drop(sqlx::query(text).execute(&mut **inner).await.expect("a trigger")),
        Tx::Postgres(inner, _) => drop(sqlx::query(text).execute(&mut **inner).await.expect("a constraint")),
    }
    tx.commit().await.expect("committed");
}

async fn a_record_the_database_refuses_stops_no_other(database: Database) {
    let (host, channel, made) = connected(database).await;
    refuse_one(&host).await;
    channel.say(&json!([booking("B-1"), booking("B-2"), booking("B-3")])).await;
    assert_eq!(polled(&host).await, json!({ "parked": 2, "set-aside": 1 }));
    let row = set_aside(&host).await.remove(0);
    assert_eq!((&row["externalId"], &row["problem"]), (&json!("B-2"), &json!("the database rejected it")));
    let header = made.webhook_header.clone().expect("a header");
    let call = host.http.post(&made.webhook_url).header(header, &made.webhook_token).body(booking("B-2").to_string());
    assert_eq!(call.send().await.expect("an answer").status().as_u16(), 200);
    host.until("it was seen again", async || set_aside(&host).await[0]["count"] == 2).await;
    host.stop().await;
}
