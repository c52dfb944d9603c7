//! Receives a channel's call: authenticates it, stores it, processes it, and responds.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use gassync_domain::{HttpRequest, HttpResponse, Timestamp};
use gassync_runtime::{InboundRoute, Manifest, Verification};
use jiff::SignedDuration;

use super::{
    message_crypto, process,
    redact::{self, FieldPath},
    verify::{self, SignedRequest},
};
use crate::{
    app::App,
    credentials,
    http::{ApiError, Problem},
    plugins::Plugin,
    store::{self, Lease, connections, inbox},
};

/// Maximum size of a call, in bytes.
const MAX_CALL_BYTES: usize = 8 * 1024 * 1024;
/// How long a message is reserved for the process that received it; after that the workers take over.
pub(super) const CHANNEL_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// Headers that are not stored.
const PRIVATE_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-forwarded-for"];
/// A call: method, query, headers, peer address (if known), body.
type IncomingCall = (Method, RawQuery, HeaderMap, Option<Extension<ConnectInfo<SocketAddr>>>, Bytes);
/// Retry-After while a plugin is not loaded, in seconds.
const RETRY_AFTER_SECONDS: u32 = 5;

/// The webhook routes for channels.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/webhooks/{key}", any(at_root))
        .route("/webhooks/{key}/{*rest}", any(below))
        .layer(DefaultBodyLimit::max(MAX_CALL_BYTES))
}

async fn at_root(app: State<Arc<App>>, Path(key): Path<String>, call: IncomingCall) -> Result<Response, ApiError> {
    receive(app.0, &key, "/".to_owned(), call).await
}

async fn below(
    app: State<Arc<App>>,
    Path((key, rest)): Path<(String, String)>,
    call: IncomingCall,
) -> Result<Response, ApiError> {
    receive(app.0, &key, format!("/{rest}"), call).await
}

async fn receive(
    app: Arc<App>,
    key: &str,
    path: String,
    (method, RawQuery(query), headers, peer, body): IncomingCall,
) -> Result<Response, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let connection = connections::by_webhook_key(&mut tx, key).await?.ok_or(Problem::NotFound)?;
    let enabled = store::plugins::is_enabled(&mut tx, &connection.channel).await?;
    drop(tx);
    let plugin =
        app.plugins.get(&connection.channel).ok_or(Problem::PluginUnavailable { seconds: RETRY_AFTER_SECONDS })?;
    let route = route(&plugin, &path, &method)?;
    let query = query.unwrap_or_default();
    let secrets = match verify::secrets_of(&route.verification) {
        Some(place) => credentials::stored(&app, connection.account, connection.id, place).await?,
        None => Vec::new(),
    };
    let peer = peer.map(|Extension(ConnectInfo(peer))| peer.ip());
    let call = SignedRequest { headers: &headers, query: &query, body: &body, peer, now: app.now() };
    if !verify::is_authentic(&route.verification, &connection.webhook_token_hash, &secrets, &call) {
        return Err(Problem::Unauthorized.into());
    }
    let request = HttpRequest {
        method: method.to_string(),
        url: address(&path, &query),
        headers: kept_headers(&headers, &route.verification),
        body: (!body.is_empty()).then(|| redact::mask(body.to_vec(), &paths(plugin.manifest(), &route.verification))),
    };
    let now = app.now();
    let message = keep(&app, &connection, request, now).await?;
    let unable = HttpResponse {
        status: route.fallback_response.status,
        headers: Vec::new(),
        body: route.fallback_response.body.clone().into_bytes(),
    };
    if !enabled {
        // The message stays queued until the plugin is enabled again.
        return Ok(word(unable));
    }
    // Process in a separate task, so that neither a disconnect nor a timeout stops it.
    let working = tokio::spawn(process::process(Arc::clone(&app), message));
    let reply = tokio::time::timeout(Duration::from_millis(route.budget_millis), working).await;
    Ok(word(reply.ok().and_then(Result::ok).flatten().unwrap_or(unable)))
}

async fn keep(
    app: &App,
    connection: &connections::Connection,
    request: HttpRequest,
    now: Timestamp,
) -> Result<inbox::InboxMessage, ApiError> {
    let mut tx = app.db.write(connection.account).await?;
    let place = (connection.account, connection.id);
    let id = message_crypto::keep(
        &app.vault,
        &mut tx,
        place,
        inbox::MessageKind::Call,
        &request,
        Lease { now, until: now + CHANNEL_TIMEOUT },
    )
    .await?;
    tx.commit().await?;
    Ok(inbox::InboxMessage {
        account: connection.account,
        id,
        connection: connection.id,
        request,
        key_id: None,
        attempts: 1,
        faults: 0,
        received_at: now,
    })
}

fn route(plugin: &Plugin, path: &str, method: &Method) -> Result<InboundRoute, Problem> {
    let routes = plugin.manifest().routes.iter().filter(|route| route.serves(path));
    let mut known = false;
    for route in routes {
        known = true;
        if route.is_open() && !plugin.allowance().open_routes.contains(&route.path) {
            // Unauthenticated calls need a permission.
            return Err(Problem::Unauthorized);
        }
        if route.methods.iter().any(|m| m == method.as_str()) {
            return Ok(route.clone());
        }
    }
    Err(if known { Problem::MethodNotAllowed } else { Problem::NotFound })
}

fn address(path: &str, query: &str) -> String {
    match verify::without_token(query) {
        rest if rest.is_empty() => path.to_owned(),
        rest => format!("{path}?{rest}"),
    }
}

/// The headers to store, without credentials.
fn kept_headers(headers: &HeaderMap, verification: &Verification) -> Vec<(String, String)> {
    let proof = match verification {
        Verification::StaticHeader { header }
        | Verification::Signature { header, .. }
        | Verification::Jwt { header, .. } => header.to_lowercase(),
        _ => String::new(),
    };
    headers
        .iter()
        .filter(|(name, _)| !PRIVATE_HEADERS.contains(&name.as_str()) && name.as_str() != proof)
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// The fields to mask: sensitive ones and credentials.
fn paths<'a>(manifest: &'a Manifest, verification: &'a Verification) -> Vec<FieldPath<'a>> {
    let proof = match verification {
        Verification::Message { user, password, .. } => vec![user, password],
        _ => Vec::new(),
    };
    manifest.sensitive.iter().chain(proof).map(|text| FieldPath::parse(text)).collect()
}

fn word(answer: HttpResponse) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        let name = axum::http::HeaderName::try_from(name);
        let value = axum::http::HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
