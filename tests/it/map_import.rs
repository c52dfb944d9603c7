//! Imports of links from another system: all links of a list or none, no booking twice, and nothing pushed that the
//! channel already has.

use gassync_simulator::{
    Notification,
    beds24::{BookingChange, NewBooking, Settings},
};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Channel, Host, channel, read, records, reservation},
    on_both,
    process::run,
};
use jiff::civil::date;
use serde_json::{Value, json};

on_both!(
    a_property_is_imported,
    an_invalid_line_rejects_the_import,
    a_reservation_booked_meanwhile_is_a_conflict,
    the_first_link_wins,
    an_import_of_the_maximum_size,
    parked_records_are_applied_after_an_import,
    a_file_is_planned_and_imported,
    an_import_pushes_nothing_the_channel_has
);

/// A property in the core with two bookings, and a second source that has the same records under other ids.
struct Stage {
    host: Host,
    first: String,
    second: String,
    /// Core ids of the property, its room and its bookings.
    house: i64,
    room: i64,
    bookings: [i64; 2],
}

/// The reservation of the first source as the second one sends it.
fn known_as(id: &str, submitted: &Value) -> Value {
    let mut known = submitted.clone();
    known["id"] = json!(id);
    known["roomTypeId"] = json!("rt");
    known
}

fn house() -> Value {
    json!({ "id": "h", "name": "CASA AZUL" })
}

fn room() -> Value {
    json!({ "id": "rt", "propertyId": "h", "name": "The Patio", "maxOccupancy": 3 })
}

fn later(id: &str) -> Value {
    let mut later = reservation(id);
    (later["checkIn"], later["checkOut"]) = (json!("2027-07-01"), json!("2027-07-04"));
    later
}

impl Stage {
    async fn open(database: Database) -> Self {
        let host = Host::start(database, &[], None).await;
        let first = host.key(ACCOUNT, "first").await;
        for (entity, record) in records() {
            assert_eq!(host.post(&first, entity, &record).await.0, 201);
        }
        assert_eq!(host.post(&first, "reservations", &later("r2")).await.0, 201);
        let second = host.key(ACCOUNT, "second").await;
        let gas_id = async |path: &str| host.get(&first, path).await.1["gasId"].as_i64().expect("a number");
        let (house, room) = (gas_id("properties/p1").await, gas_id("room-types/t1").await);
        let bookings = [gas_id("reservations/r1").await, gas_id("reservations/r2").await];
        Self { host, first, second, house, room, bookings }
    }

    async fn submit(&self, entity: &str, record: &Value) -> String {
        let (status, body) = self.host.post(&self.second, entity, record).await;
        body["status"].as_str().map_or_else(|| format!("{status} {body}"), str::to_owned)
    }

    async fn submit_property(&self) -> [String; 2] {
        [self.submit("properties", &house()).await, self.submit("room-types", &room()).await]
    }

    fn links(&self) -> Value {
        json!([
            { "entity": "property", "externalId": "h", "ours": self.house },
            { "entity": "room-type", "externalId": "rt", "ours": self.room },
            { "entity": "booking", "externalId": "s1", "ours": self.bookings[0] },
            { "entity": "reservation", "external_id": "s2", "ours": self.bookings[1].to_string() },
        ])
    }

    async fn import(&self, links: &Value, how: &Value) -> (u16, Value) {
        let mut asked = json!({ "source": "second", "links": links });
        for (name, value) in how.as_object().into_iter().flatten() {
            asked[name] = value.clone();
        }
        read(self.host.operate("map/import", &asked).await).await
    }

    /// The errors as shown to the operator.
    async fn refused(&self, links: &Value, how: &Value) -> Vec<String> {
        let (status, body) = self.import(links, how).await;
        assert_eq!((status, &body["type"]), (422, &json!("/problems/invalid")), "{body}");
        let errors = body["errors"].as_array().expect("errors").iter();
        let words = |error: &Value| {
            format!("{}: {}", error["path"].as_str().expect("a path"), error["problem"].as_str().expect("a problem"))
        };
        errors.map(words).collect()
    }

    async fn linked(&self) -> usize {
        self.host.look("sources/second/links").await.as_array().expect("links").len()
    }

    /// Checks that no night is held twice, and the number of bookings.
    async fn check(&self, bookings: i64) {
        assert_eq!(self.host.figure("bookings").await, bookings);
        assert_eq!(self.host.look("ledger/differences").await, json!([]));
    }
}

/// By entity: new, unchanged, changed, invalid.
fn counts(imported: &Value) -> Vec<(String, [u64; 4])> {
    let entities = imported["entities"].as_array().expect("entities").iter();
    let count = |entity: &Value, word: &str| entity[word]["count"].as_u64().expect("a count");
    let counts = |entity: &Value| ["new", "unchanged", "changed", "wrong"].map(|word| count(entity, word));
    entities.map(|entity| (entity["entity"].as_str().expect("a word").to_owned(), counts(entity))).collect()
}

fn each(counts: [[u64; 4]; 3]) -> Vec<(String, [u64; 4])> {
    ["property", "room-type", "booking"].map(str::to_owned).into_iter().zip(counts).collect()
}

async fn a_property_is_imported(database: Database) {
    let stage = Stage::open(database).await;
    let (status, plan) = stage.import(&stage.links(), &json!({ "plan": true })).await;
    assert_eq!((status, &plan["applied"], stage.linked().await), (200, &json!(false), 0), "{plan}");
    assert_eq!(counts(&plan), each([[1, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]]));
    let first = json!({ "line": 3, "externalId": "s1", "ours": stage.bookings[0].to_string(), "was": null });
    assert_eq!(plan["entities"][2]["new"]["first"], first);
    let (status, done) = stage.import(&stage.links(), &json!({})).await;
    assert_eq!((status, &done["applied"], counts(&done)), (200, &json!(true), counts(&plan)), "{done}");
    assert_eq!(stage.linked().await, 4);
    // A repetition changes nothing.
    let (_, again) = stage.import(&stage.links(), &json!({})).await;
    assert_eq!(counts(&again), each([[0, 1, 0, 0], [0, 1, 0, 0], [0, 2, 0, 0]]));
    let log = stage.host.get(&stage.second, "sync-log?entityType=reservation").await.1;
    let lines: Vec<_> = log["data"].as_array().expect("lines").iter().map(|line| &line["action"]).collect();
    assert_eq!(lines, ["map", "map"], "{log}");
    stage.check(2).await;
    // A reservation may arrive before its property and room: it updates its booking.
    let mut submitted = known_as("s1", &reservation("r1"));
    submitted["checkOut"] = json!("2027-06-05");
    assert_eq!(stage.submit("reservations", &submitted).await, "updated");
    assert_eq!(stage.submit("room-types", &room()).await, "updated");
    let plan = json!({ "id": "rp", "propertyId": "h", "name": "Flexible" });
    assert_eq!(stage.submit("rate-plans", &plan).await, "parked");
    let of_house = async |entity: &str| {
        let list = stage.host.get(&stage.second, &format!("{entity}?propertyId=h")).await.1;
        list["data"].as_array().expect("a list").len()
    };
    assert_eq!((of_house("room-types").await, of_house("rate-plans").await), (0, 0), "nobody knows the house yet");
    assert_eq!(stage.submit("properties", &house()).await, "updated");
    assert_eq!((of_house("room-types").await, of_house("rate-plans").await), (1, 1));
    assert_eq!(stage.submit("reservations", &known_as("s2", &later("r2"))).await, "updated");
    for (path, gas_id) in [
        ("properties/h", stage.house),
        ("room-types/rt", stage.room),
        ("reservations/s1", stage.bookings[0]),
        ("reservations/s2", stage.bookings[1]),
    ] {
        let shown = stage.host.get(&stage.second, path).await.1;
        assert_eq!((&shown["gasId"], &shown["parked"]), (&json!(gas_id), &Value::Null), "{path}: {shown}");
    }
    let nights = stage.host.get(&stage.first, "reservations/r1").await.1;
    assert_eq!(nights["gasId"], json!(stage.bookings[0]));
    stage.check(2).await;
    // A reservation that was not imported is a new booking; a cancellation ends the imported one.
    let mut new = known_as("s3", &later("r3"));
    (new["checkIn"], new["checkOut"]) = (json!("2027-08-01"), json!("2027-08-03"));
    assert_eq!(stage.submit("reservations", &new).await, "created");
    submitted["status"] = json!("cancelled");
    assert_eq!(stage.submit("reservations", &submitted).await, "updated");
    stage.check(3).await;
    stage.host.stop().await;
}

async fn an_invalid_line_rejects_the_import(database: Database) {
    let stage = Stage::open(database).await;
    let [one, two] = stage.bookings;
    let wrong = json!([
        { "entity": "property", "externalId": "h", "ours": stage.house },
        { "entity": "castle", "externalId": "", "ours": "twelve" },
        { "entity": "room-type", "externalId": "x".repeat(256), "ours": stage.room },
        { "entity": "booking", "externalId": "s1", "ours": 4_000 },
        { "entity": "room-type", "externalId": "rt", "ours": two },
        { "entity": "property", "externalId": "h", "ours": stage.house + 1 },
        { "entity": "booking", "externalId": "s2", "ours": one },
        { "entity": "booking", "externalId": "s3", "ours": one, "line": 70 },
        { "entity": "property", "externalId": "h2", "ours": stage.house, "source": "nobody" },
        { "entity": "room-type", "externalId": "rt2", "ours": stage.room, "origin": "core" },
    ]);
    let said = stage.refused(&wrong, &json!({})).await;
    let booking = format!("line 5: ours: the account has no room type {two}; there is a booking of that number");
    let contradicts = format!("line 6: ours: line 1 links it with {}", stage.house);
    let expected = [
        "line 2: entity: \"castle\" is none of property, room-type, rate-plan, booking",
        "line 2: externalId: is empty",
        "line 2: ours: \"twelve\" is not the number of anything in the core",
        "line 3: externalId: has 256 characters; the limit is 255",
        "line 4: ours: the account has no booking 4000",
        &booking,
        &contradicts,
        "line 9: source: there is no source \"nobody\"",
        "line 10: origin: core is for bookings alone",
        "line 70: ours: line 7 links s2 with that booking: each reservation of a source needs its own booking",
    ];
    assert_eq!(said, expected);
    assert_eq!(stage.linked().await, 0, "with one wrong line nothing is written");
    // The plan lists the same errors in addition to its counts.
    let (status, plan) = stage.import(&wrong, &json!({ "plan": true })).await;
    assert_eq!((status, plan["problems"].as_array().map(Vec::len)), (200, Some(10)), "{plan}");
    let unknown = ("unknown".to_owned(), [0, 0, 0, 1]);
    let mut expected = each([[1, 0, 0, 2], [0, 0, 0, 3], [1, 0, 0, 2]]);
    expected.push(unknown);
    assert_eq!(counts(&plan), expected);
    let many = Value::Array(vec![json!({ "entity": "property" }); 50_001]);
    let (status, body) = stage.import(&many, &json!({ "plan": true })).await;
    assert_eq!((status, &body["detail"]), (413, &json!("links: there are 50001; the limit is 50000")));
    // Entities of another account do not exist for an import, and one import concerns one account.
    let other = stage.host.key("Elsewhere", "theirs").await;
    let (_, made) = stage.host.post(&other, "properties", &json!({ "id": "e", "name": "Elsewhere" })).await;
    let elsewhere = stage.host.get(&other, "properties/e").await.1["gasId"].as_i64().expect("a number");
    let theirs = json!([{ "entity": "property", "externalId": "h", "ours": elsewhere }]);
    let said = stage.refused(&theirs, &json!({})).await;
    assert!(said[0].starts_with(&format!("line 1: ours: the account has no property {elsewhere}")), "{said:?} {made}");
    let both = json!([
        { "entity": "property", "externalId": "h", "ours": stage.house },
        { "entity": "property", "externalId": "e", "ours": elsewhere, "source": "theirs" },
    ]);
    assert!(stage.refused(&both, &json!({})).await[0].starts_with("line 2: source: belongs to another account"));
    // A room in another property than the one its property is linked with.
    let house = json!({ "id": "p9", "name": "Other" });
    assert_eq!(stage.host.post(&stage.first, "properties", &house).await.0, 201);
    let ninth = stage.host.get(&stage.first, "properties/p9").await.1["gasId"].as_i64().expect("a number");
    stage.submit_property().await;
    let moved = json!([
        { "entity": "property", "externalId": "h", "ours": ninth },
        { "entity": "room-type", "externalId": "rt", "ours": stage.room },
    ]);
    let said = stage.refused(&moved, &json!({})).await;
    let house = stage.house;
    assert_eq!(
        said,
        [format!("line 2: ours: that entity is in property {house}; the record is in h, which is linked with {ninth}")]
    );
    assert_eq!(stage.linked().await, 0);
    stage.host.stop().await;
}

async fn a_reservation_booked_meanwhile_is_a_conflict(database: Database) {
    let stage = Stage::open(database).await;
    let all = stage.links();
    let (house, bookings) = (json!([all[0], all[1]]), json!([all[2], all[3]]));
    assert_eq!(stage.import(&house, &json!({})).await.0, 200);
    let (_, plan) = stage.import(&bookings, &json!({ "plan": true })).await;
    assert_eq!(counts(&plan), [("booking".to_owned(), [2, 0, 0, 0])]);
    // Between plan and import the channel sends one of them, and it is booked.
    let mut submitted = known_as("s1", &reservation("r1"));
    assert_eq!(stage.submit("reservations", &submitted).await, "created");
    stage.check(3).await;
    let double = stage.host.get(&stage.second, "reservations/s1").await.1["gasId"].as_i64().expect("a number");
    let said = stage.refused(&bookings, &json!({})).await;
    let conflict = "line 1: externalId: conflict: it";
    assert_eq!(said, [format!("{conflict} is linked with {double}; --replace replaces that link")]);
    let said = stage.refused(&bookings, &json!({ "replace": true })).await;
    let cancel = "holds nights: cancel that booking in the core first";
    assert_eq!(said, [format!("{conflict} is booked as {double}, which {cancel}")]);
    let taken = json!([{ "entity": "booking", "externalId": "s9", "ours": double }]);
    let said = stage.refused(&taken, &json!({ "replace": true })).await;
    assert!(
        said[0].starts_with("line 1: ours: conflict: reservation s1 is already linked with that booking"),
        "{said:?}"
    );
    // A cancelled duplicate gives way, and later changes apply to the earlier booking.
    submitted["status"] = json!("cancelled");
    assert_eq!(stage.submit("reservations", &submitted).await, "updated");
    let (status, done) = stage.import(&bookings, &json!({ "replace": true })).await;
    assert_eq!((status, counts(&done)), (200, vec![("booking".to_owned(), [1, 0, 1, 0])]), "{done}");
    assert_eq!(done["entities"][0]["changed"]["first"]["was"], json!(double));
    submitted["status"] = json!("confirmed");
    assert_eq!(stage.submit("reservations", &submitted).await, "updated");
    assert_eq!(stage.host.get(&stage.second, "reservations/s1").await.1["gasId"], json!(stage.bookings[0]));
    stage.check(3).await;
    stage.host.stop().await;
}

async fn the_first_link_wins(database: Database) {
    use gassync::store::mappings::{self, EntityKind};
    let stage = Stage::open(database).await;
    let (host, [_, two]) = (&stage.host, stage.bookings);
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let source = gassync::store::sources::named(&mut tx, "second").await.expect("read").remove(0);
    drop(tx);
    let mut tx = host.app.db.write(source.account).await.expect("a transaction");
    let now = host.app.now();
    let core = gassync_domain::CoreId(two);
    mappings::link(&mut tx, source.key(), EntityKind::Reservation, "s1", core, now).await.expect("linked");
    let links = stage.links();
    let first_three = json!([links[0], links[1], links[2]]);
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        tx.commit().await.expect("committed");
    };
    let how = json!({});
    let ((status, body), ()) = tokio::join!(stage.import(&first_three, &how), commit);
    // With a single writer the import sees the other link; otherwise it conflicts and is rolled back.
    assert!([409, 422].contains(&status), "{body}");
    assert_eq!(stage.linked().await, 1, "{body}");
    stage.host.stop().await;
}

async fn an_import_of_the_maximum_size(database: Database) {
    let stage = Stage::open(database).await;
    // Several properties of a channel may be linked with one core property.
    let line = |number: u32| json!({ "entity": "property", "externalId": format!("h{number}"), "ours": stage.house });
    let many = Value::Array((0..50_000).map(line).collect());
    let (_, done) = stage.import(&many, &json!({})).await;
    assert_eq!(counts(&done), [("property".to_owned(), [50_000, 0, 0, 0])]);
    let (_, again) = stage.import(&many, &json!({})).await;
    assert_eq!(counts(&again), [("property".to_owned(), [0, 50_000, 0, 0])]);
    stage.host.stop().await;
}

async fn parked_records_are_applied_after_an_import(database: Database) {
    let stage = Stage::open(database).await;
    // Everything is sent before it is linked: it is parked, and the reservation holds no nights, because its room is
    // unknown.
    assert_eq!(stage.submit_property().await, ["parked", "parked"]);
    let mut submitted = known_as("s1", &reservation("r1"));
    submitted["adults"] = json!(1);
    assert_eq!(stage.submit("reservations", &submitted).await, "parked");
    let plan = json!({ "id": "rp1", "propertyId": "p1", "name": "Flexible" });
    assert_eq!(stage.host.post(&stage.first, "rate-plans", &plan).await.0, 201);
    let ours = stage.host.get(&stage.first, "rate-plans/rp1").await.1["gasId"].clone();
    assert!(ours.is_number());
    let theirs = json!({ "id": "rp", "propertyId": "h", "name": "Flex" });
    assert_eq!(stage.submit("rate-plans", &theirs).await, "parked");
    let mut links = stage.links();
    let plan = json!({ "entity": "rate-plan", "externalId": "rp", "ours": ours });
    links.as_array_mut().expect("a list").push(plan);
    let (status, done) = stage.import(&links, &json!({})).await;
    assert_eq!(status, 200, "{done}");
    stage
        .host
        .until("what waited has its link", async || {
            stage.host.get(&stage.second, "reservations/s1").await.1["gasId"] == json!(stage.bookings[0])
        })
        .await;
    assert_eq!(stage.host.look("sources/second/parked").await, json!([]));
    assert_eq!(stage.host.get(&stage.second, "rate-plans/rp").await.1["gasId"], ours);
    assert_eq!(stage.host.get(&stage.second, "room-types/rt").await.1["gasId"], json!(stage.room));
    stage.check(2).await;
    // Moving a link applies the buffered data to the new entity.
    let room = json!({ "id": "t9", "propertyId": "p1", "name": "Loft" });
    assert_eq!(stage.host.post(&stage.first, "room-types", &room).await.0, 201);
    let loft = stage.host.get(&stage.first, "room-types/t9").await.1["gasId"].as_i64().expect("a number");
    let moved = json!([{ "entity": "room_type", "externalId": "rt", "ours": loft }]);
    let said = stage.refused(&moved, &json!({})).await;
    assert_eq!(
        said,
        [format!("line 1: externalId: conflict: it is linked with {}; --replace replaces that link", stage.room)]
    );
    assert_eq!(stage.import(&moved, &json!({ "replace": true })).await.0, 200);
    stage
        .host
        .until("the room is the other", async || {
            stage.host.get(&stage.second, "room-types/rt").await.1["gasId"] == json!(loft)
        })
        .await;
    stage.check(2).await;
    stage.host.stop().await;
}

async fn a_file_is_planned_and_imported(database: Database) {
    let (url, dir) = (database.url.clone(), tempfile::tempdir().expect("a folder"));
    let stage = Stage::open(database).await;
    let data = dir.path().display().to_string();
    let environment = [("GASSYNC_DATA_DIR", &*data), ("GASSYNC_PLUGINS_DIR", &*data), ("GASSYNC_DATABASE_URL", &*url)];
    let file = dir.path().join("links.csv");
    let import = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).expect("written");
        let path = file.display().to_string();
        let output = tokio::task::block_in_place(|| run(&[&["map", "import", &path], more].concat(), &environment));
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.code(), text)
    };
    let Stage { house, room, bookings: [one, _], .. } = stage;
    let csv = format!(
        "entity,external_id,ours,source\nproperty,h,{house},second\nroom-type,rt,{room},second\nbooking,s1,{one},\n"
    );
    let (code, said) = import(&csv, &["--plan"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("line 4: source: is missing"), "{said}");
    let (code, said) = import(&csv, &["--source", "second", "--plan"]);
    assert_eq!((code, stage.linked().await), (Some(0), 0), "{said}");
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(words.join(" ").contains("property 1 new, 0 unchanged, 0 changed, 0 wrong"), "{said}");
    assert!(said.contains(&format!("line 4: s1 -> {one}")) && said.contains("nothing is written yet"), "{said}");
    let (code, said) = import(&format!("{csv}booking,s2,nine,\n"), &["--source", "second"]);
    assert_eq!((code, stage.linked().await), (Some(1), 0), "{said}");
    assert!(said.contains("line 5: ours: \"nine\" is not the number of anything in the core"), "{said}");
    let (code, said) = import(&csv, &["--source", "second"]);
    assert_eq!((code, stage.linked().await), (Some(0), 3), "{said}");
    let list = json!([{ "entity": "booking", "external_id": "s1", "ours": one }]).to_string();
    let (code, said) = import(&list, &["--source", "second", "--json"]);
    let document: Value = serde_json::from_str(said.trim()).expect("one JSON document");
    assert_eq!((code, counts(&document)), (Some(0), vec![("booking".to_owned(), [0, 1, 0, 0])]));
    let checked = tokio::task::block_in_place(|| run(&["ledger", "check"], &environment));
    assert_eq!(checked.status.code(), Some(0));
    stage.host.stop().await;
}

/// Nights of a booking in the core and at the channel.
async fn an_import_pushes_nothing_the_channel_has(database: Database) {
    let settings = Settings { bookings: 0, properties: 1, credits_per_five_minutes: 100_000.0, ..Settings::default() };
    let channel: Channel = channel(settings).await;
    let polls = [("GASSYNC_WORKERS_POLL_SECONDS", "0")];
    let host = Host::begin(database, &["beds24"], Some(channel.address), &polls).await;
    let key = host.key(ACCOUNT, "before").await;
    let house = channel.account.properties().remove(0);
    let room = house.room_types.iter().max_by_key(|room| room.qty).expect("a room type");
    let record = json!({ "id": "t1", "propertyId": "p1", "name": room.name, "quantity": room.qty + 5 });
    assert_eq!(host.post(&key, "properties", &records()[0].1).await.0, 201);
    assert_eq!(host.post(&key, "room-types", &record).await.0, 201);
    // Both systems have two bookings: one sold by the channel, one pushed to it by the previous system.
    let days = |month: i8| (date(2027, month, 3), date(2027, month, 6));
    let made = |month| {
        let (arrival, departure) = days(month);
        let new = NewBooking {
            room_id: room.id,
            arrival,
            departure,
            room_qty: 1,
            num_adult: 2,
            price_cents: 33_050,
            first_name: "Noor".to_owned(),
            last_name: "de Wit".to_owned(),
        };
        channel.account.make(new, Notification::None).expect("a booking")
    };
    let (sold, submitted) = (made(8), made(9));
    let ours = async |id: &str, month: i8, departure: jiff::civil::Date| {
        let mut record = reservation(id);
        (record["checkIn"], record["checkOut"]) = (json!(days(month).0), json!(departure));
        let (status, body) = host.post(&key, "reservations", &record).await;
        assert!(status < 300, "{body}");
        host.get(&key, &format!("reservations/{id}")).await.1["gasId"].as_i64().expect("a number")
    };
    let (sold_here, pushed_here) = (ours("a", 8, days(8).1).await, ours("b", 9, days(9).1).await);
    let gas_id = async |path: &str| host.get(&key, path).await.1["gasId"].as_i64().expect("a number");
    host.connect(&channel).await;
    let links = json!([
        { "entity": "property", "externalId": house.id, "ours": gas_id("properties/p1").await },
        { "entity": "room-type", "externalId": room.id, "ours": gas_id("room-types/t1").await },
        { "entity": "booking", "externalId": sold, "ours": sold_here },
        { "entity": "booking", "externalId": submitted, "ours": pushed_here, "origin": "core" },
    ]);
    let (status, done) = read(host.operate("map/import", &json!({ "source": "beds24", "links": links })).await).await;
    assert_eq!(status, 200, "{done}");
    let synced = host.operate("sources/beds24/sync", &json!({})).await.status().as_u16();
    assert!(synced < 300, "{synced}");
    host.until("all was told", async || {
        let lines = host.look("sync-log?after=0").await;
        let updated = |line: &Value| line["entityId"] == json!(sold.to_string()) && line["action"] == "update";
        lines.as_array().is_some_and(|lines| lines.iter().any(updated))
    })
    .await;
    assert_eq!(host.figure("bookings").await, 2);
    host.go_live("beds24").await;
    // The channel changes its own booking; a change of ours is pushed as a change of the existing reservation.
    let longer = BookingChange { dates: Some((days(8).0, date(2027, 8, 8))), ..BookingChange::default() };
    assert!(channel.account.change(sold, &longer, Notification::Webhook));
    ours("b", 9, date(2027, 9, 9)).await;
    let departs = |id: u64| channel.account.book().iter().find(|entry| entry.id == id).expect("there").departure;
    host.until("the channel has our change", async || departs(submitted) == date(2027, 9, 9)).await;
    let nights = async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let source = gassync::store::sources::named(&mut tx, "beds24").await.expect("read").remove(0);
        gassync::store::core::bookings::bookings_of_source(&mut tx, source.key()).await.expect("bookings")
    };
    host.until("the core has the channel's", async || {
        nights().await.iter().any(|(id, facts)| *id == sold.to_string() && facts.check_out.0 == date(2027, 8, 8))
    })
    .await;
    // A core change of a booking that the channel sold is not pushed, and nothing was ever created there.
    ours("a", 8, date(2027, 8, 10)).await;
    host.until("what was to be told is told", async || {
        let jobs = host.look("jobs?kind=push-booking&state=waiting").await;
        jobs.as_array().is_some_and(Vec::is_empty)
    })
    .await;
    assert_eq!(departs(sold), date(2027, 8, 8));
    assert!(channel.account.creates_by_reference().is_empty(), "{:?}", channel.account.creates_by_reference());
    assert_eq!((channel.account.book().len(), host.figure("bookings").await), (2, 2));
    assert_eq!(host.look("ledger/differences").await, json!([]));
    host.stop().await;
}
