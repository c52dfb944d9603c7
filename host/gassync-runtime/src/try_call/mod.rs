//! `gassync plugin try`: runs one plugin call on a payload; nothing is verified, stored or sent.

mod core_data;

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::{
    Acknowledgement, AcknowledgementOutcome, Attempt, CalendarUpdate, Change, ChangeResult, ContentItem, Decoded,
    Entity, FieldError, HttpRequest, HttpResponse, Operation, Outcome, Page, Query, RawJson, Selection, Timestamp,
    utc_day,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

pub use self::core_data::FileCoreData;
use crate::{
    Adapter, Budget, Call, CallError, CallRecord, CredentialError, Credentials, Finished, LogLine, Permissions,
    PlaceholderCredentials, RecordedRequest, ReplayTransport, Secret, Transport, placeholder::in_single_braces,
};

/// Maximum chunks read from one feed.
pub(crate) const MAX_CHUNKS: usize = 1_000;

/// Input shared by all calls.
#[derive(Debug, Clone)]
pub struct TryContext {
    /// The source's settings.
    pub settings: Value,
    /// Current time for the plugin.
    pub now: Timestamp,
    /// Random seed.
    pub seed: u64,
    /// The core's data.
    pub core_data: FileCoreData,
}

/// Result of a call.
#[derive(Debug)]
pub enum TryResult {
    /// One JSON document.
    Document(String),
    /// An error of the plugin: a problem document.
    PluginError(String),
    /// A trap or an exceeded limit: a problem document.
    PluginFault(String),
}

/// A change as the host stores it, with the channel's original record if it was mended.
#[derive(Serialize)]
struct ShownChange<'a> {
    #[serde(flatten)]
    change: &'a Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a RawJson>,
}

impl<'a> From<&'a Change> for ShownChange<'a> {
    fn from(change: &'a Change) -> Self {
        Self { change, raw: change.raw.as_ref().filter(|_| !change.mended.is_empty()) }
    }
}

#[derive(Serialize)]
struct DecodeDocument<'a> {
    event_id: &'a Option<String>,
    changes: Vec<ShownChange<'a>>,
    reply: Option<Reply>,
    log: &'a [LogLine],
}

#[derive(Serialize)]
struct FetchDocument<'a> {
    changes: Vec<ShownChange<'a>>,
    next: &'a Option<String>,
    requests: Vec<Request<'a>>,
    log: &'a [LogLine],
}

#[derive(Serialize)]
struct PushDocument<'a, T> {
    requests: Vec<Request<'a>>,
    outcomes: &'a [T],
    log: &'a [LogLine],
}

#[derive(Serialize)]
struct ReplyDocument<'a> {
    reply: Reply,
    requests: Vec<Request<'a>>,
    log: &'a [LogLine],
}

#[derive(Serialize)]
struct Reply {
    status: u16,
    headers: Value,
    body: Value,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    url: String,
    headers: Value,
    body: Value,
    credential: &'a Option<String>,
}

/// Decodes an inbound call.
pub async fn decode(plugin: &dyn Adapter, context: &TryContext, request: HttpRequest) -> TryResult {
    let finished = plugin.decode(call(plugin, context, Vec::new(), Budget::decode()), request).await;
    end(finished, |Decoded { event_id, changes, reply }, record| {
        let reply = reply.as_ref().map(replied);
        let changes = changes.iter().map(ShownChange::from).collect();
        print(&DecodeDocument { event_id, changes, reply, log: &record.log })
    })
}

/// Runs a fetch with these channel responses in order, then 503.
pub async fn fetch(plugin: &dyn Adapter, context: &TryContext, query: Query, answers: Vec<HttpResponse>) -> TryResult {
    let call = call(plugin, context, answers, Budget::fetch());
    let finished = plugin.fetch(call, query).await;
    end(finished, |Page { changes, next, .. }, record| {
        let requests = sent(record);
        let changes = changes.iter().map(ShownChange::from).collect();
        print(&FetchDocument { changes, next, requests, log: &record.log })
    })
}

/// Decodes one channel response to a fetch of all records of an entity.
pub async fn decode_answer(
    plugin: &dyn Adapter,
    context: &TryContext,
    entity: Entity,
    answer: HttpResponse,
) -> TryResult {
    let selection = match entity {
        // A calendar query needs dates. Any dates do, because only the response is tested.
        Entity::Calendar => {
            let start = utc_day(context.now);
            Selection::Within { start, until: start.saturating_add(jiff::Span::new().days(365)) }
        }
        _ => Selection::Everything,
    };
    fetch(plugin, context, Query::new(entity, selection), vec![answer]).await
}

/// Builds the reply to an inbound call, given the result of each change.
pub async fn respond(
    plugin: &dyn Adapter,
    context: &TryContext,
    request: HttpRequest,
    results: Vec<ChangeResult>,
) -> TryResult {
    let call = || call(plugin, context, Vec::new(), Budget::decode());
    let decoded = plugin.decode(call(), request.clone()).await;
    let finished = match decoded.result {
        Ok(Decoded { changes, .. }) => plugin.respond(call(), request, changes, results).await,
        // Like a running host, reply to an undecodable call through `on_error`.
        Err(CallError::Channel(why)) => {
            let reply = plugin.on_error(call(), request, why.clone()).await;
            match reply.result {
                Err(CallError::Channel(_)) => Finished { result: Err(CallError::Channel(why)), ..reply },
                _ => reply,
            }
        }
        Err(error) => Finished { result: Err(error), record: decoded.record },
    };
    end(finished, |reply, record| {
        print(&ReplyDocument { reply: replied(reply), requests: sent(record), log: &record.log })
    })
}

/// Pushes nights.
pub async fn calendar(
    plugin: &dyn Adapter,
    context: &TryContext,
    updates: Vec<CalendarUpdate>,
    answers: Vec<HttpResponse>,
) -> TryResult {
    let call = call(plugin, context, answers, Budget::fetch());
    pushed(plugin.push_calendar(call, updates, Attempt::First).await)
}

/// Pushes reservations.
pub async fn reservations(
    plugin: &dyn Adapter,
    context: &TryContext,
    operations: Vec<Operation>,
    answers: Vec<HttpResponse>,
) -> TryResult {
    let call = call(plugin, context, answers, Budget::fetch());
    pushed(plugin.push_reservations(call, operations).await)
}

/// Pushes content.
pub async fn content(
    plugin: &dyn Adapter,
    context: &TryContext,
    items: Vec<ContentItem>,
    answers: Vec<HttpResponse>,
) -> TryResult {
    let call = call(plugin, context, answers, Budget::fetch());
    pushed(plugin.push_content(call, items, Attempt::First).await)
}

/// Sends acknowledgements.
pub async fn acknowledge(
    plugin: &dyn Adapter,
    context: &TryContext,
    acknowledgements: Vec<Acknowledgement>,
    answers: Vec<HttpResponse>,
) -> TryResult {
    let call = call(plugin, context, answers, Budget::fetch());
    pushed(as_outcomes(plugin.acknowledge(call, acknowledgements).await))
}

/// Converts outcomes of acknowledgements to outcomes of pushes.
pub(crate) fn as_outcomes(finished: Finished<Vec<AcknowledgementOutcome>>) -> Finished<Vec<Outcome>> {
    let Finished { result, record } = finished;
    let as_outcome = |outcome: AcknowledgementOutcome| match outcome {
        AcknowledgementOutcome::Accepted => {
            Outcome::Accepted { id: None, replaces: None, confirmed: true, warnings: Vec::new() }
        }
        AcknowledgementOutcome::Retry(seconds) => Outcome::Retry(seconds),
        AcknowledgementOutcome::Outdated(problem) | AcknowledgementOutcome::Refused(problem) => {
            Outcome::Refused(vec![FieldError::new("", problem)])
        }
    };
    Finished { result: result.map(|outcomes| outcomes.into_iter().map(as_outcome).collect()), record }
}

/// Renders a whole feed by joining its chunks.
pub async fn render(plugin: &dyn Adapter, context: &TryContext, request: HttpRequest) -> TryResult {
    let mut reply: Option<HttpResponse> = None;
    let mut cursor = None;
    for _ in 0..MAX_CHUNKS {
        let call = call(plugin, context, Vec::new(), Budget::fetch());
        let mut finished = plugin.render(call, request.clone(), cursor).await;
        let rendered = match &mut finished.result {
            Ok(rendered) => rendered,
            Err(_) => return end(finished, |_, _| String::new()),
        };
        let body = std::mem::take(&mut rendered.body);
        match &mut reply {
            Some(reply) => reply.body.extend(body),
            None => {
                let headers = std::mem::take(&mut rendered.headers);
                reply = Some(HttpResponse { status: rendered.status, headers, body });
            }
        }
        cursor = rendered.next.take();
        if cursor.is_none() {
            return end(finished, |_, record| {
                let reply = reply
                    .as_ref()
                    .map_or_else(|| Reply { status: 0, headers: Value::Null, body: Value::Null }, replied);
                print(&ReplyDocument { reply, requests: sent(record), log: &record.log })
            });
        }
    }
    TryResult::PluginFault(print(&serde_json::json!({
        "type": "/problems/plugin/chunks", "title": format!("the feed has more than {MAX_CHUNKS} chunks")
    })))
}

fn pushed<T: Serialize>(finished: Finished<Vec<T>>) -> TryResult {
    end(finished, |outcomes, record| print(&PushDocument { requests: sent(record), outcomes, log: &record.log }))
}

/// Returns the content type for a file extension.
pub fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("ics") => "text/calendar",
        _ => "application/octet-stream",
    }
}

/// Returns each secret as its placeholder. Secrets that are URLs become valid URLs instead.
struct TryCredentials {
    addresses: BTreeSet<(String, String)>,
}

#[async_trait]
impl Credentials for TryCredentials {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        if self.addresses.contains(&(slot.to_owned(), field.to_owned())) {
            return Ok(Secret::new(address(slot, field)));
        }
        PlaceholderCredentials.field(slot, field).await
    }

    async fn keep(&self, _: &str, _: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
        Ok(())
    }
}

fn address(slot: &str, field: &str) -> String {
    format!("https://{slot}.{field}.invalid/").to_lowercase()
}

fn call(plugin: &dyn Adapter, context: &TryContext, answers: Vec<HttpResponse>, budget: Budget) -> Call {
    call_over(plugin, context, Arc::new(ReplayTransport::new(answers)), budget)
}

/// A call with everything its manifest requests, and placeholders instead of secrets.
pub(crate) fn call_over(
    plugin: &dyn Adapter,
    context: &TryContext,
    transport: Arc<dyn Transport>,
    budget: Budget,
) -> Call {
    let (now, manifest) = (context.now, plugin.manifest());
    let permissions = Permissions::as_requested(manifest);
    let secret = |slot: &str, field: &str| Some(address(slot, field));
    let owned = |(slot, field): (&str, &str)| (slot.to_owned(), field.to_owned());
    Call {
        settings: manifest.with_defaults(&context.settings),
        grant: permissions.grant(manifest, &context.settings, secret, Vec::new()),
        credentials: Arc::new(TryCredentials { addresses: manifest.secret_addresses().map(owned).collect() }),
        transport,
        clock: Arc::new(move || now),
        seed: context.seed,
        budget: Budget { memory_bytes: permissions.memory_bytes(manifest), ..budget },
        core_data: Arc::new(context.core_data.clone().on(utc_day(now))),
        ..Call::isolated("trial")
    }
}

fn replied(reply: &HttpResponse) -> Reply {
    Reply { status: reply.status, headers: pairs(&reply.headers), body: text(Some(&reply.body)) }
}

fn sent(record: &CallRecord) -> Vec<Request<'_>> {
    record.requests.iter().map(shown).collect()
}

fn end<T>(finished: Finished<T>, document: impl FnOnce(&T, &CallRecord) -> String) -> TryResult {
    match finished.result {
        Ok(value) => TryResult::Document(document(&value, &finished.record)),
        Err(error) => {
            let name = match &error {
                CallError::LimitExceeded { .. } => "over-limit",
                CallError::Host(_) => "trap",
                other => other.name(),
            };
            let problem = problem(name, &error, &finished.record);
            match error {
                CallError::Channel(_) | CallError::NotExported(_) => TryResult::PluginError(problem),
                _ => TryResult::PluginFault(problem),
            }
        }
    }
}

fn problem(name: &str, error: &CallError, record: &CallRecord) -> String {
    let errors = match error {
        CallError::Channel(gassync_domain::ChannelError::Rejected(errors)) => errors.as_slice(),
        _ => &[],
    };
    print(&serde_json::json!({
        "type": format!("/problems/plugin/{name}"),
        "title": error.to_string(),
        "errors": errors,
        "requests": sent(record),
        "log": record.log,
    }))
}

fn shown(request: &RecordedRequest) -> Request<'_> {
    Request {
        method: &request.method,
        url: in_single_braces(&request.url),
        headers: pairs(&request.headers.iter().map(|(n, v)| (n.clone(), in_single_braces(v))).collect::<Vec<_>>()),
        body: match text(request.body.as_ref()) {
            Value::String(body) => Value::String(in_single_braces(&body)),
            other => other,
        },
        credential: &request.credential,
    }
}

fn pairs(headers: &[(String, String)]) -> Value {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn text(body: Option<&Vec<u8>>) -> Value {
    match body.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => Value::Null,
        Some((_, Ok(text))) => Value::from(text),
        Some((bytes, Err(_))) => serde_json::json!({ "base64": STANDARD.encode(bytes) }),
    }
}

/// Serialises to raw text, not through `Value`, to keep the digits of numbers.
fn print<T: Serialize>(document: &T) -> String {
    // Documents contain only texts, numbers and lists, so serialisation cannot fail.
    serde_json::value::to_raw_value(document).unwrap_or_else(|_| RawValue::NULL.to_owned()).get().to_owned()
}
