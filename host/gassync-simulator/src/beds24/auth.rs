use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{Beds24, error};

/// Life of an access token, in seconds.
const TOKEN_SECONDS: i64 = 86_400;
/// Life of a refresh token that nobody uses.
const IDLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Codes and tokens of one account.
#[derive(Default)]
pub(super) struct Tokens {
    invites: Vec<String>,
    refresh: BTreeMap<String, Timestamp>,
    access: BTreeMap<String, Timestamp>,
}

impl Tokens {
    pub fn invite(&mut self, rng: &mut ChaCha8Rng) -> String {
        let code = secret(rng);
        self.invites.push(code.clone());
        code
    }

    pub fn is_valid(&self, token: &str, now: Timestamp) -> bool {
        self.access.get(token).is_some_and(|until| *until > now)
    }

    fn redeem(&mut self, code: &str, now: Timestamp, rng: &mut ChaCha8Rng) -> Option<(String, String)> {
        let place = self.invites.iter().position(|invite| invite == code)?;
        self.invites.remove(place);
        let refresh = secret(rng);
        self.refresh.insert(refresh.clone(), now);
        Some((self.grant(now, rng), refresh))
    }

    fn renew(&mut self, refresh: &str, now: Timestamp, rng: &mut ChaCha8Rng) -> Option<String> {
        let used = self.refresh.get_mut(refresh).filter(|used| now.duration_since(**used) < IDLE)?;
        *used = now;
        Some(self.grant(now, rng))
    }

    fn grant(&mut self, now: Timestamp, rng: &mut ChaCha8Rng) -> String {
        let token = secret(rng);
        self.access.insert(token.clone(), now + SignedDuration::from_secs(TOKEN_SECONDS));
        token
    }
}

fn secret(rng: &mut ChaCha8Rng) -> String {
    format!("{:016x}{:016x}", rng.random::<u64>(), rng.random::<u64>())
}

pub(super) fn router() -> Router<Beds24> {
    Router::new()
        .route("/authentication/setup", get(setup))
        .route("/authentication/token", get(renew).delete(revoke))
        .route("/authentication/details", get(details))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn setup(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let now = (simulator.inner.clock)();
    let account = &mut *simulator.account();
    match account.tokens.redeem(header(&headers, "code"), now, &mut account.rng) {
        Some((token, refresh)) => {
            Json(json!({ "token": token, "expiresIn": TOKEN_SECONDS, "refreshToken": refresh })).into_response()
        }
        None => error(StatusCode::UNAUTHORIZED, "Invite code not valid"),
    }
}

async fn renew(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let now = (simulator.inner.clock)();
    let account = &mut *simulator.account();
    match account.tokens.renew(header(&headers, "refreshToken"), now, &mut account.rng) {
        Some(token) => Json(json!({ "token": token, "expiresIn": TOKEN_SECONDS })).into_response(),
        None => error(StatusCode::UNAUTHORIZED, "Token not valid"),
    }
}

async fn revoke(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let removed = simulator.account().tokens.refresh.remove(header(&headers, "refreshToken")).is_some();
    Json(json!({ "success": removed })).into_response()
}

async fn details(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let now = (simulator.inner.clock)();
    let token = header(&headers, "token");
    let until = simulator.account().tokens.access.get(token).copied().filter(|until| *until > now);
    let left = until.map(|until| until.duration_since(now).as_secs());
    Json(json!({
        "validToken": left.is_some(),
        "token": left.map(|seconds| json!({
            "ownerId": super::book::OWNER_ID,
            "expiresIn": seconds,
            "scopes": ["read:bookings", "read:bookings-personal", "read:inventory", "read:properties"],
            "deviceName": "",
            "linkedProperties": false,
            "onlyPropertyId": null,
            "whiteListOnly": false,
            "whiteList": [],
        })),
        "diagnostics": { "requestIp": "127.0.0.1" },
    }))
    .into_response()
}
