//! Descriptions of calls for the report, limited to what is needed to fix a plugin.

use gassync_domain::{Change, ChangeKind, ChannelError, Outcome, differences};
use serde::Serialize;
use serde_json::Value;

use super::{
    harness::{ResultExtra, SampleResult},
    samples::{Sample, SampleKind},
};
use crate::{CallError, CallRecord, Finished, LogLine};

/// Maximum characters shown of a payload or response.
const MAX_SHOWN_CHARS: usize = 240;
/// Maximum changes, differences and log lines shown.
const MAX_NAMED: usize = 3;

/// Bytes as text, truncated.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    cut(&String::from_utf8_lossy(bytes))
}

/// Bytes as text, truncated on both sides of a position.
pub(super) fn around(bytes: &[u8], place: usize) -> String {
    let half = MAX_SHOWN_CHARS / 2;
    let (start, end) = (place.saturating_sub(half), (place + half).min(bytes.len()));
    let text = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < bytes.len() { "…" } else { "" });
    format!("{before}{text}{after}")
}

pub(super) fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None if text.is_empty() => "nothing".to_owned(),
        None => text,
    }
}

/// Describes a sample and its alteration.
pub(super) fn sent(sample: &Sample, how: &str) -> String {
    let description = match &sample.kind {
        SampleKind::Call { request, .. } => format!("{} {}", request.method, request.url),
        SampleKind::Answer { asked, status, .. } => format!("status {status} to a fetch of {}", asked.entity.as_str()),
    };
    if how.is_empty() {
        format!("{} ({description})", sample.name)
    } else {
        format!("{} ({description}), {how}", sample.name)
    }
}

/// Describes the result of a sample.
pub(super) fn came_back(finished: &Finished<SampleResult>) -> String {
    match &finished.result {
        Ok(decoded) => changes(&decoded.changes),
        Err(error) => failed(error, &finished.record),
    }
}

/// Describes the result of a push.
pub(super) fn outcomes(finished: &Finished<Vec<Outcome>>) -> String {
    match &finished.result {
        Ok(outcomes) => format!("outcomes {}", json(&outcomes)),
        Err(error) => failed(error, &finished.record),
    }
}

/// Describes an error with the plugin's last log lines, such as the location of a panic or a stack trace.
pub(super) fn failed(error: &CallError, record: &CallRecord) -> String {
    let mut text = match error {
        CallError::Channel(ChannelError::RateLimited(None)) => "the error rate-limited, without seconds".to_owned(),
        CallError::Channel(ChannelError::RateLimited(Some(seconds))) => format!("the error rate-limited({seconds})"),
        CallError::Channel(error) => format!("the error {}: {}", error.name(), cut(&error.to_string())),
        other => cut(&other.to_string()),
    };
    if error.is_plugin_fault() {
        // The last lines are closest to the fault.
        let lines: Vec<&LogLine> = record.log.iter().filter(|line| !line.message.is_empty()).collect();
        for line in &lines[lines.len().saturating_sub(MAX_NAMED)..] {
            text.push_str(&format!("\n{}: {}", line.level, cut(&line.message)));
        }
    }
    text
}

fn changes(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no changes".to_owned();
    }
    let mut named: Vec<String> = changes.iter().take(MAX_NAMED).map(name).collect();
    if changes.len() > MAX_NAMED {
        named.push("…".to_owned());
    }
    format!("{} change(s): {}", changes.len(), named.join(", "))
}

fn name(change: &Change) -> String {
    match &change.data {
        ChangeKind::Property(record) => format!("property {}", record.id),
        ChangeKind::RoomType(record) => format!("room type {}", record.id),
        ChangeKind::Reservation(record) => format!("reservation {}", record.id),
        ChangeKind::RatePlan(record) => format!("rate plan {}", record.id),
        ChangeKind::Guest(record) => format!("guest {}", record.id.as_deref().unwrap_or("without id")),
        ChangeKind::Block(record) => format!("block {} to {}", record.check_in, record.check_out),
        ChangeKind::Calendar(record) => format!("calendar of {}", record.room_type_id),
        ChangeKind::Removed(what) => format!("removed {} {}", what.entity.as_str(), what.id),
        ChangeKind::Refetch(what) => {
            let which = what.id.as_deref().unwrap_or("of no id");
            format!("refetch {} {which}", what.entity.as_str())
        }
        ChangeKind::Unreadable(record) => {
            format!("unreadable {} {}", record.entity.as_str(), record.id.as_deref().unwrap_or("without id"))
        }
        ChangeKind::Connection(_) => "an event of the connection".to_owned(),
        ChangeKind::Ask(_) => "a question".to_owned(),
        ChangeKind::Other { name, .. } => name.clone(),
    }
}

/// Lists what differs between two results, by path. Raw records are excluded: they are the payload itself.
pub(super) fn difference(before: &SampleResult, after: &SampleResult) -> String {
    let mut found = Vec::new();
    if before.event_id != after.event_id {
        found.push(format!("the event id was {:?} and is {:?}", before.event_id, after.event_id));
    }
    for change in differences(&value(&before.changes), &value(&after.changes)).into_iter().take(MAX_NAMED) {
        found.push(format!("changes{} was {} and is {}", change.path, json(&change.before), json(&change.after)));
    }
    if before.changes.len() != after.changes.len() {
        found.push(format!("there were {} changes and are {}", before.changes.len(), after.changes.len()));
    }
    let routes = |decoded: &SampleResult| decoded.changes.iter().map(|change| change.route.clone()).collect::<Vec<_>>();
    if before.changes.len() == after.changes.len() && routes(before) != routes(after) {
        found.push("a change is for another property or account".to_owned());
    }
    if before.extra != after.extra {
        found.push(format!("{} became {}", extra(&before.extra), extra(&after.extra)));
    }
    if found.is_empty() { "the channel's own records beside the changes differ".to_owned() } else { found.join("; ") }
}

fn extra(extra: &ResultExtra) -> String {
    match extra {
        ResultExtra::Reply(Some(reply)) => format!("the reply {} {}", reply.status, excerpt(&reply.body)),
        ResultExtra::Reply(None) => "no reply".to_owned(),
        ResultExtra::Continuation { next, resume, .. } => format!("next {next:?}, resume {resume:?}"),
    }
}

/// Records contain only texts, numbers and lists, so serialisation cannot fail.
fn value<T: Serialize>(record: &T) -> Value {
    serde_json::to_value(record).unwrap_or_default()
}

pub(super) fn json<T: Serialize>(record: &T) -> String {
    cut(&value(record).to_string())
}
