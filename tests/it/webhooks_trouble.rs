//! Failing endpoints and hosts: deferrals, changes during delivery, secrets that cannot be decrypted.

use std::{collections::HashSet, sync::Mutex};

use gassync::store;
use gassync_domain::WebhookId;
use gassync_tests::{
    database::Database,
    host::{read, records, reservation},
    leftovers::Leftover,
    on_both,
    webhook_receiver::{Answer, WebhookReceiver},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::webhooks::{furnish, now, stage, subscribe};

on_both!(
    retry_after_is_honoured,
    changes_during_delivery_reset_endpoint_health,
    shutdown_starts_no_further_delivery,
    undecryptable_subscriptions_are_deferred
);

async fn retry_after_is_honoured(database: Database) {
    let (host, maker, listener) = stage(database).await;
    host.leaves(Leftover::DeadJobs);
    host.leaves(Leftover::Overbooked);
    let mut receiver = WebhookReceiver::start().await;
    let new =
        json!({ "url": receiver.url("/"), "events": ["property.created", "reservation.created"], "maxAttempts": 1 });
    let id = subscribe(&host, &listener, new).await.webhook.id;
    let seen = Mutex::new(HashSet::new());
    receiver.answers_by(move |message| {
        let is_new = seen.lock().expect("unlocked").insert(message.header("webhook-id").to_owned());
        if is_new { Answer::Later(429, 1) } else { Answer::Status(204) }
    });
    furnish(&host, &maker).await;
    let received = receiver.until(2).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    let list = async |state: &str| {
        let page = host.get(&listener, &format!("webhooks/{id}/deliveries?state={state}")).await.1;
        page["data"].as_array().expect("deliveries").clone()
    };
    host.until("it arrived", async || list("delivered").await.len() == 1).await;
    let delivery = list("delivered").await.remove(0);
    assert_eq!(delivery["attempts"], 1, "the other was none");
    let whole = host.get(&listener, &format!("webhooks/{id}/deliveries/{}", delivery["id"])).await.1;
    let tried: Vec<(&Value, &Value)> = whole["attemptHistory"]
        .as_array()
        .expect("attempts")
        .iter()
        .map(|one| (&one["attempt"], &one["status"]))
        .collect();
    assert_eq!(tried, [(&json!(1), &json!(429)), (&json!(2), &json!(204))]);

    // However many messages fail at once, that counts as one failure.
    receiver.stop().await;
    let many: Value = (0..20).map(|number| reservation(&format!("r{number}"))).collect();
    assert_eq!(host.post(&maker, "reservations", &many).await.0, 200);
    let shown = async || host.get(&listener, &format!("webhooks/{id}")).await.1;
    host.until("they were missed", async || shown().await["failures"] != 0).await;
    assert_eq!(shown().await["failures"], 1);
    host.stop().await;
}

async fn changes_during_delivery_reset_endpoint_health(database: Database) {
    let (host, maker, listener) = stage(database).await;
    let (old, new) = (TcpListener::bind("127.0.0.1:0").await.expect("a port"), WebhookReceiver::start().await);
    let wants =
        json!({ "url": format!("http://{}/", old.local_addr().expect("an address")), "events": ["property.created"] });
    let id = subscribe(&host, &listener, wants).await.webhook.id;
    let path = format!("{}/integration/v1/webhooks/{id}", host.base);
    let change = async |body: Value| {
        let changed = host.http.patch(&path).bearer_auth(&listener).json(&body).send().await.expect("an answer");
        read(changed).await
    };
    assert_eq!(host.post(&maker, "properties", &records()[0].1).await.0, 201);
    let (mut stream, _) = old.accept().await.expect("the message");
    let mut head = vec![0; 4_096];
    let length = stream.read(&mut head).await.expect("its first bytes");
    assert_eq!(change(json!({ "url": new.url("/") })).await.0, 200);
    stream.write_all(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await.expect("answered");
    let received = new.until(1).await;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    assert!(head.contains(received[0].header("webhook-id")), "it comes to the new address: {head}");
    let shown = async || host.get(&listener, &format!("webhooks/{id}")).await.1;
    assert_eq!((&shown().await["enabled"], &shown().await["failures"]), (&json!(true), &json!(0)));

    // Two concurrent changes both count.
    for number in 1..=5 {
        let (one, other) = (json!({ "description": format!("desk {number}") }), json!({ "maxAttempts": number }));
        let ((first, _), (second, _)) = tokio::join!(change(one), change(other));
        assert_eq!((first, second), (200, 200));
        let shown = shown().await;
        assert_eq!((&shown["description"], &shown["maxAttempts"]), (&json!(format!("desk {number}")), &json!(number)));
    }

    // The previous URL's request to pause does not apply to the new one.
    let third = WebhookReceiver::start().await;
    new.answers(Answer::Later(429, 600));
    assert_eq!(host.post(&listener, &format!("webhooks/{id}/test"), &json!({})).await.0, 202);
    host.until("it is to be left alone", async || shown().await["failingSince"] != json!(null)).await;
    let (status, changed) = change(json!({ "url": third.url("/") })).await;
    assert_eq!((status, &changed["failingSince"], &changed["failures"]), (200, &json!(null), &json!(0)));
    assert_eq!(host.post(&listener, &format!("webhooks/{id}/test"), &json!({})).await.0, 202);
    assert_eq!(third.until(1).await[0].json()["type"], "webhook.test");
    host.stop().await;
}

async fn shutdown_starts_no_further_delivery(database: Database) {
    let (host, maker, listener) = stage(database).await;
    host.leaves(Leftover::Overbooked);
    let receiver = WebhookReceiver::start().await;
    furnish(&host, &maker).await;
    let id = subscribe(&host, &listener, json!({ "url": receiver.url("/"), "events": ["reservation.created"] }))
        .await
        .webhook
        .id;
    // They wait until all can be sent at once.
    receiver.answers(Answer::Later(429, 1));
    let many: Value = (0..60).map(|number| reservation(&format!("r{number}"))).collect();
    assert_eq!(host.post(&maker, "reservations", &many).await.0, 200);
    host.until("all wait", async || {
        let page = host.get(&listener, &format!("webhooks/{id}/deliveries?state=waiting&limit=200")).await.1;
        page["data"].as_array().is_some_and(|waiting| waiting.len() == 60)
    })
    .await;
    receiver.forget();
    let stopping = host.app.stopping.clone();
    receiver.answers_by(move |_| {
        stopping.cancel();
        Answer::Status(204)
    });
    receiver.until(1).await;
    host.stop().await;
    let delivered = receiver.received().len();
    assert!(delivered <= 16, "those that were on their way, and no other: {delivered}");
}

async fn undecryptable_subscriptions_are_deferred(database: Database) {
    let (host, _, listener) = stage(database).await;
    let receiver = WebhookReceiver::start().await;
    let id = subscribe(&host, &listener, json!({ "url": receiver.url("/") })).await.webhook.id;
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let account = store::webhooks::account_of(&mut tx, WebhookId(id)).await.expect("an answer").expect("its account");
    // As if another host had encrypted it, with its own key.
    let foreign = (&[0_u8; 64][..], "another", "hash");
    store::webhooks::add_secret(&mut tx, account, WebhookId(id), foreign, now()).await.expect("kept");
    tx.commit().await.expect("committed");
    let test = async || assert_eq!(host.post(&listener, &format!("webhooks/{id}/test"), &json!({})).await.0, 202);
    test().await;
    let waiting = async || {
        let page = host.get(&listener, &format!("webhooks/{id}/deliveries?state=waiting")).await.1;
        page["data"].as_array().expect("deliveries").clone()
    };
    host.until("it was tried", async || waiting().await.iter().any(|one| one["why"] != json!(null))).await;
    let delivery = waiting().await.remove(0);
    assert!(
        delivery["why"].as_str().is_some_and(|why| why.contains("cannot be decrypted with this host's key")),
        "{delivery}"
    );
    assert_eq!(delivery["attempts"], 0);
    assert!(delivery["nextAttemptAt"].is_string() && receiver.count() == 0, "{delivery}");
    let job = host.look(&format!("jobs/{}", delivery["id"])).await;
    assert!(job["pausedUntil"].is_string(), "{job}");
    assert!(job["pauseReason"].as_str().is_some_and(|why| why.starts_with("its secret cannot be decrypted")), "{job}");
    // After a new secret has replaced both, the subscription works again once it is enabled.
    let rotation = json!({ "graceSeconds": 0 });
    assert_eq!(host.post(&listener, &format!("webhooks/{id}/rotate-secret"), &rotation).await.0, 200);
    let path = format!("{}/integration/v1/webhooks/{id}", host.base);
    let enabled = host.http.patch(path).bearer_auth(&listener).json(&json!({ "enabled": true })).send().await;
    assert_eq!(enabled.expect("an answer").status().as_u16(), 200);
    test().await;
    receiver.until(1).await;
    host.stop().await;
}
