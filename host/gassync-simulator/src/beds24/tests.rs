use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::*;

fn fixed() -> Clock {
    Arc::new(|| "2027-02-01T12:00:00Z".parse::<Timestamp>().expect("instant"))
}

#[expect(clippy::disallowed_methods, reason = "what is delivered again must see time pass")]
fn running_clock() -> Clock {
    Arc::new(Timestamp::now)
}

struct Running {
    simulator: Beds24,
    base: String,
    client: Client,
    shutdown: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Running {
    async fn start(settings: Settings) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let simulator = Beds24::new(settings, fixed());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}/api/v2", listener.local_addr().expect("address"));
        let shutdown = CancellationToken::new();
        tokio::spawn({
            let (simulator, shutdown) = (simulator.clone(), shutdown.clone());
            async move { simulator.serve(listener, shutdown).await }
        });
        Self { simulator, base, client: Client::new(), shutdown }
    }

    async fn token(&self) -> String {
        let code = self.simulator.invite_code();
        let request = self.client.get(format!("{}/authentication/setup", self.base)).header("code", code);
        let body: Value = request.send().await.expect("sent").json().await.expect("json");
        body["token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        let request = self.client.get(format!("{}{path}", self.base)).header("token", token);
        let answer = request.send().await.expect("sent");
        (answer.status(), answer.json().await.expect("json"))
    }
}

#[test]
fn the_same_seed_gives_the_same_book() {
    let run = || {
        let simulator = Beds24::new(Settings::default(), fixed());
        let acts: Vec<String> = (0..50).filter_map(|_| simulator.act()).map(|a| a.summary).collect();
        let bodies: Vec<String> =
            simulator.book().iter().filter_map(|e| simulator.webhook_body(e.id)).map(|b| b.to_string()).collect();
        (acts, bodies)
    };
    assert_eq!(run(), run());
}

#[tokio::test]
async fn tokens_and_invite_codes() {
    let running = Running::start(Settings::default()).await;
    let (status, body) = running.get("wrong", "/bookings").await;
    assert_eq!((status.as_u16(), body["error"].as_str()), (401, Some("Token not valid")));
    let code = running.simulator.invite_code();
    for expected in [200, 401] {
        let request = running.client.get(format!("{}/authentication/setup", running.base)).header("code", &code);
        assert_eq!(request.send().await.expect("sent").status().as_u16(), expected, "a code works once");
    }
    let token = running.token().await;
    assert_eq!(running.get(&token, "/properties").await.0.as_u16(), 200);
}

#[tokio::test]
async fn cancelled_bookings_come_only_when_asked_for() {
    let running = Running::start(Settings::default()).await;
    let token = running.token().await;
    let id = running.simulator.book().iter().find(|e| e.status == "new").expect("a booking").id;
    assert!(running.simulator.cancel(id, Told::Nobody));
    let has = |body: &Value| body["data"].as_array().expect("data").iter().any(|b| b["id"] == id);
    assert!(!has(&running.get(&token, "/bookings?modifiedFrom=2026-01-01").await.1));
    assert!(!has(&running.get(&token, "/bookings?status[0]=cancelled&includeCancelled=true").await.1));
    assert!(has(&running.get(&token, "/bookings?status=new&status=cancelled").await.1));
    assert!(has(&running.get(&token, &format!("/bookings?id={id}")).await.1));
    for bad in ["/bookings?status=new,cancelled", "/bookings?arrivalFrom=01.02.2027", "/bookings?status=gone"] {
        assert_eq!(running.get(&token, bad).await.0.as_u16(), 400, "{bad}");
    }
}

#[tokio::test]
async fn pages_and_credits() {
    let settings = Settings { bookings: 400, properties: 6, credits_per_five_minutes: 3.0, ..Settings::default() };
    let running = Running::start(settings).await;
    let token = running.token().await;
    let (_, first) = running.get(&token, "/bookings").await;
    assert_eq!((first["count"].as_u64(), first["pages"]["nextPageExists"].as_bool()), (Some(100), Some(true)));
    let (_, second) = running.get(&token, "/bookings?page=2").await;
    assert_ne!(first["data"][0]["id"], second["data"][0]["id"]);
    assert_eq!(running.get(&token, "/bookings?arrivalFrom=x").await.0.as_u16(), 400, "refused, and costs nothing");
    assert_eq!(running.get(&token, "/properties").await.0.as_u16(), 200);
    assert_eq!(running.get(&token, "/properties").await.0.as_u16(), 429);
}

#[tokio::test]
async fn a_webhook_comes_again_until_it_is_taken() {
    let calls = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("address"));
    let seen = Arc::clone(&calls);
    let receiver = Router::new().route(
        "/hook",
        axum::routing::post(move |headers: HeaderMap, axum::Json(body): axum::Json<Value>| async move {
            assert_eq!(headers["x-proof"], "s3");
            let call = seen.fetch_add(1, Ordering::SeqCst);
            assert_eq!(body["retries"].as_u64(), Some(call as u64));
            if call < 1 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
        }),
    );
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let simulator = Beds24::new(Settings::default(), running_clock());
    simulator.set_webhook(Webhook { url, header: Some(("X-Proof".into(), "s3".into())) });
    let own = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let shutdown = CancellationToken::new();
    let server = tokio::spawn({
        let (simulator, shutdown) = (simulator.clone(), shutdown.clone());
        async move { simulator.serve(own, shutdown).await }
    });
    let id = simulator.book().iter().find(|e| e.status == "new").expect("a booking").id;
    assert!(simulator.cancel(id, Told::Webhook));
    while simulator.webhooks_pending() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((calls.load(Ordering::SeqCst), simulator.webhooks_acknowledged()), (2, vec![id]));
    shutdown.cancel();
    server.await.expect("joined").expect("served");
}
