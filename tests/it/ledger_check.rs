//! `gassync ledger check` recounts the ledger.

use gassync::store::{
    accounts,
    core::maintenance::{self, MaintenanceKind},
    ledger::Span,
};
use gassync_domain::{CoreId, Stay};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, clock, records},
    leftovers::Leftover,
    on_both,
    process::run,
};
use serde_json::{Value, json};

on_both!(ledger_check_finds_differences);

async fn ledger_check_finds_differences(database: Database) {
    let (url, dir) = (database.url.clone(), tempfile::tempdir().expect("a folder"));
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::WrongLedger);
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in &records() {
        assert_eq!(host.post(&key, entity, record).await.0, 201);
    }
    assert_eq!(host.look("ledger/differences").await, json!([]));
    // Maintenance written without the ledger, as by direct SQL on the core tables.
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let account = accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    drop(tx);
    let night = |day: i8| jiff::civil::date(2027, 6, day);
    let mut tx = host.app.db.write(account).await.expect("a transaction");
    let span = Span { unit: CoreId(1), stay: Stay::new(night(2), night(3)).expect("a night") };
    let noted = (MaintenanceKind::Maintenance, None);
    maintenance::insert_maintenance(&mut tx, account, (span, 1), noted, clock()()).await.expect("noted");
    tx.commit().await.expect("committed");
    let expected = json!([{ "account": ACCOUNT, "unitId": 1, "night": "2027-06-02", "what": "blocked" }]);
    assert_eq!(host.look(&format!("ledger/differences?account={}", ACCOUNT.replace(' ', "%20"))).await, expected);
    let nobody = host.http.get(format!("{}/admin/v1/ledger/differences?account=Nobody", host.base));
    assert_eq!(host.operator(nobody).send().await.expect("an answer").status().as_u16(), 404);
    let data = dir.path().display().to_string();
    let environment = [("GASSYNC_DATA_DIR", &*data), ("GASSYNC_PLUGINS_DIR", &*data), ("GASSYNC_DATABASE_URL", &*url)];
    let checked =
        tokio::task::block_in_place(|| run(&["ledger", "check", "--account", ACCOUNT, "--json"], &environment));
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(serde_json::from_slice::<Value>(&checked.stdout).expect("JSON"), expected);
    host.stop().await;
}
