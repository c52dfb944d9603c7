//! Outbound synchronisation: core changes reach every channel concerned, whatever fails meanwhile.

use gassync::admin::NewSourceRequest;
use gassync_domain::{Date, utc_day};
use gassync_simulator::{
    FaultSettings, InjectedFault, Notification, Rule, WebhookTarget,
    beds24::{BookEntry, Settings},
};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Channel, Host},
    on_both,
    plugins::component,
    port::free_port,
    process::Served,
    web,
};
use jiff::Span;
use serde_json::{Value, json};

on_both!(
    a_direct_booking_is_pushed_and_closes_the_night_elsewhere,
    pushes_are_idempotent_under_faults,
    an_acknowledgement_without_effect_is_detected_by_read_back,
    a_killed_host_pushes_everything_exactly_once,
    the_pms_reports_changed_records,
    pushes_follow_the_push_settings,
);

/// Two simulated accounts that sell the same rooms, and a booking engine.
pub struct Stage {
    pub host: Host,
    /// Sells, and receives bookings and nights.
    pub alpha: Channel,
    /// Sells, and receives nights only.
    pub beta: Channel,
    /// The room type at both channels; the same core unit, of which there is one.
    pub rooms: (u64, u64),
    /// The core unit.
    unit: i64,
    /// API key of the booking engine.
    pub engine: String,
    /// The first night used by tests.
    first: Date,
}

pub fn quiet(seed: u64) -> Settings {
    let credits_per_five_minutes = 100_000.0;
    Settings {
        seed,
        bookings: 0,
        properties: 1,
        room_types_per_property: 2,
        credits_per_five_minutes,
        ..Settings::default()
    }
}

impl Stage {
    pub async fn open(database: Database, polls: &str) -> Self {
        Self::at(database, polls, host::clock()).await
    }

    /// As [`Stage::open`], with this clock.
    pub async fn at(database: Database, polls: &str, clock: gassync_domain::Clock) -> Self {
        let stage = Self::listening(database, polls, clock).await;
        stage.host.go_live("alpha").await;
        stage.host.go_live("beta").await;
        stage
    }

    /// As [`Stage::at`], with both sources still listening.
    pub async fn listening(database: Database, polls: &str, clock: gassync_domain::Clock) -> Self {
        Self::listening_beside(database, polls, clock, &[]).await
    }

    /// As [`Stage::listening`], with further channels that the host may reach.
    pub async fn listening_beside(
        database: Database,
        polls: &str,
        clock: gassync_domain::Clock,
        others: &[&Channel],
    ) -> Self {
        let (alpha, beta) = (host::channel(quiet(24)).await, host::channel(quiet(7)).await);
        let reached = [&alpha, &beta].into_iter().chain(others.iter().copied());
        let private: Vec<String> = reached.map(|channel| channel.address.to_string()).collect();
        let private = private.join(",");
        let settings = [("GASSYNC_WORKERS_POLL_SECONDS", polls), ("GASSYNC_EGRESS_ALLOW_PRIVATE", private.as_str())];
        let host = Host::prepared(database, (&["beds24"], None), &settings, |app| app.set_clock(clock)).await;
        connect(&host, &alpha, "alpha").await;
        host.until("the rooms of alpha are in the core", async || links(&host, "alpha").await.len() >= 3).await;
        connect(&host, &beta, "beta").await;
        host.until("the rooms of beta wait", async || parked(&host, "beta").await >= 1).await;
        let engine = host.key(ACCOUNT, "engine").await;
        let (rooms, unit) = link(&host, (&alpha, &beta), &engine).await;
        host.operate("sources/beta/pushing", &json!({ "bookings": "none" })).await;
        let first = utc_day(host::clock()()).saturating_add(Span::new().days(30));
        Self { host, alpha, beta, rooms, unit, engine, first }
    }

    pub fn unit(&self) -> i64 {
        self.unit
    }

    pub fn day(&self, ahead: i64) -> Date {
        self.first.saturating_add(Span::new().days(ahead))
    }

    /// Creates, changes or cancels a booking at the booking engine.
    pub async fn book(&self, id: &str, nights: (i64, i64), status: &str) {
        let (code, answer) = self.host.post(&self.engine, "reservations", &self.record(id, nights, status)).await;
        assert!(code < 300, "{answer}");
    }

    /// A booking as sent by the booking engine.
    pub fn record(&self, id: &str, nights: (i64, i64), status: &str) -> Value {
        json!({
            "id": id, "roomTypeId": "studio", "status": status, "adults": 2, "totalPrice": 240.5, "currency": "EUR",
            "checkIn": self.day(nights.0), "checkOut": self.day(nights.1),
            "guest": { "firstName": "Noor", "lastName": "de Wit", "email": "noor@example.org" },
        })
    }

    /// Our bookings at alpha.
    pub fn booked(&self) -> Vec<BookEntry> {
        self.alpha.account.book().into_iter().filter(|entry| entry.reference.starts_with("gas-")).collect()
    }

    /// True if this night is for sale at beta.
    fn is_open(&self, ahead: i64) -> bool {
        is_open(&self.beta, self.rooms.1, self.day(ahead))
    }

    pub async fn age(&self, source: &str) -> Value {
        self.host.look(&format!("sources/{source}/age")).await
    }

    /// True if a channel has confirmed everything.
    pub async fn is_synced(&self, source: &str) -> bool {
        self.age(source).await["oldestMissing"] == Value::Null
    }
}

pub fn is_open(channel: &Channel, room: u64, night: Date) -> bool {
    let nights = channel.account.nights(room, night, night);
    nights.first().is_some_and(|night| night.available > 0 && night.closing.as_deref() != Some("blackout"))
}

async fn connect(host: &Host, channel: &Channel, name: &str) {
    let new = NewSourceRequest {
        account: ACCOUNT.to_owned(),
        channel: "beds24".to_owned(),
        name: name.to_owned(),
        settings: [("baseUrl".to_owned(), json!(format!("http://{}/api/v2", channel.address)))].into(),
        credentials: [("inviteCode".to_owned(), channel.account.invite_code())].into(),
        time_zone: Some("UTC".to_owned()),
    };
    let made: gassync::admin::CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
    let header = made.webhook_header.clone().map(|name| (name, made.webhook_token.clone()));
    channel.account.set_webhook(WebhookTarget { url: made.webhook_url, header });
}

async fn links(host: &Host, source: &str) -> Vec<Value> {
    let links = host.look(&format!("sources/{source}/links")).await;
    links.as_array().cloned().unwrap_or_default()
}

async fn parked(host: &Host, source: &str) -> usize {
    host.look(&format!("sources/{source}/parked")).await.as_array().map_or(0, Vec::len)
}

/// Sells one unit of the same room type at both channels and at the engine.
async fn link(host: &Host, (alpha, beta): (&Channel, &Channel), engine: &str) -> ((u64, u64), i64) {
    let first = |channel: &Channel| {
        let house = channel.account.properties().remove(0);
        let rooms = &house.room_types;
        let single = rooms.iter().find(|room| room.qty == 1).unwrap_or(&rooms[0]).id;
        (house.id, single)
    };
    let ((house, room), (other_house, other_room)) = (first(alpha), first(beta));
    let known = links(host, "alpha").await;
    let gas_id = |kind: &str, id: u64| {
        let link = known.iter().find(|link| link["kind"] == kind.replace('-', "_") && link["id"] == *id.to_string());
        link.unwrap_or_else(|| panic!("{kind} {id} is not linked: {known:?}"))["gasId"].clone()
    };
    let (house, room_id) = (gas_id("property", house), gas_id("room-type", room));
    let studio = json!({ "id": "studio", "propertyId": "house", "name": "Studio", "quantity": 1 });
    host.post(engine, "properties", &json!({ "id": "house", "name": "House" })).await;
    host.post(engine, "room-types", &studio).await;
    for (source, kind, id, gas_id) in [
        ("beta", "property", other_house.to_string(), &house),
        ("beta", "room-type", other_room.to_string(), &room_id),
        ("engine", "property", "house".to_owned(), &house),
        ("engine", "room-type", "studio".to_owned(), &room_id),
    ] {
        let linked = json!({ "kind": kind, "id": id, "gasId": gas_id });
        let answer = host.operate(&format!("sources/{source}/links"), &linked).await;
        assert_eq!(answer.status().as_u16(), 200, "{source} {kind}: {}", answer.text().await.unwrap_or_default());
    }
    // One unit, whatever the channels report.
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let unit = gassync_domain::CoreId(room_id.as_i64().expect("a number"));
    let now = host.app.now();
    let single = gassync_domain::RoomType { quantity: Some(1), ..serde_json::from_value(studio).expect("a room type") };
    gassync::core::put_unit(
        &mut tx,
        account,
        Some(unit),
        gassync_domain::CoreId(house.as_i64().expect("a number")),
        &single,
        now,
    )
    .await
    .expect("one unit");
    tx.commit().await.expect("committed");
    ((room, other_room), unit.0)
}

async fn a_direct_booking_is_pushed_and_closes_the_night_elsewhere(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    host.until("both channels are up to date", async || {
        stage.is_synced("alpha").await && stage.is_synced("beta").await
    })
    .await;
    assert!(stage.is_open(0) && stage.is_open(1) && stage.is_open(2));
    stage.book("d1", (0, 2), "confirmed").await;
    host.until("alpha has the booking", async || stage.booked().len() == 1).await;
    let booked = stage.booked().remove(0);
    assert_eq!((booked.arrival, booked.departure, booked.status.as_str()), (stage.day(0), stage.day(2), "confirmed"));
    host.until("beta has closed the nights", async || !stage.is_open(0) && !stage.is_open(1)).await;
    assert!(stage.is_open(2), "and no other");
    host.until("that is known", async || stage.is_synced("alpha").await && stage.is_synced("beta").await).await;
    // A change updates the same reservation there.
    stage.book("d1", (1, 3), "confirmed").await;
    host.until("it has moved", async || {
        let booked = stage.booked();
        booked.len() == 1 && booked[0].arrival == stage.day(1) && booked[0].departure == stage.day(3)
    })
    .await;
    host.until("the nights have moved", async || stage.is_open(0) && !stage.is_open(1) && !stage.is_open(2)).await;
    host.until("it was read back", async || host.look("sources/alpha/bookings").await[0]["state"] == "confirmed").await;
    let booking = host.look("sources/alpha/bookings").await;
    assert_eq!(booking[0]["externalId"], booked.id.to_string());
    // Cancelled at the channel: the core owns its bookings.
    assert!(stage.alpha.account.cancel(booked.id, Notification::Webhook));
    host.until("it was cancelled there", async || stage.booked()[0].status == "cancelled").await;
    host.until("it stands again", async || stage.booked()[0].status == "confirmed").await;
    stage.book("d1", (1, 3), "cancelled").await;
    host.until("it is cancelled there", async || stage.booked()[0].status == "cancelled").await;
    host.until("the nights are open again", async || stage.is_open(1) && stage.is_open(2)).await;
    assert_eq!(stage.booked().len(), 1);
    // A channel's own bookings are never pushed back to it.
    let own = stage.alpha.account.book().into_iter().filter(|entry| entry.reference.is_empty()).count();
    stage.alpha.account.act();
    host.until("beta hears of what alpha sold", async || stage.is_synced("beta").await).await;
    assert_eq!(stage.booked().len(), 1);
    assert!(stage.alpha.account.book().len() >= own);
    stage.host.stop().await;
}

async fn pushes_are_idempotent_under_faults(database: Database) {
    let stage = Stage::open(database, "2").await;
    let host = &stage.host;
    host.until("both channels are up to date", async || {
        stage.is_synced("alpha").await && stage.is_synced("beta").await
    })
    .await;
    for channel in [&stage.alpha, &stage.beta] {
        channel.account.set_faults(FaultSettings { delay_millis: 200, hold_millis: 500, ..FaultSettings::any(0.2) });
    }
    for number in 0..8 {
        stage.book(&format!("d{number}"), (number * 2, number * 2 + 2), "confirmed").await;
    }
    for number in [1, 4, 6] {
        stage.book(&format!("d{number}"), (number * 2, number * 2 + 2), "cancelled").await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    for channel in [&stage.alpha, &stage.beta] {
        channel.account.set_faults(FaultSettings::default());
    }
    let agrees = async || {
        let booked = stage.booked();
        let stands = |number: i64| {
            let of_it =
                booked.iter().filter(|entry| entry.arrival == stage.day(number * 2) && entry.status != "cancelled");
            of_it.count()
        };
        (0..8).all(|number| {
            let sold = ![1, 4, 6].contains(&number);
            stands(number) == usize::from(sold)
                && stage.is_open(number * 2) != sold
                && stage.is_open(number * 2 + 1) != sold
        })
    };
    // The circuit breaker pauses the channel for a minute.
    let is_known = async || stage.is_synced("alpha").await && stage.is_synced("beta").await;
    for _ in 0..36 {
        if agrees().await && is_known().await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    if !(agrees().await && is_known().await) {
        let jobs = host.look("jobs?state=waiting").await;
        let (alpha, beta) = (stage.age("alpha").await, stage.age("beta").await);
        let bookings = host.look("sources/alpha/bookings").await;
        panic!("they do not agree: {:?}\n{alpha}\n{beta}\n{bookings}\n{jobs}", stage.booked());
    }
    for (reference, creates) in stage.alpha.account.creates_by_reference() {
        assert_eq!(creates, 1, "{reference} was made {creates} times");
    }
    stage.host.stop().await;
}

async fn an_acknowledgement_without_effect_is_detected_by_read_back(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    host.until("beta is up to date", async || stage.is_synced("beta").await).await;
    stage.beta.account.set_fault(InjectedFault::NothingChanged, Rule::next(1).only("POST /inventory/rooms/calendar"));
    stage.book("d1", (0, 1), "confirmed").await;
    host.until("it was written", async || {
        let calls = stage.beta.account.requests();
        calls.iter().any(|call| call.method == "POST" && call.path == "/inventory/rooms/calendar")
    })
    .await;
    if stage.is_open(0) {
        assert!(!stage.is_synced("beta").await, "nobody says that it is there while it is not");
    }
    host.until("the night is closed after all", async || !stage.is_open(0)).await;
    host.until("that is known", async || stage.is_synced("beta").await).await;
    let source = host.look("sources").await;
    assert!(
        source.as_array().is_some_and(|sources| sources.iter().all(|source| source["status"] == "active")),
        "{source}"
    );
    stage.host.stop().await;
}

/// Default number of kills while bookings are pushed; `TEST_KILLS` overrides it.
const KILLS: u32 = 4;

async fn a_killed_host_pushes_everything_exactly_once(database: Database) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let channel = host::channel(Settings { room_types_per_property: 1, ..quiet(24) }).await;
    let listen = ([127, 0, 0, 1], free_port()).into();
    let mut served = Served::new(&database, listen, channel.address.to_string());
    std::fs::create_dir_all(served.plugins()).expect("a folder");
    std::fs::write(served.plugins().join("beds24.wasm"), component("beds24")).expect("a component");
    served.start().await;
    let base = served.base();
    let token = std::fs::read_to_string(served.data().join("operator.token")).expect("the token");
    let http = web::client();
    let call = async |path: &str, key: &str, body: Option<Value>| -> Option<(u16, Value)> {
        let url = format!("{base}{path}");
        let request = match &body {
            Some(body) => http.post(url).json(body),
            None => http.get(url),
        };
        let answer = request.bearer_auth(key).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    };
    let operate = async |path: &str, body: Option<Value>| {
        call(&format!("/admin/v1/{path}"), &token, body).await.expect("an answer").1
    };
    let new = json!({ "account": ACCOUNT, "channel": "beds24", "name": "alpha",
        "settings": { "baseUrl": format!("http://{}/api/v2", channel.address) },
        "credentials": { "inviteCode": channel.account.invite_code() } });
    operate("sources", Some(new)).await;
    let links = wait_for(async || {
        let links = operate("sources/alpha/links", None).await.as_array().cloned().unwrap_or_default();
        (links.len() >= 2).then_some(links)
    })
    .await;
    let gas_id = |kind: &str| links.iter().find(|link| link["kind"] == kind).expect("a link")["gasId"].clone();
    let key = operate("keys", Some(json!({ "account": ACCOUNT, "name": "engine", "source": null }))).await;
    let key = key["key"].as_str().expect("a key").to_owned();
    call("/integration/v1/properties", &key, Some(json!({ "id": "house", "name": "House" }))).await;
    let studio = json!({ "id": "studio", "propertyId": "house", "name": "Studio" });
    call("/integration/v1/room-types", &key, Some(studio)).await;
    for (kind, id, of_core) in [("property", "house", "property"), ("room-type", "studio", "room_type")] {
        operate("sources/engine/links", Some(json!({ "kind": kind, "id": id, "gasId": gas_id(of_core) }))).await;
    }
    let plan = operate("sources/alpha/go-live", Some(json!({ "plan": true }))).await;
    let done = operate("sources/alpha/go-live", Some(json!({ "planId": plan["planId"] }))).await;
    assert_eq!(done["live"], json!(true), "{plan}: {done}");
    channel.account.set_faults(FaultSettings { delay_millis: 200, hold_millis: 800, ..FaultSettings::any(0.1) });
    let today = utc_day(host::clock()());
    let day = |ahead: i64| today.saturating_add(Span::new().days(ahead));
    // Creates bookings and cancels every third, while the host is killed.
    let mut confirmed = Vec::new();
    for number in 0..i64::from(kills) * 3 {
        for status in ["confirmed", "cancelled"].into_iter().take(if number % 3 == 0 { 2 } else { 1 }) {
            let record = json!({ "id": format!("d{number}"), "roomTypeId": "studio", "status": status, "adults": 2,
                "checkIn": day(20 + 2 * number), "checkOut": day(22 + 2 * number), "totalPrice": 100 });
            let taken = wait_for(async || {
                let answer = call("/integration/v1/reservations", &key, Some(record.clone())).await;
                answer.filter(|(status, _)| *status < 300)
            });
            assert!(taken.await.0 < 300);
        }
        if number % 3 != 0 {
            confirmed.push(day(20 + 2 * number));
        }
        if number % 3 == 1 {
            // The moment depends only on the number of the kill, not on a clock or a random number: somewhere in the
            // work.
            tokio::time::sleep(std::time::Duration::from_millis(100 + number.unsigned_abs() * 137 % 700)).await;
            served.kill();
            served.start().await;
        }
    }
    channel.account.set_faults(FaultSettings::default());
    let booked = || -> Vec<BookEntry> {
        channel.account.book().into_iter().filter(|entry| entry.reference.starts_with("gas-")).collect()
    };
    let agrees = || {
        let booked = booked();
        let mut stands: Vec<Date> =
            booked.iter().filter(|entry| entry.status != "cancelled").map(|entry| entry.arrival).collect();
        stands.sort_unstable();
        stands == confirmed
    };
    let mut age = Value::Null;
    for _ in 0..360 {
        age = operate("sources/alpha/age", None).await;
        if agrees() && age["oldestMissing"] == Value::Null {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert!(agrees(), "{:?}\n{confirmed:?}\n{age}\n{}", booked(), operate("jobs?state=waiting", None).await);
    assert_eq!(age["oldestMissing"], Value::Null, "{age}");
    for (reference, creates) in channel.account.creates_by_reference() {
        assert_eq!(creates, 1, "{reference} was made {creates} times");
    }
    served.kill();
}

pub async fn wait_for<T>(mut there: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(there) = there().await {
            return there;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a minute went by")
}

async fn the_pms_reports_changed_records(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    host.until("everything is pushed", async || stage.is_synced("alpha").await && stage.is_synced("beta").await).await;
    let tell = async |key: &str, body: &Value| {
        let request = host.http.post(format!("{}/core/v1/events", host.base)).bearer_auth(key).json(body);
        host::read(request.send().await.expect("an answer")).await
    };
    let event = json!({ "type": "booking.updated", "id": 17 });
    assert_eq!(tell(&stage.engine, &event).await.0, 403, "a partner's key is not the core's own");
    let new = json!({ "account": ACCOUNT, "name": "gas", "scopes": ["core:events"] });
    let key: gassync::admin::CreatedKey = host.operate("keys", &new).await.json().await.expect("a key");
    let (status, taken) = tell(&key.key, &event).await;
    assert_eq!((status, &taken["accepted"], &taken["unknown"]), (202, &json!(0), &json!([17])));
    let (status, problem) = tell(&key.key, &json!([event, { "type": "guest.updated", "id": 1 }])).await;
    assert_eq!((status, &problem["errors"][0]["path"]), (422, &json!("/1/type")), "{problem}");
    assert_eq!(tell(&key.key, &json!("booking")).await.0, 400);
    // The event exists already by the standard API; it is reported again, as if no trigger had recorded it.
    stage.book("d1", (0, 1), "confirmed").await;
    host.until("the night is closed", async || !stage.is_open(0)).await;
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let before = gassync::store::outbox::last_sequence(&mut tx, account).await.expect("read");
    drop(tx);
    let nights = json!({ "type": "availability.updated", "id": stage.unit, "from": stage.day(0), "to": stage.day(1) });
    let (status, taken) = tell(&key.key, &json!([{ "type": "booking.updated", "id": 1 }, nights])).await;
    assert_eq!((status, &taken["accepted"]), (202, &json!(2)), "{taken}");
    host.until("it is in the feed", async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        gassync::store::outbox::last_sequence(&mut tx, account).await.expect("read") >= before + 2
    })
    .await;
    host.until("nothing has come of it", async || stage.is_synced("alpha").await && stage.is_synced("beta").await)
        .await;
    assert_eq!(stage.booked().len(), 1);
    stage.host.stop().await;
}

async fn pushes_follow_the_push_settings(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    host.until("everything is pushed", async || stage.is_synced("beta").await).await;
    let wrong = host.operate("sources/beta/pushing", &json!({ "horizonDays": 0 })).await;
    assert_eq!(wrong.status().as_u16(), 422);
    // One unit held back is all there is.
    host.operate("sources/beta/pushing", &json!({ "bookings": "none", "safetyStock": 1, "horizonDays": 60 })).await;
    host.until("nothing is sold there", async || !stage.is_open(0) && !stage.is_open(5)).await;
    host.operate("sources/beta/pushing", &json!({ "bookings": "none", "availability": false })).await;
    host.until("that is computed", async || stage.is_synced("beta").await).await;
    stage.book("d1", (0, 1), "confirmed").await;
    host.until("alpha has the push", async || stage.booked().len() == 1).await;
    let pushed = async |host: &Host| {
        let age = host.look("sources/beta/age").await;
        (age["nightsPending"].clone(), age["nightsUnconfirmed"].clone())
    };
    assert_eq!(pushed(host).await, (json!(0), json!(0)), "records that are not pushed leave nothing waiting");
    host.operate("sources/beta/pushing", &json!({ "bookings": "none" })).await;
    host.until("it is pushed again", async || !stage.is_open(0) && stage.is_open(1) && stage.is_open(5)).await;
    // Everything is pushed, in few calls.
    let writes = || {
        let calls = stage.beta.account.requests();
        calls.iter().filter(|call| call.method == "POST" && call.path == "/inventory/rooms/calendar").count()
    };
    let before = writes();
    assert_eq!(host.operate("sources/beta/push", &json!({ "all": true })).await.status().as_u16(), 202);
    host.until("all is sent", async || writes() > before && stage.is_synced("beta").await).await;
    assert!(writes() - before <= 3, "{} calls", writes() - before);
    assert_eq!(host.operate("sources/engine/push", &json!({})).await.status().as_u16(), 400);
    stage.host.stop().await;
}
