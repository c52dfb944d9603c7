//! A channel in Beds24's wire format whose responses a test controls byte for byte: one property with one cottage,
//! whose bookings the test writes as JSON text. Covers data that occurs in practice and that the simulator does not
//! produce.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use gassync::admin::{CreatedSource, NewSourceRequest};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::host::{ACCOUNT, Host};

/// Channel id of the property.
pub const HOUSE: u64 = 100;
/// Channel id of its only room type, which has one unit.
pub const ROOM: u64 = 200;

/// The content and the faults of the channel.
#[derive(Debug, Clone)]
pub struct Words {
    /// Bookings as JSON texts.
    pub bookings: Vec<String>,
    /// Bookings per page.
    pub page_size: usize,
    /// Members of the property record that differ, such as `{"currency": "GBP"}`.
    pub house: serde_json::Value,
    /// Nights of the calendar, as the items of `calendar`.
    pub calendar: Vec<serde_json::Value>,
    /// Error status of all booking responses.
    pub fails: Option<u16>,
    /// Ids that requests by id do not return.
    pub silent: Vec<u64>,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            bookings: Vec::new(),
            page_size: 100,
            house: json!({}),
            calendar: Vec::new(),
            fails: None,
            silent: Vec::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    words: Words,
    /// Method, path and query of each call, and its body.
    calls: Vec<(String, String)>,
}

/// A running channel.
#[derive(Debug)]
pub struct OddChannel {
    /// Its listen address.
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    stop: CancellationToken,
}

impl Drop for OddChannel {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

type Shared = Arc<Mutex<Inner>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Inner> {
    shared.lock().expect("no test panicked in here")
}

impl OddChannel {
    /// Starts a channel without bookings.
    pub async fn start() -> Self {
        let inner = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let router = Router::new()
            .route("/api/v2/authentication/setup", get(token))
            .route("/api/v2/authentication/token", get(token))
            .route("/api/v2/authentication/details", get(details))
            .route("/api/v2/properties", get(properties))
            .route("/api/v2/bookings", get(bookings).post(write))
            .route("/api/v2/inventory/rooms/calendar", get(calendar).post(write))
            .fallback(any(StatusCode::NOT_FOUND))
            .with_state(Arc::clone(&inner));
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::spawn(async move { serving.await.expect("it serves") });
        Self { address, inner, stop }
    }

    /// Changes the content.
    pub fn say(&self, change: impl FnOnce(&mut Words)) {
        change(&mut lock(&self.inner).words);
    }

    /// The calls so far: method, path and query, and the body.
    pub fn calls(&self) -> Vec<(String, String)> {
        lock(&self.inner).calls.clone()
    }

    /// Number of calls that begin with this, such as `GET /api/v2/bookings`.
    pub fn count(&self, begins: &str) -> usize {
        lock(&self.inner).calls.iter().filter(|(call, _)| call.starts_with(begins)).count()
    }

    /// The request that creates a source for the channel.
    pub fn source(&self, name: &str) -> NewSourceRequest {
        NewSourceRequest {
            account: ACCOUNT.to_owned(),
            channel: "beds24".to_owned(),
            name: name.to_owned(),
            settings: [("baseUrl".to_owned(), json!(format!("http://{}/api/v2", self.address)))].into(),
            credentials: [("inviteCode".to_owned(), "an invite code".to_owned())].into(),
            time_zone: Some("UTC".to_owned()),
        }
    }

    /// Connects the test's account to the channel, as the source `beds24`.
    pub async fn connect(&self, host: &Host) -> CreatedSource {
        let answer = host.operate("sources", &self.source("beds24")).await;
        assert!(answer.status().is_success(), "{}", answer.text().await.expect("a body"));
        answer.json().await.expect("a source")
    }

    /// Sends a booking or any other body to the webhook; returns the response status.
    pub async fn webhook(&self, host: &Host, made: &CreatedSource, booking: &str) -> u16 {
        let body = format!(r#"{{"timeStamp":"2027-01-01T00:00:00Z","booking":{booking}}}"#);
        let header = made.webhook_header.clone().expect("a header");
        let request = host.http.post(&made.webhook_url).header(header, &made.webhook_token);
        let request = request.header("content-type", "application/json").body(body);
        request.send().await.expect("an answer").status().as_u16()
    }
}

/// A booking of the cottage as JSON text: default members, overridden by `members`, whose text is inserted verbatim, so
/// that it can contain what a JSON writer would not produce.
pub fn booking(id: u64, nights: (&str, &str), status: &str, members: &str) -> String {
    let (arrival, departure) = nights;
    let plain = json!({
        "id": id, "propertyId": HOUSE, "roomId": ROOM, "unitId": 1, "roomQty": 1, "status": status, "arrival": arrival,
        "departure": departure, "numAdult": 2, "numChild": 0, "firstName": "Ilse", "lastName": "Marchetti",
        "email": "ilse.marchetti@example.org", "price": 300, "bookingTime": "2027-01-02T08:00:00Z",
        "modifiedTime": "2027-01-02T08:00:00Z", "channel": "direct",
    });
    let over: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let plain: serde_json::Map<String, serde_json::Value> = plain.as_object().cloned().unwrap_or_default();
    let kept = plain.into_iter().filter(|(name, _)| !over.contains(&name.as_str()));
    let kept: Vec<String> = kept.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let separator = if members.is_empty() { "" } else { "," };
    format!("{{{}{separator}{members}}}", kept.join(","))
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn note(shared: &Shared, method: &str, path: &str, query: &str, body: String) {
    lock(shared).calls.push((format!("{method} /api/v2{path}?{query}"), body));
}

async fn token() -> Response {
    json(json!({ "token": "token-1", "expiresIn": 86_400, "refreshToken": "refresh-1" }).to_string())
}

async fn details() -> Response {
    json(json!({ "validToken": true, "token": { "scopes": [], "ownerId": 7 } }).to_string())
}

/// A page of items given as JSON texts.
fn page(kind: &str, items: &[String], more: bool) -> Response {
    let next = if more { "\"next\"" } else { "null" };
    json(format!(
        r#"{{"success":true,"type":"{kind}","count":{},"pages":{{"nextPageExists":{more},"nextPageLink":{next}}},"data":[{}]}}"#,
        items.len(),
        items.join(",")
    ))
}

async fn properties(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    note(&shared, "GET", "/properties", &query.unwrap_or_default(), String::new());
    let mut house = json!({
        "id": HOUSE, "name": "Casa Alta", "propertyType": "house", "currency": "EUR", "address": "Rua Direita 1",
        "city": "Tavira", "country": "PT", "postcode": "8800",
        "roomTypes": [{
            "id": ROOM, "propertyId": HOUSE, "name": "Cottage", "qty": 1, "maxPeople": 6,
            "units": [{ "id": 1, "name": "Cottage 1" }],
        }],
    });
    let over = lock(&shared).words.house.clone();
    if let (Some(house), Some(over)) = (house.as_object_mut(), over.as_object()) {
        house.extend(over.clone());
    }
    page("property", &[house.to_string()], false)
}

async fn bookings(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    note(&shared, "GET", "/bookings", &query, String::new());
    let words = lock(&shared).words.clone();
    if let Some(status) = words.fails {
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, r#"{"success":false,"code":500,"error":"it is down"}"#).into_response();
    }
    let values = |name: &str| -> Vec<u64> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).filter_map(|(_, value)| value.parse().ok()).collect()
    };
    let ids = values("id");
    if !ids.is_empty() {
        let asked = |text: &&String| {
            let id = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| value["id"].as_u64());
            id.is_some_and(|id| ids.contains(&id) && !words.silent.contains(&id))
        };
        let found: Vec<String> = words.bookings.iter().filter(asked).cloned().collect();
        return page("booking", &found, false);
    }
    let number = values("page").first().map_or(1, |page| usize::try_from(*page).expect("small"));
    let from = number.saturating_sub(1) * words.page_size;
    let items: Vec<String> = words.bookings.iter().skip(from).take(words.page_size).cloned().collect();
    page("booking", &items, words.bookings.len() > from + words.page_size)
}

async fn calendar(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    note(&shared, "GET", "/inventory/rooms/calendar", &query.unwrap_or_default(), String::new());
    let nights = lock(&shared).words.calendar.clone();
    page("calendar", &[json!({ "roomId": ROOM, "propertyId": HOUSE, "calendar": nights }).to_string()], false)
}

/// Accepts any write and records only the call.
async fn write(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 * 1024 * 1024).await.expect("a body");
    let text = String::from_utf8_lossy(&body).into_owned();
    let path = parts.uri.path().trim_start_matches("/api/v2").to_owned();
    note(&shared, "POST", &path, parts.uri.query().unwrap_or_default(), text.clone());
    let items = serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap_or_default();
    let outcomes: Vec<serde_json::Value> = items
        .iter()
        .enumerate()
        .map(|(index, item)| json!({ "success": true, "new": { "id": item["id"].as_u64().unwrap_or(9_000 + index as u64) } }))
        .collect();
    let body = serde_json::to_string(&outcomes).expect("JSON");
    (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
