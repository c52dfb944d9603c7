//! What the endpoints for records have in common: one record or a list, each with an outcome of its own.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use gassync_domain::{Change, Date, FieldError, News, Parked, RawJson, Route};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{ApiError, Caller, Problem};
use crate::{
    app::App,
    core::WhenFull,
    inbound::apply::{self, Incoming, Outcome},
    store::{self, buffer::Stored, sources},
};

/// Most records in one list.
pub const MAX_RECORDS: usize = 1_000;
/// The largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// What became of one record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordOutcome {
    /// The record's id, where it had one.
    pub id: Option<String>,
    /// `created`, `updated`, `unchanged`, `parked` or `rejected`.
    #[schema(example = "created")]
    pub status: &'static str,
    /// The core entity it is linked to.
    pub gas_id: Option<i64>,
    /// What is wrong with it, or what it waits for.
    pub errors: Vec<FieldError>,
    /// Nights on which it is sold although there was no room left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<String>, format = Date)]
    pub overbooked: Vec<Date>,
}

/// A buffered record, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shown<T> {
    /// As last told.
    #[serde(flatten)]
    pub record: T,
    /// The core entity it is linked to.
    pub gas_id: Option<i64>,
    /// What it waits for, where it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub parked: Option<Vec<String>>,
    /// When it was last confirmed.
    #[schema(value_type = String, format = DateTime)]
    pub synced_at: gassync_domain::Timestamp,
}

impl<T> From<Stored<T>> for Shown<T> {
    fn from(stored: Stored<T>) -> Self {
        Self {
            record: stored.record,
            gas_id: stored.core.map(|id| id.0),
            parked: stored.parked.map(|Parked(missing)| missing.iter().map(ToString::to_string).collect()),
            synced_at: stored.synced_at,
        }
    }
}

/// Takes one record or a list.
pub async fn post<T: DeserializeOwned>(
    app: &Arc<App>,
    caller: Caller,
    (headers, body): (HeaderMap, Bytes),
    news: fn(T) -> News,
) -> Result<Response, ApiError> {
    json_only(&headers)?;
    let text = std::str::from_utf8(&body).map_err(|_| Problem::Malformed("the body is not UTF-8".to_owned()))?;
    let malformed = |error: serde_json::Error| Problem::Malformed(format!("the body is not JSON: {error}"));
    let list = text.trim_start().starts_with('[');
    let records: Vec<Box<RawValue>> = if list {
        serde_json::from_str(text).map_err(malformed)?
    } else {
        vec![serde_json::from_str(text).map_err(malformed)?]
    };
    if records.len() > MAX_RECORDS {
        let text = format!("the list has {} records; the limit is {MAX_RECORDS}", records.len());
        return Err(Problem::TooLarge(text).into());
    }
    let read: Vec<_> = records.into_iter().map(|raw| read(raw, news)).collect();
    let outcomes = apply_all(app, caller, &read).await?;
    if list {
        return Ok(Json(outcomes).into_response());
    }
    let outcome = outcomes.into_iter().next().ok_or(Problem::Internal)?;
    let status = match outcome.status {
        "created" => StatusCode::CREATED,
        "parked" => StatusCode::ACCEPTED,
        "rejected" => return Err(Problem::Invalid(outcome.errors).into()),
        _ => StatusCode::OK,
    };
    Ok((status, Json(outcome)).into_response())
}

fn json_only(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if json { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

type Read = Result<Change, Box<RecordOutcome>>;

fn read<T: DeserializeOwned>(raw: Box<RawValue>, news: fn(T) -> News) -> Read {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    match serde_path_to_error::deserialize(&mut reader) {
        Ok(record) => Ok(Change { route: Route::default(), news: news(record), raw: Some(RawJson::from(raw)) }),
        Err(error) => {
            let path = pointer(&error.path().to_string());
            // The reader's place is a line of the record, which says nothing the path does not.
            let problem = error.inner().to_string();
            let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
            let id = serde_json::from_str::<serde_json::Value>(raw.get()).ok();
            let id = id.and_then(|record| record.get("id").and_then(|id| id.as_str()).map(str::to_owned));
            let errors = vec![FieldError { path, problem }];
            Err(Box::new(RecordOutcome { id, status: "rejected", gas_id: None, errors, overbooked: Vec::new() }))
        }
    }
}

/// `rooms[0].checkIn` becomes `/rooms/0/checkIn`.
fn pointer(path: &str) -> String {
    if path == "." {
        return String::new();
    }
    format!("/{}", path.replace("].", "/").replace(['[', '.'], "/").replace(']', ""))
}

/// All good records in one transaction; should that fail, each in one of its own, so that one stops no other.
async fn apply_all(app: &Arc<App>, caller: Caller, read: &[Read]) -> Result<Vec<RecordOutcome>, ApiError> {
    let incoming = incoming(app, caller).await?;
    let good: Vec<Change> = read.iter().filter_map(|record| record.as_ref().ok().cloned()).collect();
    let mut outcomes = match apply_in_one(app, &incoming, good.clone()).await {
        Ok(outcomes) => outcomes,
        Err(error) if good.len() > 1 => {
            tracing::warn!(%error, records = good.len(), "a batch failed as one; its records are tried alone");
            let mut outcomes = Vec::with_capacity(good.len());
            for change in good {
                outcomes.extend(apply_in_one(app, &incoming, vec![change]).await?);
            }
            outcomes
        }
        Err(error) => return Err(error.into()),
    }
    .into_iter();
    app.wake.notify_waiters();
    let show = |record: &Read| match record {
        Err(rejected) => Some(RecordOutcome {
            id: rejected.id.clone(),
            status: rejected.status,
            gas_id: None,
            errors: rejected.errors.clone(),
            overbooked: Vec::new(),
        }),
        Ok(change) => Some(outcome(change, outcomes.next()?)),
    };
    let shown: Option<Vec<RecordOutcome>> = read.iter().map(show).collect();
    Ok(shown.ok_or(Problem::Internal)?)
}

async fn incoming(app: &App, caller: Caller) -> Result<Incoming, ApiError> {
    let mut tx = app.db.read(caller.account).await?;
    let source = sources::get(&mut tx, caller.account, caller.source).await?.ok_or(Problem::Unauthorized)?;
    let now = app.now();
    Ok(Incoming {
        account: caller.account,
        source: source.id,
        creates: source.creates,
        when_full: WhenFull::Keep,
        observed_at: now,
        now,
    })
}

async fn apply_in_one(app: &App, incoming: &Incoming, changes: Vec<Change>) -> store::Result<Vec<Outcome>> {
    let mut tx = app.db.write(incoming.account).await?;
    let outcomes = apply::changes(&mut tx, incoming, changes).await?;
    tx.commit().await?;
    Ok(outcomes)
}

fn outcome(change: &Change, outcome: Outcome) -> RecordOutcome {
    let id = match &change.news {
        News::Property(record) => Some(record.id.clone()),
        News::RoomType(record) => Some(record.id.clone()),
        News::Reservation(record) => Some(record.id.clone()),
        _ => None,
    };
    let status = outcome.word();
    let gas_id = outcome.core().map(|core| core.0);
    let (errors, overbooked) = match outcome {
        Outcome::Overbooked { nights, .. } => (Vec::new(), nights),
        Outcome::Rejected(errors) => (errors, Vec::new()),
        Outcome::Refused(full) => (full.nights.iter().map(no_room).collect(), Vec::new()),
        Outcome::Parked(Parked(missing)) => {
            let waits = |m: gassync_domain::Missing| FieldError { path: String::new(), problem: m.to_string() };
            (missing.into_iter().map(waits).collect(), Vec::new())
        }
        _ => Default::default(),
    };
    RecordOutcome { id, status, gas_id, errors, overbooked }
}

fn no_room(night: &Date) -> FieldError {
    FieldError { path: "/rooms".to_owned(), problem: format!("has no room left on {night}") }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn paths_become_pointers() {
        assert_eq!(pointer("rooms[0].checkIn"), "/rooms/0/checkIn");
        assert_eq!(pointer("guest.email"), "/guest/email");
        assert_eq!(pointer("."), "");
    }
}
