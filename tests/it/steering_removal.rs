//! Deleting sources keeps the core's bookings; health of links; results of push runs.

use std::collections::BTreeSet;

use gassync::store::{
    Db, Tx,
    buffer::PageCursor,
    link_health,
    link_health::LinkOutcome,
    mappings,
    source_removal::{CONNECTION_TABLES, SOURCE_TABLES},
    source_switches, sources, sync_runs,
};
use gassync_domain::{CoreId, SourceId, SourceKey};
use gassync_simulator::Notification;
use gassync_tests::{
    account_fixture::{at, open, tenant},
    database::Database,
    host::{ACCOUNT, Host},
    on_both,
    process::run,
    source_fixture::{SourceFixture, stay},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    outbound::{Stage, is_open},
    steering::{account, all_synced, call, is_booked, number, sell},
};

on_both!(
    deleting_a_source_keeps_only_its_bookings,
    deleting_a_partner_releases_its_holds,
    links_record_their_sync_health,
    a_parked_update_is_shown_with_its_link,
    disabled_content_and_prices_are_applied_when_enabled,
    a_push_run_counts_its_results,
    contact_times_are_written_with_limited_resolution,
);

async fn write(tx: &mut Tx, text: &str) {
    let (blob, now) = match tx {
        Tx::Sqlite(..) => ("x'00'", "'2027-01-01T00:00:00.000Z'"),
        Tx::Postgres(..) => ("'\\x00'::bytea", "timestamptz '2027-01-01T00:00:00Z'"),
    };
    let text = sqlx::AssertSqlSafe(text.replace("BLOB", blob).replace("NOW", now));
    match tx {
        Tx::Sqlite(inner, _) => drop(sqlx::query(text).execute(&mut **inner).await.expect("written")),
        Tx::Postgres(inner, _) => drop(sqlx::query(text).execute(&mut **inner).await.expect("written")),
    }
}

async fn texts(db: &Db, text: String) -> Vec<String> {
    let text = sqlx::AssertSqlSafe(text);
    match db {
        Db::Sqlite { readers, .. } => sqlx::query_scalar(text).fetch_all(readers).await.expect("read"),
        Db::Postgres { .. } => {
            let mut tx = db.platform_read().await.expect("a transaction");
            let Tx::Postgres(inner, _) = &mut tx else { panic!("PostgreSQL") };
            sqlx::query_scalar(text).fetch_all(&mut **inner).await.expect("read")
        }
    }
}

async fn count(db: &Db, rest: &str) -> i64 {
    texts(db, format!("select cast(count(*) as text) from {rest}")).await.remove(0).parse().expect("a number")
}

/// Tables that have this column.
async fn tables_with(db: &Db, column: &str) -> BTreeSet<String> {
    let text = match db {
        Db::Sqlite { .. } => format!(
            "select t.name from sqlite_schema t join pragma_table_info(t.name) c
            where t.type = 'table' and c.name = '{column}'"
        ),
        Db::Postgres { .. } => format!(
            "select cast(table_name as text) from information_schema.columns
            where table_schema = 'public' and column_name = '{column}'"
        ),
    };
    texts(db, text).await.into_iter().collect()
}

/// Inserts a row into every table with data of a source that has none yet.
async fn fill(db: &Db, SourceKey { account, source }: SourceKey, connection: &str) {
    let (a, s, c) = (account.0, source.0, connection);
    let mut tx = db.platform_write().await.expect("a transaction");
    let whose = format!("where account_id = {a} and source_id = {s}");
    for text in [
        format!("int_backfills (account_id, source_id, starts_on, ends_on, reached, state, outcome, created_at, updated_at)
            values ({a}, {s}, '2027-05-01', '2027-05-03', '2027-05-01', 'done', '{{}}', NOW, NOW)"),
        format!("int_set_aside (account_id, source_id, entity, identity, problem, plugin_hash, times_seen, first_seen_at,
            last_seen_at) values ({a}, {s}, 'reservation', 'x', 'p', 'h', 1, NOW, NOW)"),
        format!("int_poll_failures values ({a}, {s}, 'calendar', 1, NOW, NOW, 'm', false)"),
        format!("int_missing_reservations values ({a}, {s}, 'nobody', NOW, NOW, null, null)"),
        format!("int_decisions (account_id, source_id, entity, external_id, digest, decision, decided_by, why, created_at)
            values ({a}, {s}, 'reservation', 'x', 'd', 'stand', 'w', 'y', NOW)"),
        format!("int_consents values ({a}, 'a-state', {s}, {c}, 'slot', NOW)"),
        format!("int_plugin_faults values ({a}, 'beds24', 'h', {c}, NOW)"),
        format!("int_blocks (account_id, source_id, external_id, record, raw_data, digest, observed_at, synced_at)
            values ({a}, {s}, 'b1', '{{}}', '{{}}', 'd', NOW, NOW)"),
        format!("int_block_maintenance select account_id, id, 1 from int_blocks {whose}"),
        format!("int_plugin_state values ({a}, {s}, 'a-key', BLOB, NOW)"),
        format!("int_rate_plans (account_id, source_id, external_id, name, record, raw_data, digest, observed_at, synced_at)
            values ({a}, {s}, 'rp', 'n', '{{}}', '{{}}', 'd', NOW, NOW)"),
        format!("int_calendar_invalidations (account_id, source_id, int_room_type_id, first_night, last_night, only_own_bookings, force,
            invalidated_at)
            select account_id, source_id, min(id), '2027-05-01', '2027-05-02', false, false, NOW from int_room_types {whose}
            group by account_id, source_id"),
        format!("int_closures (account_id, source_id, int_room_type_id, night, gas_unit_id, by_word, units, waived, since,
            observed_at) select account_id, source_id, id, '2027-05-01', gas_unit_id, true, 0, false, NOW, NOW
            from int_room_types {whose} and gas_unit_id is not null"),
        format!("int_go_live_plans (account_id, source_id, read_at, changes, opens_closed, created_at)
            values ({a}, {s}, NOW, '[]', false, NOW)"),
        format!("int_availability (account_id, source_id, int_room_type_id, rate_plan_external_id, date, raw_data, observed_at,
            synced_at) select account_id, source_id, id, 'rp', '2027-05-01', '{{}}', NOW, NOW from int_room_types {whose}"),
        format!("int_webhooks (account_id, source_id, endpoint_url, events, properties, payload, envelope, exclude_origin,
            ordered, signing, max_attempts, timeout_seconds, status, status_reason, created_at, updated_at)
            values ({a}, {s}, 'u', '[]', '[]', 'thin', 'standard', true, false, 'v1', 1, 1, 'disabled', 'w', NOW, NOW)"),
        format!("int_webhook_secrets (account_id, webhook_id, ciphertext, key_id, secret_hash, created_at)
            select account_id, id, BLOB, 'k', 'h', NOW from int_webhooks {whose}"),
        format!("int_delivery_attempts (account_id, job_id, attempt, at, duration_ms)
            select account_id, max(id), 1, NOW, 1 from int_jobs {whose} group by account_id"),
        format!("int_parked_reservations (account_id, source_id, external_id, record, raw_data, digest, observed_at, missing,
            parked_at, synced_at) values ({a}, {s}, 'odd', '{{}}', '{{}}', 'd', NOW, '[]', NOW, NOW)"),
    ] {
        // PostgreSQL does not accept text as a date in the result of a query.
        let text = match tx {
            Tx::Postgres(..) => text.replace("'2027-05-0", "date '2027-05-0").replace("'{}'", "jsonb '{}'"),
            Tx::Sqlite(..) => text,
        };
        write(&mut tx, &format!("insert into {text}")).await;
    }
    tx.commit().await.expect("committed");
}

/// Tables and row counts of a source.
async fn kept(db: &Db, column: &str, id: &str) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for table in tables_with(db, column).await {
        let rows = count(db, &format!("{table} where {column} = {id}")).await;
        found.push((table, rows));
    }
    found
}

async fn deleting_a_source_keeps_only_its_bookings(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    let db = &host.app.db;
    all_synced(&stage).await;
    stage.book("d1", (0, 2), "confirmed").await;
    let sold = sell(&stage, (10, 12), Notification::Webhook);
    host.until("it is booked", async || is_booked(host, "alpha", sold).await).await;
    host.until("alpha has the other", async || stage.booked().len() == 1).await;
    all_synced(&stage).await;
    let key = json!({ "account": ACCOUNT, "name": "of alpha", "source": "alpha" });
    let (status, key) = call(host, Method::POST, "keys", &key).await;
    assert_eq!(status, 201, "{key}");
    let key = key["key"].as_str().expect("a key").to_owned();
    let guest = json!({ "id": "g1", "firstName": "Noor", "lastName": "de Wit" });
    let request = host.http.post(format!("{}/integration/v1/guests", host.base)).bearer_auth(&key);
    let answer = request.header("idempotency-key", "once").json(&guest).send().await.expect("an answer");
    assert!(answer.status().is_success());
    let (account, source) = (account(host).await, number(host, "alpha").await);
    let connection =
        texts(db, format!("select cast(connection_id as text) from int_sources where id = {source}")).await;
    let connection = connection[0].clone();
    fill(db, SourceKey { account, source }, &connection).await;
    let source_id = source.to_string();
    for (table, rows) in
        kept(db, "source_id", &source_id).await.into_iter().chain(kept(db, "connection_id", &connection).await)
    {
        assert!(rows > 0, "nothing in {table} would be deleted");
        let is_listed = SOURCE_TABLES.iter().chain(&CONNECTION_TABLES).any(|piece| piece.table == table);
        assert!(is_listed || ["int_sync_log", "int_sources"].contains(&&*table), "nobody deletes {table}");
    }
    // The plan, and the confirmation that is required.
    let (status, plan) = call(host, Method::POST, "sources/alpha/delete", &json!({ "dryRun": true })).await;
    assert_eq!((status, &plan["done"], &plan["bookingsKept"]), (200, &json!(false), &json!(2)), "{plan}");
    assert_eq!((&plan["keys"], &plan["subscriptions"], &plan["creates"]), (&json!(1), &json!(1), &json!(true)));
    assert!(plan["credentials"].as_i64() >= Some(2) && plan["links"].as_i64() >= Some(4), "{plan}");
    for confirm in [json!({}), json!({ "confirm": "beta" })] {
        let (status, answer) = call(host, Method::POST, "sources/alpha/delete", &confirm).await;
        assert_eq!((status, answer.pointer("/errors/0/path")), (422, Some(&json!("/confirm"))), "{answer}");
    }
    let (bookings, notes) = (host.figure("bookings").await, count(db, "gas_booking_nights").await);
    let (status, done) = call(host, Method::POST, "sources/alpha/delete", &json!({ "confirm": "alpha" })).await;
    assert_eq!((status, &done["done"], &done["problems"]), (200, &json!(true), &json!([])), "{done}");
    assert_eq!((&done["bookingsKept"], &done["records"]["blocks"]), (&json!(2), &json!(1)), "{done}");
    for (column, id) in [("source_id", &source_id), ("connection_id", &connection)] {
        let mut left = kept(db, column, id).await;
        left.retain(|(table, rows)| *rows > 0 && table != "int_sync_log");
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(call(host, Method::GET, "sources/alpha", &Value::Null).await.0, 404);
    assert_eq!(host.get(&key, "properties").await.0, 401, "its key is gone");
    let revoked = stage.alpha.account.requests();
    assert!(
        revoked.iter().any(|call| call.method == "DELETE" && call.path == "/authentication/token"),
        "it was revoked"
    );
    assert_eq!((host.figure("bookings").await, count(db, "gas_booking_nights").await), (bookings, notes));
    assert!(!is_open(&stage.beta, stage.rooms.1, stage.day(10)), "the night is sold still");
    assert_eq!(host.look("ledger/differences").await, json!([]));
    // The name is free, and a new connection imports the channel's bookings again.
    let new = json!({
        "account": ACCOUNT, "channel": "beds24", "name": "alpha", "credentials": { "inviteCode": stage.alpha.account.invite_code() },
        "settings": { "baseUrl": format!("http://{}/api/v2", stage.alpha.address) },
    });
    let (status, made) = call(host, Method::POST, "sources", &new).await;
    assert_eq!((status, &made["creates"]), (201, &json!(true)), "{made}");
    stage.host.stop().await;
}

async fn deleting_a_partner_releases_its_holds(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    all_synced(&stage).await;
    stage.book("d1", (0, 1), "confirmed").await;
    stage.book("d2", (5, 6), "a word that nobody knows").await;
    let is_free = |ahead: i64| is_open(&stage.beta, stage.rooms.1, stage.day(ahead));
    host.until("both nights are closed", async || !is_free(0) && !is_free(5)).await;
    let (_, plan) = call(host, Method::POST, "sources/engine/delete", &json!({ "dryRun": true })).await;
    assert_eq!((&plan["holdsGivenBack"], &plan["bookingsKept"]), (&json!(1), &json!(1)), "{plan}");
    let (status, done) = call(host, Method::POST, "sources/engine/delete", &json!({ "confirm": "engine" })).await;
    assert_eq!((status, &done["holdsGivenBack"]), (200, &json!(1)), "{done}");
    host.until("the night of the one that waited is free", async || is_free(5)).await;
    assert!(!is_free(0), "that of the booking is sold");
    assert_eq!((host.figure("bookings").await, host.get(&stage.engine, "properties").await.0), (1, 401));
    assert_eq!(host.look("ledger/differences").await, json!([]));
    let again = host.key(ACCOUNT, "engine").await;
    assert_eq!(host.get(&again, "reservations").await.1["data"], json!([]));
    stage.host.stop().await;
}

async fn links_record_their_sync_health(database: Database) {
    let db = open(&database).await;
    let (account, [source, other]) = tenant(&db, "one").await;
    let kind = mappings::EntityKind::RoomType;
    let mut tx = db.write(account).await.expect("a transaction");
    for whose in [source, other] {
        mappings::link(&mut tx, whose, kind, "t1", CoreId(7), at(0)).await.expect("linked");
    }
    let slice = PageCursor { after: 0, limit: 10 };
    let told = async |tx: &mut Tx, whose: SourceKey| {
        let link = mappings::of_source(tx, whose, Some(kind), slice).await.expect("read").remove(0);
        (
            link.last_synced_at.map(|at| gassync_domain::Timestamp::from(at).as_second() - at_zero()),
            link.last_error,
            link.retries,
        )
    };
    assert_eq!(told(&mut tx, source).await, (Some(0), None, 0), "it went over when it was made");
    let well = LinkOutcome { kind, id: "t1", error: None };
    let bad = |why: &str| LinkOutcome { kind, id: "t1", error: Some(why.to_owned()) };
    let unknown = LinkOutcome { kind, id: "nobody", error: Some("?".to_owned()) };
    for (second, fared, expected) in [
        (30, vec![well.clone()], (Some(0), None, 0)),
        (61, vec![well.clone()], (Some(61), None, 0)),
        (62, vec![bad("no"), well.clone(), unknown], (Some(61), Some("no"), 1)),
        (63, vec![bad("not yet")], (Some(61), Some("not yet"), 2)),
        (64, vec![], (Some(61), Some("not yet"), 2)),
        (65, vec![well], (Some(65), None, 0)),
    ] {
        link_health::record(&mut tx, source, &fared, at(second)).await.expect("noted");
        let (synced, error, retries) = told(&mut tx, source).await;
        assert_eq!((synced, error.as_deref(), retries), expected, "{second}");
    }
    assert_eq!(told(&mut tx, other).await, (Some(0), None, 0), "each source has its own");
}

fn at_zero() -> i64 {
    at(0).as_second()
}

async fn a_parked_update_is_shown_with_its_link(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let told = async |status: &str, nights: (u8, u8), second: i64| {
        source_fixture.report(&stay("r1", "t1", nights, status), second).await;
        let mut tx = source_fixture.db.read(source_fixture.account).await.expect("a transaction");
        let slice = PageCursor { after: 0, limit: 100 };
        let kind = Some(mappings::EntityKind::Reservation);
        let link = mappings::of_source(&mut tx, source_fixture.key(), kind, slice).await.expect("read").remove(0);
        let synced = link.last_synced_at.map(|at| gassync_domain::Timestamp::from(at).as_second() - at_zero());
        (synced, link.last_error, link.retries)
    };
    assert_eq!(told("confirmed", (10, 12), 1).await, (Some(1), None, 0), "it is new");
    assert_eq!(told("confirmed", (10, 12), 100).await, (Some(1), None, 0), "nothing was applied");
    assert_eq!(told("confirmed", (10, 13), 101).await, (Some(101), None, 0));
    let (synced, error, retries) = told("a word that nobody knows", (10, 13), 102).await;
    assert_eq!((synced, retries), (Some(101), 1));
    assert!(error.as_ref().is_some_and(|error| error.starts_with("parked: nobody has decided")), "{error:?}");
    assert_eq!(told("confirmed", (10, 14), 103).await, (Some(103), None, 0));
    source_fixture.check().await;
}

async fn disabled_content_and_prices_are_applied_when_enabled(database: Database) {
    let host = Host::with(database, &[]).await;
    let key = host.key(ACCOUNT, "desk").await;
    let db = &host.app.db;
    let house = |name: &str| json!({ "id": "h", "name": name, "currency": "EUR" });
    let room = |name: &str| json!({ "id": "t", "propertyId": "h", "name": name, "quantity": 1 });
    let plan = json!({ "id": "rp", "propertyId": "h", "name": "Flexible", "currency": "EUR" });
    for (entity, record) in [("properties", house("Old")), ("room-types", room("Old")), ("rate-plans", plan)] {
        assert_eq!(host.post(&key, entity, &record).await.0, 201, "{entity}");
    }
    let authority = json!({ "calendar": "theirs" });
    assert_eq!(call(&host, Method::POST, "sources/desk/authority", &authority).await.0, 204);
    let nights = json!({ "roomTypeId": "t", "ratePlanId": "rp", "date": "2027-07-01", "price": "90.00" });
    let names = async || {
        let text = "select name from gas_properties union all select name from gas_bookable_units";
        texts(db, text.to_owned()).await
    };
    let link = json!({ "kind": "property", "id": "h" });
    let turn = async |act: &str| call(&host, Method::POST, &format!("sources/desk/links/{act}"), &link).await.0;
    assert_eq!(turn("pause").await, 204);
    assert!(host.post(&key, "properties", &house("New")).await.0 < 300);
    assert!(host.post(&key, "room-types", &room("New")).await.0 < 300);
    let (_, answer) = host.post(&key, "availability", &nights).await;
    assert_eq!(answer["status"], "parked", "{answer}");
    assert_eq!(names().await, ["Old", "Old"], "the core goes by none of it");
    assert_eq!(count(db, "gas_nightly_rates").await, 0);
    assert_eq!(turn("resume").await, 204);
    host.until("what was kept is applied", async || names().await == ["New", "New"]).await;
    let (_, answer) = host.post(&key, "availability", &nights).await;
    assert_eq!(answer["status"], "updated", "{answer}");
    assert_eq!(count(db, "gas_nightly_rates").await, 1);
    host.until("nothing waits", async || host.look("sources/desk/parked").await == json!([])).await;
    host.stop().await;
}

async fn a_push_run_counts_its_results(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant(&db, "one").await;
    let counters = |taken: i64, refused: i64, unknown: i64, error: Option<&str>| sync_runs::PushCounters {
        sent: taken + refused + unknown,
        taken,
        confirmed: taken / 2,
        refused,
        unknown,
        error: error.map(str::to_owned),
    };
    let of = |source: SourceId, counters: sync_runs::PushCounters| sync_runs::PushRun {
        account,
        source,
        kind: sync_runs::SyncRunKind::AvailabilityExport,
        counters,
        began: at(0),
        ended: at(2),
    };
    let cases = [
        (counters(4, 0, 0, None), "success"),
        (counters(4, 1, 0, None), "partial_success"),
        (counters(4, 0, 1, Some("it broke off")), "partial_success"),
        (counters(0, 2, 0, None), "failure"),
        (counters(0, 0, 2, Some("it broke off")), "failure"),
    ];
    let mut all: Vec<_> = cases.iter().map(|(counters, _)| of(source.source, counters.clone())).collect();
    all.push(of(SourceId(source.source.0 + 1_000), counters(1, 0, 0, None)));
    let mut tx = db.platform_write().await.expect("a transaction");
    sync_runs::insert_push_runs(&mut tx, &all).await.expect("written");
    sync_runs::insert_push_runs(&mut tx, &[]).await.expect("nothing");
    let mut runs = sync_runs::newest(&mut tx, source, 10).await.expect("read");
    assert_eq!(runs.len(), cases.len(), "of a source that is gone there is none");
    for (counters, status) in cases {
        let run = runs.pop().expect("a run");
        assert_eq!((run.kind.as_str(), run.status.as_str()), ("availability_export", status), "{counters:?}");
        let counts = (run.records_processed, run.records_updated, run.records_confirmed);
        assert_eq!(counts, (counters.sent, counters.taken, counters.confirmed));
        assert_eq!(
            (run.records_failed, run.records_in_doubt, run.duration_ms),
            (counters.refused, counters.unknown, Some(2_000))
        );
    }
    let old = gassync::store::retention::forget(&mut tx, gassync::store::retention::SYNC_RUNS, at(1), 10).await;
    assert_eq!(old.expect("forgotten"), 5, "they go as others do");
}

async fn contact_times_are_written_with_limited_resolution(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant(&db, "one").await;
    let mut tx = db.write(account).await.expect("a transaction");
    for (second, well, expected) in [
        (0, false, (Some(0), None)),
        (5, true, (Some(5), Some(5))),
        (14, true, (Some(5), Some(5))),
        (14, false, (Some(5), Some(5))),
        (16, false, (Some(16), Some(5))),
        (17, true, (Some(17), Some(17))),
    ] {
        source_switches::record_channel_call(&mut tx, source, well, at(second)).await.expect("noted");
        let read = sources::get(&mut tx, source).await.expect("read").expect("there");
        let seconds = |at: Option<gassync_domain::Timestamp>| at.map(|at| at.as_second() - at_zero());
        assert_eq!((seconds(read.last_sync_at), seconds(read.last_successful_sync_at)), expected, "{second} {well}");
    }
}

#[test]
fn removal_has_a_command() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, url) = (dir.path().display().to_string(), format!("sqlite:{}/x.db", dir.path().display()));
    let environment = [("GASSYNC_DATA_DIR", &*data), ("GASSYNC_DATABASE_URL", &*url)];
    let command = |arguments: &[&str]| {
        let output = run(arguments, &environment);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), said(&output.stdout), said(&output.stderr))
    };
    assert_eq!(command(&["key", "create", "--account", "A", "--name", "k"]).0, Some(0));
    for (act, was, is) in
        [("pause", "active", "paused"), ("disable", "paused", "disabled"), ("resume", "disabled", "active")]
    {
        let (code, _, said) = command(&["source", act, "k"]);
        assert_eq!((code, said.trim()), (Some(0), format!("k was {was} and is {is}.").as_str()));
    }
    let (code, shown, _) = command(&["source", "switch", "k"]);
    assert_eq!((code, shown.trim()), (Some(0), "k: on, bidirectional, polled at the plugin's interval"));
    let (code, _, said) = command(&["source", "switch", "k", "--direction", "inbound-only"]);
    assert!(code == Some(1) && said.contains("without a channel"), "{said}");
    assert_eq!(command(&["source", "switch", "k", "--direction", "both"]).0, Some(2));
    assert_eq!(command(&["source", "set-poll", "k", "--minutes", "0"]).0, Some(2));
    assert_eq!(command(&["source", "runs", "k", "--json"]).1.trim(), "[]");
    let (code, plan, _) = command(&["source", "delete", "k", "--plan"]);
    assert!(code == Some(0) && plan.contains("1 keys"), "{plan}");
    let (code, _, said) = command(&["source", "delete", "k"]);
    assert!(code == Some(1) && said.contains("--yes"), "{said}");
    let (code, done, _) = command(&["source", "delete", "k", "--yes", "--json"]);
    let done: Value = serde_json::from_str(&done).expect("one JSON document");
    assert_eq!((code, &done["done"], &done["keys"]), (Some(0), &json!(true), &json!(1)));
    assert_eq!(command(&["source", "show", "k"]).0, Some(1));
}
