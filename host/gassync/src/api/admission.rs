//! Middleware of the standard API: authentication and rate limits.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use gassync_domain::Timestamp;
use jiff::SignedDuration;

use super::{ApiState, rate_limit::RateLimitStatus, traffic};
use crate::{
    app::App,
    http::{ApiError, Problem, bearer},
    store::keys::{self, KeyHolder},
    vault::fingerprint,
};

/// Resolution of the last use of a key.
const LAST_USED_STEP: SignedDuration = SignedDuration::from_secs(60);

/// Middleware of the standard API: authenticates the key and applies its rate limit.
pub async fn authenticate(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let now = state.app.now();
    let holder = match find_holder(&state, request.headers(), now).await {
        Ok(holder) => holder,
        Err(refused) => return refused.into_response(),
    };
    let status = state.rate_limits.count(holder.id, now);
    let mut response = if status.admitted && holder.may_call() {
        let source = holder.source_key();
        request.extensions_mut().insert(holder);
        let response = next.run(request).await;
        traffic::record(&state.app, &state.traffic, source, response.status(), now);
        response
    } else if status.admitted {
        ApiError::from(Problem::SourceStopped { status: holder.status }).into_response()
    } else {
        ApiError::from(Problem::TooManyRequests { seconds: status.reset_seconds }).into_response()
    };
    set_headers(&status, response.headers_mut());
    response
}

async fn find_holder(state: &ApiState, headers: &HeaderMap, now: Timestamp) -> Result<Arc<KeyHolder>, ApiError> {
    let hash = fingerprint(bearer(headers).ok_or(Problem::Unauthorized)?);
    let app = &state.app;
    // Read the change counter first, so that concurrent changes invalidate the entry.
    let changes = app.key_changes.load(Ordering::SeqCst);
    if let Some(known) = state.keys.get(&hash, changes, now) {
        return Ok(known);
    }
    let mut tx = app.db.platform_read().await?;
    let holder = keys::holder(&mut tx, &hash, now).await?;
    let holder = Arc::new(holder.ok_or(Problem::Unauthorized)?);
    record_use(app, &holder, now);
    state.keys.put(hash, (changes, now), Arc::clone(&holder));
    Ok(holder)
}

/// Runs in the background; the request does not wait.
fn record_use(app: &Arc<App>, holder: &KeyHolder, now: Timestamp) {
    if holder.last_used_at.is_some_and(|last| now.duration_since(last) < LAST_USED_STEP) {
        return;
    }
    let (app, account, key) = (Arc::clone(app), holder.account, holder.id);
    tokio::spawn(async move {
        let note = async {
            let mut tx = app.db.write(account).await?;
            keys::mark_used(&mut tx, account, key, now).await?;
            tx.commit().await
        };
        if let Err(error) = note.await {
            tracing::warn!(key, %error, "last use of key not recorded");
        }
    });
}

/// The `RateLimit` headers of the IETF draft.
fn set_headers(status: &RateLimitStatus, headers: &mut HeaderMap) {
    let RateLimitStatus { requests, window_seconds, remaining, reset_seconds, .. } = status;
    let policy = HeaderValue::try_from(format!("\"key\";q={requests};w={window_seconds}"));
    let limit = HeaderValue::try_from(format!("\"key\";r={remaining};t={reset_seconds}"));
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", limit)] {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
}
