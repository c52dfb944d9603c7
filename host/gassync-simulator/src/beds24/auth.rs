//! Invite codes and tokens, and the calls that exchange them.

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

use super::{Beds24, answer::error, booking::whole_second, scopes::Scopes};

/// Lifetime of an access token, in seconds.
const TOKEN_SECONDS: i64 = 86_400;
/// Lifetime of an unused refresh token.
const IDLE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Lifetime of an unused long-life token.
const LONG_LIFE_IDLE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Lifetime of an invite code. Of the two documented values this is the longer one.
const INVITE: SignedDuration = SignedDuration::from_hours(24);

/// Codes and tokens of one account.
#[derive(Default)]
pub(super) struct Tokens {
    invites: BTreeMap<String, (Timestamp, Scopes)>,
    refresh: BTreeMap<String, Refresh>,
    access: BTreeMap<String, Access>,
}

#[derive(Clone)]
struct Refresh {
    used: Timestamp,
    granted: Granted,
}

/// Grant of an invite code, inherited by all tokens obtained from it.
#[derive(Clone)]
struct Granted {
    scopes: Scopes,
    device: String,
}

struct Access {
    created: Timestamp,
    until: Until,
    /// The refresh token it was obtained from, with which it expires.
    from: Option<String>,
    granted: Granted,
}

enum Until {
    Then(Timestamp),
    Idle { used: Timestamp },
}

/// Tokens returned for an invite code or refresh token.
pub(super) struct Issued {
    token: String,
    refresh: Option<String>,
}

impl Tokens {
    pub fn invite(&mut self, scopes: Scopes, now: Timestamp, rng: &mut ChaCha8Rng) -> String {
        let code = secret(rng);
        self.invites.insert(code.clone(), (now + INVITE, scopes));
        code
    }

    /// Creates a long-life token, which is read-only.
    pub fn long_life(&mut self, scopes: &Scopes, now: Timestamp, rng: &mut ChaCha8Rng) -> String {
        let areas = scopes.0.iter().filter(|scope| !scope.starts_with("write:") && !scope.starts_with("delete:"));
        let read = areas.map(|scope| format!("read:{}", scope.rsplit(':').next().unwrap_or_default()));
        let granted = Granted { scopes: Scopes(read.collect()), device: String::new() };
        let token = secret(rng);
        let until = Until::Idle { used: now };
        self.access.insert(token.clone(), Access { created: now, until, from: None, granted });
        token
    }

    /// Returns the scopes of a valid token, and counts as a use of it.
    pub fn scopes(&mut self, token: &str, now: Timestamp) -> Option<Scopes> {
        let access = self.access.get_mut(token).filter(|access| access.seconds_left(now) > 0)?;
        if let Until::Idle { used } = &mut access.until {
            *used = now;
        }
        Some(access.granted.scopes.clone())
    }

    /// Expires an access token.
    pub fn end(&mut self, token: &str) {
        self.access.remove(token);
    }

    /// Expires all access tokens; refresh tokens stay valid.
    pub fn end_all(&mut self) {
        self.access.clear();
    }

    fn redeem(&mut self, code: &str, device: &str, now: Timestamp, rng: &mut ChaCha8Rng) -> Option<Issued> {
        let (_, scopes) = self.invites.remove(code).filter(|(until, _)| *until > now)?;
        let granted = Granted { scopes, device: device.to_owned() };
        let refresh = secret(rng);
        self.refresh.insert(refresh.clone(), Refresh { used: now, granted: granted.clone() });
        Some(Issued { token: self.grant(&refresh, granted, now, rng), refresh: Some(refresh) })
    }

    fn renew(&mut self, refresh: &str, rotates: bool, now: Timestamp, rng: &mut ChaCha8Rng) -> Option<Issued> {
        let known = self.refresh.get_mut(refresh).filter(|known| now.duration_since(known.used) < IDLE)?;
        known.used = now;
        let known = known.clone();
        let token = self.grant(refresh, known.granted.clone(), now, rng);
        if !rotates {
            return Some(Issued { token, refresh: None });
        }
        self.refresh.remove(refresh);
        let next = secret(rng);
        self.refresh.insert(next.clone(), known);
        for access in self.access.values_mut().filter(|access| access.from.as_deref() == Some(refresh)) {
            access.from = Some(next.clone());
        }
        Some(Issued { token, refresh: Some(next) })
    }

    fn revoke(&mut self, refresh: &str) -> bool {
        self.access.retain(|_, access| access.from.as_deref() != Some(refresh));
        self.refresh.remove(refresh).is_some()
    }

    fn grant(&mut self, refresh: &str, granted: Granted, now: Timestamp, rng: &mut ChaCha8Rng) -> String {
        let token = secret(rng);
        let until = Until::Then(now + SignedDuration::from_secs(TOKEN_SECONDS));
        let access = Access { created: now, until, from: Some(refresh.to_owned()), granted };
        self.access.insert(token.clone(), access);
        token
    }
}

impl Access {
    fn seconds_left(&self, now: Timestamp) -> i64 {
        let until = match self.until {
            Until::Then(until) => until,
            Until::Idle { used } => used + LONG_LIFE_IDLE,
        };
        until.duration_since(now).as_secs().max(0)
    }
}

impl Issued {
    fn answer(self) -> Response {
        let mut body = json!({ "token": self.token, "expiresIn": TOKEN_SECONDS });
        if let Some(refresh) = self.refresh {
            body["refreshToken"] = refresh.into();
        }
        Json(body).into_response()
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

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn setup(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let now = simulator.now();
    let account = &mut *simulator.account();
    let device = header(&headers, "devicename");
    match account.tokens.redeem(header(&headers, "code"), device, now, &mut account.rng) {
        Some(issued) => issued.answer(),
        None => error(StatusCode::UNAUTHORIZED, "Invite code not valid"),
    }
}

async fn renew(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let (now, rotates) = (simulator.now(), simulator.inner.settings.refresh_rotates);
    let account = &mut *simulator.account();
    match account.tokens.renew(header(&headers, "refreshtoken"), rotates, now, &mut account.rng) {
        Some(issued) => issued.answer(),
        None => error(StatusCode::UNAUTHORIZED, "Token not valid"),
    }
}

async fn revoke(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let removed = simulator.account().tokens.revoke(header(&headers, "refreshtoken"));
    Json(json!({ "success": removed })).into_response()
}

async fn details(State(simulator): State<Beds24>, headers: HeaderMap) -> Response {
    let now = simulator.now();
    let account = simulator.account();
    let access = account.tokens.access.get(header(&headers, "token")).filter(|access| access.seconds_left(now) > 0);
    Json(json!({
        "validToken": access.is_some(),
        "token": access.map(|access| json!({
            "ownerId": simulator.inner.settings.owner_id(),
            "expiresIn": access.seconds_left(now),
            "created": whole_second(access.created).to_string(),
            "scopes": access.granted.scopes.0,
            "deviceName": access.granted.device,
            "linkedProperties": false,
            "onlyPropertyId": null,
            "whiteListOnly": false,
            "whiteList": [],
        })),
        "diagnostics": { "requestIp": "127.0.0.1" },
    }))
    .into_response()
}
