//! Manual links of a second source: suggestions, a plan, and the records that a link frees; and the stored raw
//! messages.

use gassync::{
    admin::{LinkPlan, MessageDetail, MessageResponse, ParkedRecordResponse},
    store::{
        inbox::MessageKind,
        parked::ParkedKind,
        sync_runs::{SyncRunKind, SyncRunStatus},
    },
};
use gassync_domain::AccountId;
use gassync_simulator::beds24::Settings;
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, channel, read, records, reservation},
    on_both,
};
use serde_json::{Value, json};

on_both!(a_second_source_is_linked_manually, messages_are_stored_encrypted_and_replayed, expired_rows_are_deleted);

async fn get<T: serde::de::DeserializeOwned>(host: &Host, path: &str) -> T {
    let request = host.http.get(format!("{}/admin/v1/{path}", host.base));
    host.operator(request).send().await.expect("an answer").json().await.expect("json")
}

async fn a_second_source_is_linked_manually(database: Database) {
    let host = Host::start(database, &[], None).await;
    let first = host.key(ACCOUNT, "first").await;
    for (entity, record) in &records()[..2] {
        assert_eq!(host.post(&first, entity, record).await.0, 201);
    }
    let second = host.key(ACCOUNT, "second").await;
    let house = json!({ "id": "h", "name": "CASA AZUL", "address": { "city": "Faro", "street": "Rua Nova 1" } });
    let room = json!({ "id": "rt", "propertyId": "h", "name": "The Patio", "maxOccupancy": 3 });
    let mut stay = reservation("s1");
    stay["roomTypeId"] = json!("rt");
    for (entity, record) in [("properties", &house), ("room-types", &room), ("reservations", &stay)] {
        assert_eq!(host.post(&second, entity, record).await.0, 202, "{entity}");
    }
    let waiting: Vec<ParkedRecordResponse> = get(&host, "sources/second/parked").await;
    let kinds: Vec<&str> = waiting.iter().map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["property", "room_type", "reservation"]);
    let likely = &waiting[0].suggestions[0];
    assert_eq!(
        (likely.name.as_str(), likely.because.as_slice()),
        ("Casa Azul", &["same name".to_owned(), "same city".to_owned()][..])
    );
    let link = async |kind: &str, id: &str, gas_id: Option<i64>, dry_run: bool, plan: Option<String>| {
        let new = json!({ "kind": kind, "id": id, "gasId": gas_id, "dryRun": dry_run, "plan": plan });
        read(host.operate("sources/second/links", &new).await).await
    };
    let plan_of = |(status, body): (u16, Value)| -> LinkPlan {
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).expect("a plan")
    };
    assert_eq!(link("property", "h", Some(4_000), true, None).await.0, 400, "there is no such house");
    assert_eq!(link("property", "none", Some(likely.gas_id), true, None).await.0, 404);
    assert_eq!(link("reservation", "s1", Some(1), true, None).await.0, 400);
    let plan = plan_of(link("property", "h", Some(likely.gas_id), true, None).await);
    assert_eq!((plan.status.as_str(), plan.frees), ("updated", 1));
    assert!(plan.changes.is_empty(), "content is not the second source's say: {:?}", plan.changes);
    assert_eq!(get::<Vec<Value>>(&host, "sources/second/links").await, Vec::<Value>::new(), "nothing was done");
    // With authority over content, the plan shows what would be written.
    assert_eq!(host.operate("sources/second/authority", &json!({ "content": "theirs" })).await.status().as_u16(), 204);
    let outdated = link("property", "h", Some(likely.gas_id), false, Some(plan.plan)).await;
    assert_eq!((outdated.0, &outdated.1["type"]), (409, &json!("/problems/plan-outdated")));
    let plan = plan_of(link("property", "h", Some(likely.gas_id), true, None).await);
    let paths: Vec<&str> = plan.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["/name", "/street"]);
    plan_of(link("property", "h", Some(likely.gas_id), false, Some(plan.plan)).await);
    assert_eq!(link("property", "h", Some(likely.gas_id), false, None).await.0, 409, "it is linked already");
    // The room is suggested within that property; an operator creates a new one instead, then undoes that.
    let parked = async || get::<Vec<ParkedRecordResponse>>(&host, "sources/second/parked").await;
    host.until("the room waits for a link alone", async || {
        let waiting = parked().await;
        waiting[0].kind == ParkedKind::RoomType && waiting[0].missing[0].contains("link it by hand")
    })
    .await;
    let unit = parked().await[0].suggestions[0].gas_id;
    let made = plan_of(link("room-type", "rt", None, true, None).await);
    assert_eq!((made.status.as_str(), made.frees), ("created", 1));
    plan_of(link("room-type", "rt", Some(unit), false, None).await);
    host.until("its reservation goes on by itself", async || host.figure("bookings").await == 1).await;
    assert!(parked().await.is_empty());
    let booked = host.get(&second, "reservations/s1").await.1;
    assert!(booked["gasId"].is_number() && booked["parked"].is_null(), "{booked}");
    // Paused, its changes stay out of the core; unlinked, it is parked again.
    let change = async |act: &str, kind: &str, id: &str| {
        host.operate(&format!("sources/second/links/{act}"), &json!({ "kind": kind, "id": id })).await.status().as_u16()
    };
    assert_eq!(change("pause", "reservation", "s1").await, 204);
    stay["adults"] = json!(1);
    assert_eq!(host.post(&second, "reservations", &stay).await.1["status"], "unchanged");
    assert_eq!(change("resume", "reservation", "s1").await, 204);
    stay["adults"] = json!(3);
    assert_eq!(host.post(&second, "reservations", &stay).await.1["status"], "updated");
    assert_eq!((change("unlink", "reservation", "s1").await, change("unlink", "room-type", "rt").await), (400, 204));
    assert_eq!(parked().await.len(), 1);
    let mut later = reservation("s2");
    later["roomTypeId"] = json!("rt");
    assert_eq!(host.post(&second, "reservations", &later).await.0, 202);
    // Reservations of a source without authority over bookings are only stored.
    host.operate("sources/first/authority", &json!({ "bookings": "none" })).await;
    let (status, parked) = host.post(&first, "reservations", &reservation("quiet")).await;
    assert_eq!(status, 202, "{parked}");
    host.stop().await;
}

async fn messages_are_stored_encrypted_and_replayed(database: Database) {
    let channel = channel(Settings { bookings: 2, ..Settings::default() }).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    host.connect(&channel).await;
    host.until("the first bookings are there", async || host.figure("bookings").await >= 2).await;
    channel.account.act();
    let calls = async || -> Vec<MessageResponse> {
        let all: Vec<MessageResponse> = get(&host, "inbox?state=applied&limit=1000").await;
        all.into_iter().filter(|message| message.kind == MessageKind::Call).collect()
    };
    host.until("a call came in", async || !calls().await.is_empty()).await;
    let id = calls().await[0].id;
    let whole: MessageDetail = get(&host, &format!("inbox/{id}")).await;
    assert!(whole.body.contains("\"booking\""), "{}", whole.body);
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let (_, message) = gassync::store::inbox::find(&mut tx, id).await.expect("read").expect("there");
    drop(tx);
    let kept = message.request.body.expect("a body");
    assert!(!String::from_utf8_lossy(&kept).contains("booking"), "what rests in the database is sealed");
    // Encrypted with the account's key: another account's key does not decrypt it.
    let place = format!("inbox/{}", message.connection);
    assert!(host.app.vault.decrypt_for(message.account, &place, &kept).is_ok());
    assert!(host.app.vault.decrypt_for(AccountId(message.account.0 + 1), &place, &kept).is_err());
    assert_eq!(host.operate(&format!("inbox/{id}/replay"), &Value::Null).await.status().as_u16(), 202);
    host.until("it is applied again", async || calls().await.iter().any(|message| message.id == id)).await;
    let all: Vec<MessageResponse> = get(&host, "inbox?limit=1000").await;
    let answer = all.iter().find(|message| message.kind == MessageKind::Answer).expect("an answer").id;
    assert_eq!(host.operate(&format!("inbox/{answer}/replay"), &Value::Null).await.status().as_u16(), 409);
    assert_eq!(host.operate("inbox/999999/replay", &Value::Null).await.status().as_u16(), 404);
    // The runs are recorded.
    host.until("they are", async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let source = gassync::store::sources::named(&mut tx, "beds24").await.expect("read").remove(0);
        let runs = gassync::store::sync_runs::newest(&mut tx, source.key(), 100).await.expect("runs");
        let ended = |kind| runs.iter().any(|run| run.kind == kind && run.status == SyncRunStatus::Success);
        [SyncRunKind::ContentSync, SyncRunKind::BookingImport, SyncRunKind::Webhook].into_iter().all(ended)
    })
    .await;
    host.stop().await;
}

async fn expired_rows_are_deleted(database: Database) {
    use gassync::store::retention;
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    host.until("the feed has its places", async || {
        !host.get(&key, "changes").await.1["data"].as_array().expect("entries").is_empty()
    })
    .await;
    let forget = async |class, before: &str| {
        let mut tx = host.app.db.platform_write().await.expect("a transaction");
        let gone = retention::forget(&mut tx, class, before.parse().expect("an instant"), 1_000).await.expect("gone");
        tx.commit().await.expect("committed");
        gone
    };
    for class in [
        retention::INBOX,
        retention::ANSWERS,
        retention::SYNC_LOG,
        retention::SYNC_RUNS,
        retention::FEED,
        retention::JOBS,
        retention::DELIVERIES,
        retention::JOB_RUNS,
        retention::QUEUES,
        retention::WEBHOOKS,
        retention::CALLS,
        retention::TAKEN_BACK_RESERVATIONS,
        retention::TAKEN_BACK_GUESTS,
        retention::TAKEN_BACK_RATE_PLANS,
    ] {
        assert_eq!(forget(class, "2020-01-01T00:00:00Z").await, 0, "{class:?}");
    }
    assert_eq!(forget(retention::SYNC_LOG, "2100-01-01T00:00:00Z").await, 3);
    assert!(forget(retention::FEED, "2100-01-01T00:00:00Z").await > 0);
    assert_eq!(host.get(&key, "sync-log").await.1["data"], json!([]));
    host.stop().await;
}
