//! Subscribing at Beds24 next to another system's webhook: both are called, and neither loses the other's settings. No
//! running host does this yet; the test stands in for one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gassync::{admin::CreatedSource, credentials::ConnectionSecrets, inbound::redact, plugins::Plugin};
use gassync_domain::HttpResponse;
use gassync_runtime::{
    Budget, Call, CredentialError, Credentials, Memory, MemoryChanges, OutgoingRequest, Secret, SendError, Transport,
};
use gassync_simulator::{
    Notification,
    beds24::{Beds24, Settings},
};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Channel, Host, channel},
    webhook_receiver::WebhookReceiver,
};
use serde_json::{Value, json};

/// Fills in the webhook URL and its secret, in addition to the connection's secrets.
struct Filled {
    stored: ConnectionSecrets,
    url: String,
    token: String,
}

#[async_trait]
impl Credentials for Filled {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        match (slot, field) {
            ("webhook", "url") => Ok(Secret::new(self.url.clone())),
            ("webhook", "token") => Ok(Secret::new(self.token.clone())),
            _ => self.stored.field(slot, field).await,
        }
    }

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError> {
        self.stored.keep(slot, field, secret, good_for).await
    }
}

/// Blanks these places in the responses that the plugin reads.
struct Blanking<T>(T, &'static [&'static str]);

#[async_trait]
impl<T: Transport> Transport for Blanking<T> {
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        let mut answer = self.0.send(request).await?;
        let spots: Vec<redact::FieldPath<'_>> = self.1.iter().map(|text| redact::FieldPath::parse(text)).collect();
        answer.body = redact::mask(answer.body, &spots);
        Ok(answer)
    }
}

const HEADERS: [&str; 2] = ["/data/*/webhooks/customHeader", "/*/modified/webhooks/customHeader"];
const ALL: [&str; 4] = [HEADERS[0], HEADERS[1], "/data/*/webhooks/url", "/*/modified/webhooks/url"];

struct Connection {
    host: Host,
    channel: Channel,
    made: CreatedSource,
    memory: Memory,
}

impl Connection {
    async fn call(&self, blanked: &'static [&'static str]) -> (Arc<Plugin>, Call) {
        let app = &self.host.app;
        let mut tx = app.db.platform_read().await.expect("a transaction");
        let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
        let source = gassync::store::sources::all(&mut tx).await.expect("read").remove(0);
        drop(tx);
        let connection = source.connection.expect("a connection");
        let plugin = app.plugins.get("beds24").expect("it is loaded");
        let (app, settings) = (Arc::clone(app), source.config.clone());
        let stored = ConnectionSecrets::new(Arc::clone(&app), account, connection, Arc::clone(&plugin), settings);
        let network = app.transport(plugin.manifest(), (account, connection)).expect("a network");
        let call = Call {
            settings: plugin.manifest().with_defaults(&source.config),
            grant: stored.grant().await.expect("a grant"),
            credentials: Arc::new(Filled {
                stored,
                url: self.made.webhook_url.clone(),
                token: self.made.webhook_token.clone(),
            }),
            transport: Arc::new(Blanking(network, blanked)),
            clock: app.clock.clone(),
            budget: plugin.budget(Budget::fetch()),
            memory: self.memory.clone(),
            ..Call::isolated("subscribe")
        };
        (plugin, call)
    }

    fn remember(&mut self, changes: MemoryChanges) {
        for (key, value) in changes {
            match value {
                Some(value) => drop(self.memory.insert(key, value)),
                None => drop(self.memory.remove(&key)),
            }
        }
    }

    async fn subscribe(&mut self, blanked: &'static [&'static str]) -> (Vec<String>, Vec<String>) {
        let (plugin, call) = self.call(blanked).await;
        let finished = plugin.subscribe(call, "{{webhook.url}}".to_owned()).await;
        self.remember(finished.record.memory);
        let subscribed = finished.result.expect("subscribed");
        (subscribed.ids, subscribed.steps)
    }

    async fn unsubscribe(&mut self, ids: Vec<String>) -> Vec<String> {
        let (plugin, call) = self.call(&HEADERS).await;
        plugin.unsubscribe(call, ids).await.result.expect("unsubscribed")
    }

    /// The webhooks of the property at the channel.
    async fn there(&self) -> Value {
        let url = format!("http://{}/api/v2/properties", self.channel.address);
        let asked = self.host.http.get(url).header("token", self.channel.account.long_life_token());
        let answer: Value = asked.send().await.expect("an answer").json().await.expect("JSON");
        answer["data"][0]["webhooks"].clone()
    }
}

fn sold(beds24: &Beds24) -> Vec<u64> {
    beds24
        .book()
        .into_iter()
        .filter(|entry| entry.status == "confirmed" || entry.status == "new")
        .map(|it| it.id)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribing_keeps_another_systems_webhook() {
    let settings = Settings { bookings: 12, properties: 1, credits_per_five_minutes: 100_000.0, ..Settings::default() };
    let channel = channel(settings).await;
    let host = Host::start(Database::sqlite(), &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    let other = WebhookReceiver::start().await;
    let theirs = json!({ "version": "twoWithPersonalData", "url": format!(" {} ", other.url("/theirs?key=k1")),
        "additionalData": "none", "customHeader": "X-Theirs: s3cret\r\nX-More: 2" });
    // The other system writes its webhook with a token that has the permission.
    let mut connection = Connection { host, channel, made, memory: Memory::new() };
    let id = connection.channel.account.properties()[0].id;
    connection.enter(id, &theirs).await;
    assert_eq!(connection.there().await, theirs);
    // If everything is blanked, nothing is written, and an operator is asked.
    let (ids, steps) = connection.subscribe(&ALL).await;
    assert!(ids.is_empty() && steps[0].contains("is not shown to us"), "{steps:?}");
    assert_eq!(connection.there().await, theirs);
    let (ids, steps) = connection.subscribe(&HEADERS).await;
    assert_eq!(
        (ids.as_slice(), steps.len()),
        (&[id.to_string()][..], 1),
        "the inventory webhook alone is left: {steps:?}"
    );
    let there = connection.there().await;
    let lines: Vec<&str> = there["url"].as_str().expect("lines").split('\n').collect();
    assert_eq!((lines.len(), Some(lines[0])), (2, theirs["url"].as_str()));
    assert!(lines[1].starts_with(&format!("{}/v1?token=", connection.made.webhook_url)), "{lines:?}");
    let mut without_url = there.clone();
    without_url["url"] = theirs["url"].clone();
    assert_eq!(without_url, theirs, "all else is as it was");
    // Repeating changes nothing.
    assert_eq!((connection.subscribe(&HEADERS).await.0, connection.there().await), (ids.clone(), there));
    // Both are called.
    let beds24 = connection.channel.account.clone();
    connection.host.until("the bookings are there", async || connection.host.figure("bookings").await > 0).await;
    let booking = sold(&beds24)[0];
    assert!(beds24.cancel(booking, Notification::Webhook));
    let heard = other.until(1).await;
    assert_eq!((heard[0].header("x-theirs"), heard[0].header("x-more")), ("s3cret", "2"));
    connection
        .host
        .until("we were called, too", async || {
            let calls = connection.host.look("inbox?state=applied&limit=1000").await;
            calls.as_array().is_some_and(|calls| calls.iter().any(|call| call["kind"] == "call"))
        })
        .await;
    // Only ours is removed.
    assert_eq!(connection.unsubscribe(ids.clone()).await, ids);
    assert_eq!(connection.there().await, theirs);
    connection.host.stop().await;
}

impl Connection {
    /// The other system writes its webhook, with a call of its own.
    async fn enter(&self, id: u64, webhooks: &Value) {
        let (_, call) = self.call(&[]).await;
        let secret = call.credentials.field("beds24", "token").await.expect("a token");
        let url = format!("http://{}/api/v2/properties", self.channel.address);
        let asked = self.host.http.post(url).header("token", secret.reveal());
        let answer = asked.json(&json!([{ "id": id, "webhooks": webhooks }])).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}
