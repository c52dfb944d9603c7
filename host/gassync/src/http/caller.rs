//! Who calls is a type in a handler's signature: without it there is no account to ask for.

use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use gassync_domain::{AccountId, Authority, SourceId, Timestamp};
use jiff::SignedDuration;
use subtle::ConstantTimeEq;

use super::{
    ApiError, Problem,
    scope::{self, Scope},
    traffic,
};
use crate::{
    app::App,
    inbound::verify,
    rate_limit::Standing,
    store::keys::{self, KeyHolder},
};

/// How exactly it is known when a key was last used.
const LAST_USED_STEP: SignedDuration = SignedDuration::from_secs(60);

/// How long it is believed whose key it is, in a process that does not hear of a change made in another.
const BELIEVED: SignedDuration = SignedDuration::from_secs(1);
/// Keys remembered at once.
const REMEMBERED: usize = 10_000;

/// Whose keys were seen just now.
#[derive(Debug, Default)]
pub struct KnownKeys(Mutex<HashMap<String, (Timestamp, Arc<KeyHolder>)>>);

impl KnownKeys {
    fn get(&self, hash: &str, now: Timestamp) -> Option<Arc<KeyHolder>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, holder) = known.get(hash)?;
        (now.duration_since(*seen) < BELIEVED).then(|| Arc::clone(holder))
    }

    fn put(&self, hash: String, holder: Arc<KeyHolder>, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash, (now, holder));
    }

    /// Something about keys or their sources has changed.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A partner with a live key that has the scope `S`.
#[derive(Debug)]
pub struct Caller<S> {
    /// Whose data it may see.
    pub account: AccountId,
    /// What it writes as.
    pub source: SourceId,
    /// The key it came with.
    pub key: i64,
    /// Whether its source creates core entities.
    pub creates: bool,
    /// What its source has the say over.
    pub authority: Authority,
    /// Whether what would have to be mended is refused.
    pub strict: bool,
    holder: Arc<KeyHolder>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// Everything that its key may do.
    pub fn scopes(&self) -> &[String] {
        &self.holder.scopes
    }
}

/// The one who runs this host.
#[derive(Debug, Clone, Copy)]
pub struct Operator(());

/// The door of the standard API: finds whose key it is, counts the call, and lets it in or not.
pub async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let now = app.now();
    let holder = match identify(&app, request.headers(), now).await {
        Ok(holder) => holder,
        Err(refused) => return refused.into_response(),
    };
    let standing = app.rate_limits.count(holder.id, now);
    let mut response = if standing.admitted && holder.is_at_work() {
        let whom = (holder.account, holder.source);
        request.extensions_mut().insert(holder);
        let response = next.run(request).await;
        traffic::note(&app, whom, response.status(), now);
        response
    } else if standing.admitted {
        ApiError::from(Problem::SourceStopped { status: holder.status.clone() }).into_response()
    } else {
        ApiError::from(Problem::TooManyRequests { seconds: standing.reset_seconds }).into_response()
    };
    tell(&standing, response.headers_mut());
    response
}

async fn identify(app: &Arc<App>, headers: &HeaderMap, now: Timestamp) -> Result<Arc<KeyHolder>, ApiError> {
    let hash = verify::hash(bearer(headers).ok_or(Problem::Unauthorized)?);
    if let Some(known) = app.known_keys.get(&hash, now) {
        return Ok(known);
    }
    let mut tx = app.db.platform_read().await?;
    let holder = keys::holder(&mut tx, &hash, now).await?;
    let holder = Arc::new(holder.ok_or(Problem::Unauthorized)?);
    note_use(app, &holder, now);
    app.known_keys.put(hash, Arc::clone(&holder), now);
    Ok(holder)
}

/// Beside the request, which does not wait for it.
fn note_use(app: &Arc<App>, holder: &KeyHolder, now: Timestamp) {
    if holder.last_used_at.is_some_and(|last| now.duration_since(last) < LAST_USED_STEP) {
        return;
    }
    let (app, account, key) = (Arc::clone(app), holder.account, holder.id);
    tokio::spawn(async move {
        let note = async {
            let mut tx = app.db.write(account).await?;
            keys::used(&mut tx, account, key, now).await?;
            tx.commit().await
        };
        if let Err(error) = note.await {
            tracing::warn!(key, %error, "when a key was last used could not be noted");
        }
    });
}

/// The draft's `RateLimit` headers.
fn tell(standing: &Standing, headers: &mut HeaderMap) {
    let Standing { requests, window_seconds, remaining, reset_seconds, .. } = standing;
    let policy = HeaderValue::try_from(format!("\"key\";q={requests};w={window_seconds}"));
    let limit = HeaderValue::try_from(format!("\"key\";r={remaining};t={reset_seconds}"));
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", limit)] {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
}

impl<S: Scope> FromRequestParts<Arc<App>> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let holder = parts.extensions.get::<Arc<KeyHolder>>().ok_or(Problem::Unauthorized)?;
        if !scope::holds(&holder.scopes, S::NAME) {
            return Err(Problem::Forbidden { scope: S::NAME }.into());
        }
        let KeyHolder { id: key, account, source, creates, authority, strict, .. } = **holder;
        Ok(Self { account, source, key, creates, authority, strict, holder: Arc::clone(holder), scope: PhantomData })
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or(Problem::Unauthorized)?;
        if bool::from(token.as_bytes().ct_eq(app.operator_token.as_bytes())) {
            Ok(Self(()))
        } else {
            Err(Problem::Unauthorized.into())
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
