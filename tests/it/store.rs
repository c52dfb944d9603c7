//! Guarantees of both databases.

use gassync::store::{Db, Lease, connections, inbox, keys, outbox, plugin_state, plugins, sources};
use gassync_domain::{HttpRequest, ResumePoint, SourceKey, Timestamp};
use gassync_tests::{
    account_fixture::{at, open, tenant},
    database::Database,
    on_both,
};
use serde_json::json;

on_both!(
    accounts_are_isolated,
    outbox_records_the_origin,
    an_inbox_message_is_leased_to_one_worker,
    only_one_source_creates_core_entities,
    plugin_state_is_isolated_by_account,
    time_and_money_round_trip,
);

async fn accounts_are_isolated(database: Database) {
    let db = open(&database).await;
    let (one, [source]) = tenant(&db, "one").await;
    let (other, _) = tenant::<1>(&db, "other").await;
    let mut tx = db.read(one).await.expect("a transaction");
    assert!(sources::get(&mut tx, source).await.expect("read").is_some());
    // A query for another account's rows returns none, where the database enforces that.
    let mut tx = db.read(other).await.expect("a transaction");
    let found = sources::get(&mut tx, source).await.expect("read");
    assert_eq!(found.is_none(), database.is_postgres());
    if let Db::Postgres { writers: pool, .. } = &db {
        let text = "select count(*) from int_sources";
        let unset: i64 = sqlx::query_scalar(text).fetch_one(pool).await.expect("counted");
        assert_eq!(unset, 0, "with nothing set, nobody's rows are seen");
    }
    let mut tx = db.platform_read().await.expect("a transaction");
    assert_eq!(sources::all(&mut tx).await.expect("read").len(), 2);
}

async fn outbox_records_the_origin(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant(&db, "one").await;
    let property: gassync_domain::Property =
        serde_json::from_value(json!({ "id": "p", "name": "House" })).expect("a property");
    let mut tx = db.write_for(source).await.expect("a transaction");
    let id = gassync::core::put_property(&mut tx, account, None, &property, at(1)).await.expect("made");
    tx.commit().await.expect("committed");
    // Rolled back, it has no effect.
    let mut tx = db.write_for(source).await.expect("a transaction");
    gassync::core::put_property(&mut tx, account, None, &property, at(2)).await.expect("made");
    drop(tx);
    let mut tx = db.write(account).await.expect("a transaction");
    gassync::core::put_property(&mut tx, account, Some(id), &property, at(3)).await.expect("changed");
    tx.commit().await.expect("committed");
    let mut tx = db.read(account).await.expect("a transaction");
    let facts = outbox::all(&mut tx, account).await.expect("facts");
    let shown: Vec<_> = facts.iter().map(|f| (f.action.as_str(), f.entity_id, f.origin_source_id)).collect();
    assert_eq!(shown, [("created", id.0, Some(source.source.0)), ("updated", id.0, None)]);
}

async fn an_inbox_message_is_leased_to_one_worker(database: Database) {
    let db = open(&database).await;
    let (account, _) = tenant::<1>(&db, "one").await;
    let mut tx = db.platform_write().await.expect("a transaction");
    let connection = connections::by_webhook_key(&mut tx, "key-one-0").await.expect("read").expect("there").id;
    let request =
        HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body: Some(b"{}".to_vec()) };
    for _ in 0..3 {
        inbox::keep(
            &mut tx,
            account,
            connection,
            inbox::MessageKind::Call,
            (&request, None),
            Lease { now: at(0), until: at(10) },
        )
        .await
        .expect("kept");
    }
    let claim = async |tx: &mut gassync::store::Tx, now: i64| {
        inbox::claim(tx, Lease { now: at(now), until: at(now + 30) }, 10).await.expect("claimed").len()
    };
    assert_eq!(claim(&mut tx, 5).await, 0, "whoever received them has them");
    plugins::set_status(&mut tx, "beds24", plugins::PluginStatus::Disabled, at(0)).await.expect("set");
    assert_eq!(claim(&mut tx, 11).await, 0, "a disabled plugin's messages wait");
    plugins::set_status(&mut tx, "beds24", plugins::PluginStatus::Enabled, at(0)).await.expect("set");
    let messages = inbox::claim(&mut tx, Lease { now: at(11), until: at(41) }, 2).await.expect("claimed");
    assert_eq!(messages.iter().map(|m| (m.attempts, m.request.clone())).next(), Some((1, request)));
    assert_eq!(claim(&mut tx, 12).await, 1, "the third");
    assert_eq!(claim(&mut tx, 13).await, 0);
    inbox::applied(&mut tx, account, messages[0].id, "1 created", at(14)).await.expect("marked");
    assert_eq!(claim(&mut tx, 50).await, 2, "a lease that ended is somebody's again; what is done is nobody's");
}

async fn only_one_source_creates_core_entities(database: Database) {
    let db = open(&database).await;
    let (account, _) = tenant::<1>(&db, "one").await;
    let mut tx = db.write(account).await.expect("a transaction");
    assert!(sources::has_creating(&mut tx, account).await.expect("read"));
    let config = json!({});
    let new = sources::NewSourceRecord {
        connection: None,
        source_type: "partner",
        name: "second",
        config: &config,
        creates: true,
    };
    let refused =
        sources::create(&mut tx, account, &new, at(1)).await.expect_err("the database itself refuses a second");
    assert_eq!(gassync::store::fault(&refused), gassync::store::Fault::Record);
    drop(tx);
    let away = gassync::store::fault(&sqlx::Error::PoolTimedOut);
    assert_eq!(away, gassync::store::Fault::Passing);
}

async fn time_and_money_round_trip(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant(&db, "one").await;
    let mut tx = db.write(account).await.expect("a transaction");
    let moment: Timestamp = "2027-03-28T01:30:00.123Z".parse().expect("an instant");
    sources::synced(&mut tx, source, moment).await.expect("marked");
    let read = sources::get(&mut tx, source).await.expect("read").expect("there");
    assert_eq!(read.last_sync_at, Some(moment));
    for point in [ResumePoint::Token("b".to_owned()), ResumePoint::Instant(moment)] {
        sources::set_resume_point(&mut tx, source, ("reservation", &point), moment).await.expect("set");
        let read = sources::resume_point(&mut tx, source, "reservation").await.expect("read");
        assert_eq!(read, Some(point));
    }
    let scopes = ["guests:read".to_owned()];
    let key = keys::NewApiKey {
        source: source.source,
        name: "k",
        prefix: "gsk_abc",
        hash: "h",
        scopes: &scopes,
        strict: false,
        expires_at: None,
    };
    keys::create(&mut tx, account, &key, at(0)).await.expect("made");
    let holder = keys::holder(&mut tx, "h", at(1)).await.expect("read").expect("there");
    assert_eq!((holder.source_key(), holder.may_call()), (source, true));
    sources::set_status(&mut tx, source, sources::SourceState::Disabled).await.expect("set");
    let holder = keys::holder(&mut tx, "h", at(1)).await.expect("read").expect("known");
    assert!(!holder.may_call(), "a disabled source has no callers");
    tx.commit().await.expect("committed");
}

async fn plugin_state_is_isolated_by_account(database: Database) {
    let db = open(&database).await;
    let (one, [source]) = tenant(&db, "one").await;
    let (other, _) = tenant::<1>(&db, "other").await;
    let mut tx = db.write(one).await.expect("a transaction");
    for (key, value) in [("b", &b"1"[..]), ("a", b"2"), ("b", b"3"), ("c", b"4")] {
        plugin_state::set(&mut tx, source, (key, value), at(1)).await.expect("kept");
    }
    plugin_state::forget(&mut tx, source, "c").await.expect("forgotten");
    plugin_state::forget(&mut tx, source, "nothing").await.expect("nothing to forget");
    tx.commit().await.expect("committed");
    let mut tx = db.read(one).await.expect("a transaction");
    let all = plugin_state::all(&mut tx, source).await.expect("read");
    assert_eq!(all, [("a".to_owned(), b"2".to_vec()), ("b".to_owned(), b"3".to_vec())]);
    drop(tx);
    let mut tx = db.read(other).await.expect("a transaction");
    assert!(plugin_state::all(&mut tx, SourceKey { account: other, ..source }).await.expect("read").is_empty());
}
