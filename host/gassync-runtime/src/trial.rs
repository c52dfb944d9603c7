//! `gassync plugin try`: what a plugin makes of a payload, with nothing verified, stored or sent.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::{Change, Clock, Decoded, Entity, HttpRequest, HttpResponse, Page, Query, Selection, Timestamp};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{
    Adapter, Budget, Call, CallError, CallRecord, Finished, Grant, LogLine, RecordedRequest, ReplayTransport,
    ShownAsPlaceholders,
};

/// What a trial is run with.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// The source's settings.
    pub settings: Value,
    /// What time it is for the plugin.
    pub now: Timestamp,
    /// What its randomness grows from.
    pub seed: u64,
}

/// How a trial ended.
#[derive(Debug)]
pub enum Ending {
    /// One JSON document.
    Document(String),
    /// The plugin answered an error: a problem document.
    Answered(String),
    /// The plugin broke or went over a limit: a problem document.
    Broke(String),
}

#[derive(Serialize)]
struct DecodeDocument<'a> {
    event_id: &'a Option<String>,
    changes: &'a [Change],
    reply: Option<Reply>,
    log: &'a [LogLine],
}

#[derive(Serialize)]
struct FetchDocument<'a> {
    changes: &'a [Change],
    next: &'a Option<String>,
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

/// An inbound call.
pub async fn decode(plugin: &dyn Adapter, conditions: &Conditions, request: HttpRequest) -> Ending {
    let call = call(plugin, conditions, Vec::new(), Budget::decode());
    let finished = plugin.decode(call, request).await;
    end(finished, |Decoded { event_id, changes, reply }, record| {
        let reply = reply.as_ref().map(|HttpResponse { status, headers, body }| Reply {
            status: *status,
            headers: pairs(headers),
            body: text(Some(body)),
        });
        print(&DecodeDocument { event_id, changes, reply, log: &record.log })
    })
}

/// A fetch, with these answers in order and 503 after them.
pub async fn fetch(plugin: &dyn Adapter, conditions: &Conditions, query: Query, answers: Vec<HttpResponse>) -> Ending {
    let call = call(plugin, conditions, answers, Budget::fetch());
    let finished = plugin.fetch(call, query).await;
    end(finished, |Page { changes, next, .. }, record| {
        let requests = record.requests.iter().map(shown).collect();
        print(&FetchDocument { changes, next, requests, log: &record.log })
    })
}

/// The channel's answer to a fetch of everything of an entity.
pub async fn decode_answer(
    plugin: &dyn Adapter,
    conditions: &Conditions,
    entity: Entity,
    answer: HttpResponse,
) -> Ending {
    let selection = match entity {
        // A calendar has no everything: any nights do, the answer is what is looked at.
        Entity::Calendar => {
            let start = conditions.now.to_zoned(jiff::tz::TimeZone::UTC).date();
            Selection::Within { start, until: start.saturating_add(jiff::Span::new().days(365)) }
        }
        _ => Selection::Everything,
    };
    let query = Query { entity, selection, property_id: None, room_type_id: None, cursor: None };
    fetch(plugin, conditions, query, vec![answer]).await
}

fn call(plugin: &dyn Adapter, conditions: &Conditions, answers: Vec<HttpResponse>, budget: Budget) -> Call {
    let now = conditions.now;
    let clock: Clock = Arc::new(move || now);
    Call {
        id: "trial".to_owned(),
        settings: plugin.manifest().with_defaults(&conditions.settings),
        grant: Grant { origins: plugin.manifest().origins(&conditions.settings), private: Vec::new() },
        credentials: Arc::new(ShownAsPlaceholders),
        transport: Arc::new(ReplayTransport::new(answers)),
        clock,
        seed: conditions.seed,
        budget,
    }
}

fn end<T>(finished: Finished<T>, document: impl FnOnce(&T, &CallRecord) -> String) -> Ending {
    match finished.result {
        Ok(value) => Ending::Document(document(&value, &finished.record)),
        Err(error) => {
            let name = match &error {
                CallError::Channel(channel) => channel.name(),
                CallError::NotExported(_) => "unsupported",
                CallError::OverLimit { .. } => "over-limit",
                CallError::BadAnswer { .. } => "bad-answer",
                CallError::Trap(_) | CallError::Host(_) => "trap",
            };
            let problem = problem(name, &error, &finished.record);
            match error {
                CallError::Channel(_) | CallError::NotExported(_) => Ending::Answered(problem),
                _ => Ending::Broke(problem),
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
        "requests": record.requests.iter().map(shown).collect::<Vec<_>>(),
        "log": record.log,
    }))
}

fn shown(request: &RecordedRequest) -> Request<'_> {
    Request {
        method: &request.method,
        url: braces(&request.url),
        headers: pairs(&request.headers.iter().map(|(n, v)| (n.clone(), braces(v))).collect::<Vec<_>>()),
        body: match text(request.body.as_ref()) {
            Value::String(body) => Value::String(braces(&body)),
            other => other,
        },
        credential: &request.credential,
    }
}

/// `{{slot.field}}` is shown as `{slot.field}`.
fn braces(text: &str) -> String {
    text.replace("{{", "{").replace("}}", "}")
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

/// Through the text, not through values: numbers keep their digits.
fn print<T: Serialize>(document: &T) -> String {
    // Documents are made of texts, numbers and lists alone, which always have a JSON form.
    serde_json::value::to_raw_value(document).unwrap_or_else(|_| RawValue::NULL.to_owned()).get().to_owned()
}
