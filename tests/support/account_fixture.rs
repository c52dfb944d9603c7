//! Accounts with sources of an active plugin, in a database without a host.

use gassync::store::{Db, accounts, connections, plugins, sources};
use gassync_domain::{AccountId, SourceKey, Timestamp};
use gassync_runtime::Manifest;
use serde_json::json;

use crate::database::Database;

/// The given second of the time used by tests with their own clock.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

/// Opens a migrated database with an active plugin `beds24`.
pub async fn open(database: &Database) -> Db {
    let db = Db::open(&database.url).await.expect("a database");
    db.migrate().await.expect("a schema");
    let manifest =
        r#"{ "schemaVersion": 1, "id": "beds24", "displayName": "B", "version": "1", "contract": "1", "vendor": "V" }"#;
    let new = plugins::NewVersionRow {
        manifest: &Manifest::parse(manifest).expect("a manifest"),
        hash: "hash",
        component: b"component",
        allowance: None,
        receipt: &json!({}),
    };
    let mut tx = db.platform_write().await.expect("a transaction");
    plugins::keep(&mut tx, &new, at(0)).await.expect("a plugin");
    plugins::want(&mut tx, "beds24", Some("hash"), at(0)).await.expect("wanted");
    assert!(plugins::activate(&mut tx, "beds24", "hash", at(0)).await.expect("activated"));
    tx.commit().await.expect("committed");
    db
}

/// Creates an account with sources, of which the first creates core entities. Their webhook keys are `key-NAME-0`,
/// `key-NAME-1` and so on.
pub async fn tenant<const SOURCES: usize>(db: &Db, name: &str) -> (AccountId, [SourceKey; SOURCES]) {
    let mut tx = db.platform_write().await.expect("a transaction");
    let account = accounts::create(&mut tx, name, "UTC", at(0)).await.expect("an account");
    let mut made = Vec::new();
    for number in 0..SOURCES {
        let key = format!("key-{name}-{number}");
        let connection = connections::create(&mut tx, account, "beds24", &key, "hash", at(0)).await.expect("made");
        let (config, name) = (json!({}), format!("source-{number}"));
        let new = sources::NewSourceRecord {
            connection: Some(connection),
            source_type: "beds24",
            name: &name,
            config: &config,
            creates: number == 0,
        };
        let source = sources::create(&mut tx, account, &new, at(0)).await.expect("a source");
        made.push(SourceKey { account, source });
    }
    tx.commit().await.expect("committed");
    (account, made.try_into().expect("as many as were made"))
}
