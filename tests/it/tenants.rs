//! Account isolation: every route with ids of another account, and every table in another account's transaction.

use gassync::store::Db;
use gassync_domain::AccountId;
use gassync_tests::{
    database::Database,
    host::{Host, read, records, reservation},
    on_both,
    port::free_port,
};
use reqwest::Method;
use serde_json::{Value, json};

on_both!(no_route_leaks_another_account);

async fn no_route_leaks_another_account(database: Database) {
    let host = Host::with(database, &[("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
    let (mine, theirs) = (host.key("Mine", "partner").await, host.key("Theirs", "partner").await);
    let plan = json!({ "id": "flex", "propertyId": "p1", "name": "Flexible" });
    let guest = json!({ "id": "g1", "lastName": "Okafor", "email": "ada@example.org" });
    for (entity, record) in records().into_iter().chain([("rate-plans", plan), ("guests", guest)]) {
        assert_eq!(host.post(&theirs, entity, &record).await.0, 201, "{entity}");
    }
    let openapi: Value = host
        .http
        .get(format!("{}/openapi.json", host.base))
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("json");
    let their_source = host.get(&theirs, "sources/me/status").await.1["id"].clone();
    // Events with a sequence number before the subscription existed are missed, and can be replayed.
    host.until("the feed has its places", async || host.get(&theirs, "changes").await.1["data"][0].is_object()).await;
    // Nothing listens there: messages stay queued.
    let closed = json!({ "url": format!("http://127.0.0.1:{}/", free_port()), "excludeOrigin": false });
    let webhook = host.post(&theirs, "webhooks", &closed).await.1["id"].clone();
    assert_eq!(host.post(&theirs, &format!("webhooks/{webhook}/test"), &json!({})).await.0, 202);
    let since = json!({ "since": "2020-01-01T00:00:00Z" });
    let run = host.post(&theirs, &format!("webhooks/{webhook}/replay"), &since).await.1["run"].clone();
    let delivery = host.get(&theirs, &format!("webhooks/{webhook}/deliveries")).await.1["data"][0]["id"].clone();
    assert!(run.is_i64() && delivery.is_i64(), "{run} {delivery}");
    let subscriptions = async || {
        let shown = host.get(&theirs, "webhooks").await.1["data"][0].clone();
        ["id", "url", "enabled", "updatedAt"].map(|field| shown[field].clone())
    };
    let before = subscriptions().await;
    let ids = ["p1", "t1", "r1", "flex", "g1", "reservation%2Fr1"];
    let mut walked = 0;
    for (path, operations) in openapi["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            // An id of theirs may be the id of another entity of mine.
            let number = if path.contains("webhooks") { &webhook } else { &their_source };
            for id in ids.iter().map(ToString::to_string).chain([number.to_string()]) {
                let method: Method = method.to_uppercase().parse().expect("a method");
                let ask = async |id: &str| {
                    let path = path.replace("{id}", id).replace("{delivery}", &delivery.to_string());
                    let url = format!("{}{}", host.base, path.replace("{run}", &run.to_string()));
                    let mut request = host.http.request(method.clone(), url).bearer_auth(&mine);
                    if operations.get("post").is_some() || method == Method::PATCH {
                        // My records may have the same ids; they must not find theirs.
                        request = request.json(&match path.contains("webhooks") {
                            true if path.ends_with("/replay") => since.clone(),
                            true => json!({}),
                            false if path.ends_with("/decision") => json!({ "decision": "ignore", "why": "why not" }),
                            false => json!([]),
                        });
                    }
                    read(request.send().await.expect("an answer")).await
                };
                let (status, body) = ask(&id).await;
                if path.contains("{id}") {
                    let nothing = ask("no-such-thing").await;
                    let same = (404, nothing.1["type"].clone(), nothing.1["title"].clone());
                    assert_eq!((status, body["type"].clone(), body["title"].clone()), same, "{path} {id}");
                } else if path.starts_with("/core/") {
                    assert_eq!(status, 403, "{path}: a partner's key is not the core's own");
                } else if path.ends_with("/webhooks") && method == Method::POST {
                    assert_eq!(status, 422, "{path}: nobody subscribes to nowhere");
                } else {
                    assert!(status < 300, "{path}: {status} {body}");
                    let data = body.get("data").cloned().unwrap_or(body);
                    assert_eq!(data, json!([]), "{path}");
                }
                walked += 1;
            }
        }
    }
    assert_eq!(subscriptions().await, before, "theirs are as they were");
    assert!(walked > 200, "only {walked} requests were sent");
    // Records of mine that refer to theirs are parked or rejected, as if theirs did not exist.
    let (status, parked) = host.post(&mine, "reservations", &reservation("r1")).await;
    assert_eq!((status, &parked["errors"][0]["problem"]), (202, &json!("room type t1 is not mapped")));
    assert_eq!(host.get(&theirs, "reservations/r1").await.1["guest"]["firstName"], "Noor");
    host.stop().await;
}

#[tokio::test]
async fn no_table_leaks_another_account() {
    let database = Database::postgres().await;
    let url = database.url.clone();
    let host = Host::start(database, &[], None).await;
    let key = host.key("Theirs", "partner").await;
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    let Db::Postgres { writers: pool, .. } = Db::open(&url).await.expect("a database") else { panic!("PostgreSQL") };
    let tables = "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'account_id' order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&pool).await.expect("tables");
    assert!(tables.len() > 25, "{tables:?}");
    let count = async |sees: &str, table: &str| -> i64 {
        let mut tx = pool.begin().await.expect("a transaction");
        sqlx::query("select set_config('gassync.account_id', $1, true)")
            .bind(sees)
            .execute(&mut *tx)
            .await
            .expect("set");
        let text = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(text).fetch_one(&mut *tx).await.expect("a count")
    };
    let theirs = AccountId(1).to_string();
    let mut seen = 0;
    for table in &tables {
        seen += count(&theirs, table).await;
        assert_eq!((count("2", table).await, count("", table).await), (0, 0), "{table}");
    }
    assert!(seen > 10, "their own rows are seen: {seen}");
    host.stop().await;
}
