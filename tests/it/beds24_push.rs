//! What a simulated Beds24 makes of single writes through the sandbox. That none is made twice is shown in `channels`.

use std::sync::Arc;

use gassync::credentials::ConnectionSecrets;
use gassync_domain::{Attempt, CalendarUpdate, Date, Operation, Outcome, utc_day};
use gassync_runtime::{Budget, Call};
use gassync_simulator::{
    FaultSettings, InjectedFault, Rule,
    beds24::{BookEntry, Settings},
};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Channel, Host},
};
use jiff::Span;
use serde_json::{Value, json};

struct Connection {
    host: Host,
    channel: Channel,
    /// A room type with at least one unit, and its quantity.
    room: u64,
    /// The first night used by tests, without bookings.
    first: Date,
}

impl Connection {
    async fn open(bare_answers: bool) -> Self {
        let credits_per_five_minutes = 100_000.0;
        let settings = Settings { bookings: 0, credits_per_five_minutes, bare_answers, ..Settings::default() };
        let channel = host::channel(settings).await;
        channel.account.set_faults(FaultSettings { hold_millis: 200, ..FaultSettings::default() });
        let polls = [("GASSYNC_WORKERS_POLL_SECONDS", "0")];
        let host = Host::begin(Database::sqlite(), &["beds24"], Some(channel.address), &polls).await;
        host.connect(&channel).await;
        let room = channel.account.properties()[0].room_types[0].id;
        let first = utc_day(host::clock()()).saturating_add(Span::new().days(30));
        Self { host, channel, room, first }
    }

    fn day(&self, ahead: i64) -> Date {
        self.first.saturating_add(Span::new().days(ahead))
    }

    /// A call as made by a running host: over the network, with the connection's secrets.
    async fn call(&self) -> (Arc<gassync::plugins::Plugin>, Call) {
        let app = &self.host.app;
        let mut tx = app.db.platform_read().await.expect("a transaction");
        let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
        let source = gassync::store::sources::all(&mut tx).await.expect("read").remove(0);
        drop(tx);
        let connection = source.connection.expect("a connection");
        let plugin = app.plugins.get("beds24").expect("it is loaded");
        let (app, settings) = (Arc::clone(app), source.config.clone());
        let secrets = ConnectionSecrets::new(Arc::clone(&app), account, connection, Arc::clone(&plugin), settings);
        let call = Call {
            settings: plugin.manifest().with_defaults(&source.config),
            grant: secrets.grant().await.expect("a grant"),
            credentials: Arc::new(secrets),
            transport: Arc::new(app.transport(plugin.manifest(), (account, connection)).expect("a network")),
            clock: app.clock.clone(),
            budget: plugin.budget(Budget::fetch()),
            ..Call::isolated("push")
        };
        (plugin, call)
    }

    async fn write(&self, operations: Value) -> Vec<Outcome> {
        let operations: Vec<Operation> = serde_json::from_value(operations).expect("operations");
        let (plugin, call) = self.call().await;
        plugin.push_reservations(call, operations).await.result.expect("outcomes")
    }

    async fn set(&self, updates: Value) -> Vec<Outcome> {
        let updates: Vec<CalendarUpdate> = serde_json::from_value(updates).expect("updates");
        let (plugin, call) = self.call().await;
        plugin.push_calendar(call, updates, Attempt::First).await.result.expect("outcomes")
    }

    fn booking(&self, reference: &str, nights: (i64, i64), more: &Value) -> Value {
        let mut operation = json!({
            "kind": "create", "reference": reference,
            "reservation": {
                "id": "", "status": "confirmed", "roomTypeId": self.room.to_string(), "checkIn": self.day(nights.0),
                "checkOut": self.day(nights.1), "adults": 2, "totalPrice": "240.50",
                "guest": { "firstName": "Noor", "lastName": "de Wit" }
            }
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            operation[name] = value.clone();
        }
        operation
    }

    fn at_channel(&self, reference: &str) -> Vec<BookEntry> {
        self.channel.account.book().into_iter().filter(|entry| entry.reference == reference).collect()
    }
}

fn taken(outcome: &Outcome) -> Option<(&str, bool)> {
    match outcome {
        Outcome::Accepted { id, confirmed, .. } => Some((id.as_deref().unwrap_or_default(), *confirmed)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_are_changed_cancelled_and_refused_individually() {
    let connection = Connection::open(false).await;
    let units = connection.channel.account.properties()[0].room_types[0].qty;
    let many: Vec<Value> =
        (0..=units).map(|number| connection.booking(&format!("FULL-{number}"), (0, 2), &Value::Null)).collect();
    let outcomes = connection.write(json!(many)).await;
    let made: Vec<String> = outcomes.iter().filter_map(|outcome| Some(taken(outcome)?.0.to_owned())).collect();
    assert_eq!(made.len(), usize::try_from(units).expect("few"), "one more than there is room for: {outcomes:?}");
    assert!(matches!(&outcomes[made.len()], Outcome::Refused(errors) if !errors.is_empty()), "{outcomes:?}");
    let longer = connection.booking("FULL-0", (0, 3), &json!({ "kind": "change", "channelId": made[0] }));
    let outcomes = connection.write(json!([longer])).await;
    assert!(taken(&outcomes[0]).is_some(), "{outcomes:?}");
    assert_eq!(connection.at_channel("FULL-0")[0].departure, connection.day(3));
    let gone = connection.booking("FULL-0", (0, 3), &json!({ "kind": "cancel", "channelId": made[0] }));
    let unknown = connection.booking("NOBODY", (0, 3), &json!({ "kind": "cancel", "channelId": "1" }));
    let outcomes = connection.write(json!([gone, unknown])).await;
    assert!(taken(&outcomes[0]).is_some() && taken(&outcomes[1]).is_none(), "{outcomes:?}");
    assert_eq!(connection.at_channel("FULL-0")[0].status, "cancelled");
    // Blocks and unblocks nights.
    let block = json!({ "roomTypeId": connection.room.to_string(), "checkIn": connection.day(10), "checkOut": connection.day(12), "units": 1 });
    let close = json!([{ "kind": "block", "reference": "MAINT-1", "block": block }]);
    let outcomes = connection.write(close).await;
    let id = taken(&outcomes[0]).expect("taken").0.to_owned();
    assert_eq!(connection.at_channel("MAINT-1")[0].status, "black");
    let open = json!([{ "kind": "unblock", "reference": "MAINT-1", "channelId": id, "block": block }]);
    let outcomes = connection.write(open).await;
    assert!(taken(&outcomes[0]).is_some(), "{outcomes:?}");
    assert_eq!(connection.at_channel("MAINT-1")[0].status, "cancelled");
    connection.host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calendar_writes_report_rejected_nights() {
    let connection = Connection::open(false).await;
    let night = |ahead: i64, more: Value| {
        let mut night = json!({ "date": connection.day(ahead), "available": true, "price": "131.00", "minStay": 2 });
        for (name, value) in more.as_object().into_iter().flatten() {
            night[name] = value.clone();
        }
        night
    };
    let update = |nights: Value| json!([{ "roomTypeId": connection.room.to_string(), "nights": nights }]);
    let outcomes = connection
        .set(update(json!([night(0, json!({})), night(1, json!({})), night(2, json!({ "available": false }))])))
        .await;
    assert!(taken(&outcomes[0]).is_some(), "{outcomes:?}");
    let there = connection.channel.account.nights(connection.room, connection.day(0), connection.day(2));
    let shown: Vec<_> = there.iter().map(|n| (n.price1_cents, n.min_stay, n.closing.as_deref())).collect();
    let open = there[0].closing.as_deref();
    assert!(open.is_none_or(|word| word == "none"), "{there:?}");
    assert_eq!(shown[..2], [(Some(13_100), Some(2), open); 2]);
    assert_eq!(there[2].closing.as_deref(), Some("blackout"));
    // More units than the room has are capped, with a warning.
    let outcomes = connection.set(update(json!([night(4, json!({ "maxStay": 400 }))]))).await;
    assert!(matches!(&outcomes[0], Outcome::Accepted { warnings, .. } if !warnings.is_empty()), "{outcomes:?}");
    connection.host.stop().await;
    // A success without an echo may have changed nothing: it is confirmed only by a read-back.
    let connection = Connection::open(true).await;
    connection
        .channel
        .account
        .set_fault(InjectedFault::NothingChanged, Rule::next(1).only("POST /inventory/rooms/calendar"));
    let night = json!({ "date": connection.day(6), "available": true, "price": "77.00" });
    let outcomes = connection.set(json!([{ "roomTypeId": connection.room.to_string(), "nights": [night] }])).await;
    assert!(taken(&outcomes[0]).is_some_and(|(_, confirmed)| !confirmed), "{outcomes:?}");
    assert_ne!(
        connection.channel.account.nights(connection.room, connection.day(6), connection.day(6))[0].price1_cents,
        Some(7_700)
    );
    connection.host.stop().await;
}
