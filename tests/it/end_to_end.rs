//! End to end: a simulated channel, a sandboxed plugin, buffer and core.

use gassync::admin::CreatedSource;
use gassync_domain::{SourceId, SourceKey};
use gassync_simulator::{
    Notification,
    beds24::{BookingChange, Settings},
};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Channel, Host},
    leftovers::Leftover,
    on_both,
    plugins::component,
};
use serde_json::json;

on_both!(
    bookings_arrive_by_webhook_and_by_poll,
    messages_of_a_disabled_plugin_are_deferred,
    plugins_are_replaced_during_calls,
    plugin_state_survives_between_calls
);

fn quiet() -> Settings {
    Settings { bookings: 8, credits_per_five_minutes: 10_000.0, ..Settings::default() }
}

/// Channel id and status of each booking, at the channel and in the core.
async fn both_books(host: &Host, channel: &Channel, source: i64) -> [Vec<(String, String)>; 2] {
    let mut theirs: Vec<_> = channel
        .account
        .book()
        .into_iter()
        .filter(|entry| entry.status != "black")
        .map(|entry| {
            let status = match entry.status.as_str() {
                "cancelled" => "cancelled",
                "request" => "pending",
                _ => "confirmed",
            };
            (entry.id.to_string(), format!("{status} {} {} {}", entry.arrival, entry.departure, entry.num_adult))
        })
        .collect();
    theirs.sort();
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let ours =
        gassync::store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source: SourceId(source) })
            .await
            .expect("read");
    let show = |facts: &gassync::store::core::bookings::BookingFacts| {
        format!("{} {} {} {}", facts.status.as_str(), facts.check_in.0, facts.check_out.0, facts.adults.unwrap_or(0))
    };
    [theirs, ours.into_iter().map(|(id, facts)| (id, show(&facts))).collect()]
}

async fn bookings_arrive_by_webhook_and_by_poll(database: Database) {
    let channel = host::channel(quiet()).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let source = host.connect(&channel).await.id;
    let same = async || {
        let [theirs, ours] = both_books(&host, &channel, source).await;
        !theirs.is_empty() && theirs == ours
    };
    host.until("what was there is in the core", same).await;
    let id = channel.account.book().iter().find(|entry| entry.status == "new").expect("a booking").id;
    assert!(channel.account.change(
        id,
        &BookingChange { num_adult: Some(4), ..BookingChange::default() },
        Notification::Webhook
    ));
    host.until("the webhook's change is in the core", same).await;
    assert!(channel.account.cancel(id, Notification::None));
    host.until("the poll has found the cancellation", same).await;
    for _ in 0..10 {
        channel.account.act();
    }
    host.until("ten more things are in the core", same).await;
    // Secrets must not appear in a log, in an error, or unencrypted in the database.
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    for line in gassync::store::sync_log::newest(&mut tx, 1000).await.expect("lines") {
        assert!(line.error_message.is_none_or(|m| !m.contains("@example.org")), "no guest in the log");
    }
    drop(tx);
    host.stop().await;
}

async fn messages_of_a_disabled_plugin_are_deferred(database: Database) {
    let channel = host::channel(quiet()).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    let same = async || {
        let [theirs, ours] = both_books(&host, &channel, made.id).await;
        theirs == ours
    };
    host.until("what was there is in the core", same).await;
    assert_eq!(host.operate("plugins/beds24/disable", &json!(null)).await.status().as_u16(), 204);
    let ids: Vec<u64> = channel.account.book().iter().filter(|e| e.status == "new").map(|e| e.id).collect();
    for id in &ids {
        assert!(channel.account.cancel(*id, Notification::Webhook));
    }
    host.until("all are acknowledged", async || channel.account.webhooks_acknowledged().len() == ids.len()).await;
    assert!(!same().await, "nothing reaches the core");
    assert_eq!(host.figure("messages_waiting").await, i64::try_from(ids.len()).expect("few"));
    // An unauthenticated call is not even stored.
    let forged = host.http.post(&made.webhook_url).header("X-GasSync-Token", "guess").body("{}").send().await;
    assert_eq!(forged.expect("an answer").status().as_u16(), 401);
    assert_eq!(host.figure("messages_waiting").await, i64::try_from(ids.len()).expect("few"));
    assert_eq!(host.operate("plugins/beds24/enable", &json!(null)).await.status().as_u16(), 204);
    host.until("they are worked off", same).await;
    host.stop().await;
}

async fn plugins_are_replaced_during_calls(database: Database) {
    let channel = host::channel(quiet()).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    let same = async || {
        let [theirs, ours] = both_books(&host, &channel, made.id).await;
        theirs == ours
    };
    host.until("what was there is in the core", same).await;
    let id = channel.account.book().iter().find(|entry| entry.status == "new").expect("a booking").id;
    let body = channel.account.webhook_body(id).expect("a body");
    let (url, token) = (made.webhook_url.clone(), made.webhook_token.clone());
    let http = host.http.clone();
    let calls = tokio::spawn(async move {
        let mut statuses = Vec::new();
        for _ in 0..150 {
            let call = http.post(&url).header("X-GasSync-Token", &token).json(&body).send().await.expect("an answer");
            statuses.push(call.status().as_u16());
        }
        statuses
    });
    let file = host.plugins.join("beds24.wasm");
    let hash = || host.app.plugins.get("beds24").expect("it serves").hash().to_owned();
    let former = hash();
    // Another component: the same code with an additional section at the end.
    let mut next = component("beds24");
    next.extend([0, 5, 4, b't', b'e', b's', b't']);
    std::fs::write(&file, &next).expect("written");
    host.until("the new artefact serves", async || hash() != former).await;
    let serving = hash();
    std::fs::write(&file, &next[..next.len() / 2]).expect("half a file");
    host.until("the broken file is told of", async || host.app.plugins.problems().contains_key("beds24")).await;
    assert_eq!(hash(), serving, "the former one goes on serving");
    std::fs::write(&file, b"no plugin at all").expect("written");
    std::fs::write(&file, component("beds24")).expect("written");
    host.until("the first artefact serves again", async || hash() == former).await;
    let statuses = calls.await.expect("joined");
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    host.stop().await;
}

async fn plugin_state_survives_between_calls(database: Database) {
    let host = Host::start(database, &["misbehaving"], None).await;
    host.leaves(Leftover::FailedMessages);
    let new = json!({ "account": ACCOUNT, "channel": "misbehaving", "name": "r" });
    let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
    for deed in ["keep", "keep", "keep and panic", "keep and fail", "keep"] {
        let call = host.http.post(&made.webhook_url).body(deed).send().await.expect("an answer");
        assert!(call.status().is_success(), "{deed}: {}", call.status());
    }
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let source = gassync::store::sources::all(&mut tx).await.expect("read").remove(0);
    let sealed = gassync::store::plugin_state::all(&mut tx, source.key()).await.expect("read");
    drop(tx);
    assert_ne!(sealed[0].1, b"3", "what is remembered is sealed");
    let adapter = host.app.plugins.get("misbehaving").expect("it serves");
    let memory = gassync::channel::plugin_state::load(&host.app, &adapter, &source).await.expect("recalled");
    assert_eq!(memory.get("count").map(Vec::as_slice), Some(&b"3"[..]), "what failed left nothing");
    host.stop().await;
}
