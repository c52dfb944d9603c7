//! `/integration/v1/changes`: what changed in the core, in order, to be read from any place on.

use std::{borrow::Cow, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::{Stream, stream};
use gassync_domain::{AccountId, Date, EventName, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use crate::{
    app::App,
    http::{ApiError, Caller, Problem, params::Params, problem::Document, scope::ChangesRead},
    store::{
        self,
        outbox::{self, FeedEntry},
    },
};

/// Entries of an answer, when the caller does not say.
const DEFAULT_LIMIT: i64 = 50;
/// Most entries of an answer.
const MAX_LIMIT: i64 = 1_000;
/// Entries read at once for a stream.
const STREAM_BATCH: i64 = 200;
/// How often a stream looks by itself; it is woken when something happens in this process.
const STREAM_PERIOD: Duration = Duration::from_secs(2);
/// How often a quiet stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/integration/v1/changes", get(list))
}

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// `nextCursor` of the answer before, or the `sequence` of the last entry that was worked on. Without it the feed
    /// begins with the oldest entry that is kept; `latest` skips what there is.
    #[param(example = "1042")]
    cursor: Option<String>,
    /// Entries of the answer, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// One thing that changed: what and where, never the content. Read the record to see what it is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEntry {
    /// Its place in this account's feed: 1, 2, 3, … without a gap.
    #[schema(example = 1043)]
    sequence: i64,
    /// What was done to which kind of record, such as `reservation.created`, `reservation.cancelled`, `room-type.updated`,
    /// `availability.updated`, `rate.updated`, `overbooking.detected`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "reservation.created")]
    kind: Cow<'static, str>,
    /// The same as something that happened in the business: of bookings `booking.confirmed`, `booking.updated` or
    /// `booking.cancelled`, of prices `pricing.updated`; of all else it is the type.
    #[schema(value_type = String, example = "booking.confirmed")]
    event: Cow<'static, str>,
    /// The core entity; of nights, their unit.
    #[schema(example = 31)]
    gas_id: i64,
    /// What this key's source calls it, where it is linked with it.
    #[schema(example = "res-2027-0417")]
    id: Option<String>,
    /// The first night, where it is about nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last night, which is one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// Whether this key's own source did it.
    own: bool,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Entries in their order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeFeed {
    /// Oldest first.
    data: Vec<ChangeEntry>,
    /// Where to go on, now or whenever; as it was where nothing is new.
    #[schema(example = "1043")]
    next_cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

/// The feed of changes in the account's core, whoever made them.
///
/// With `Accept: text/event-stream` it goes on as server-sent events: `id` is the entry's `sequence`, `event` its `type`,
/// `data` all of it, and `Last-Event-ID` resumes it.
#[utoipa::path(
    get, path = "/integration/v1/changes", tag = "changes", operation_id = "list_changes", params(ChangesQuery),
    responses(
        (status = 200, description = "What changed after the cursor", content((ChangeFeed = "application/json"), (String = "text/event-stream"))),
        (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller<ChangesRead>,
    Params(query): Params<ChangesQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::Malformed(format!("limit must be between 1 and {MAX_LIMIT}")).into());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let cursor = text("last-event-id").or(query.cursor.as_deref());
    let mut tx = app.db.read(caller.account).await?;
    let after = match cursor {
        None | Some("") => 0,
        Some("latest") => outbox::last_sequence(&mut tx, caller.account).await?,
        Some(cursor) => cursor
            .parse::<i64>()
            .ok()
            .filter(|sequence| *sequence >= 0)
            .ok_or_else(|| Problem::Malformed("cursor is not one that this endpoint gave".to_owned()))?,
    };
    if text(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream")) {
        drop(tx);
        let events = events(FeedReader { app, account: caller.account, source: caller.source, after });
        return Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response());
    }
    let mut entries = outbox::feed(&mut tx, caller.account, caller.source, after, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = entries.len() > shown;
    entries.truncate(shown);
    let next_cursor = entries.last().map_or(after, |last| last.sequence).to_string();
    let data = entries.into_iter().map(|fed| entry(fed, caller.source)).collect();
    Ok(Json(ChangeFeed { data, next_cursor, has_more }).into_response())
}

fn entry(fed: FeedEntry, reader: SourceId) -> ChangeEntry {
    let span = fed.fact.span();
    let EventName { event, record } = fed.fact.name();
    ChangeEntry {
        sequence: fed.sequence,
        kind: record,
        event,
        gas_id: fed.fact.entity_id,
        id: fed.external_id,
        from: span.map(|(first, _)| first),
        to: span.map(|(_, last)| last),
        own: fed.fact.origin_source_id == Some(reader.0),
        at: fed.created_at.into(),
    }
}

struct FeedReader {
    app: Arc<App>,
    account: AccountId,
    source: SourceId,
    after: i64,
}

impl FeedReader {
    /// What is new; waits until something is.
    async fn next(&mut self) -> store::Result<Vec<FeedEntry>> {
        loop {
            let app = Arc::clone(&self.app);
            // Armed before looking, so that what comes in meanwhile is not missed.
            let grown = app.feed.notified();
            let mut tx = self.app.db.read(self.account).await?;
            let entries = outbox::feed(&mut tx, self.account, self.source, self.after, STREAM_BATCH).await?;
            drop(tx);
            if let Some(last) = entries.last() {
                self.after = last.sequence;
                return Ok(entries);
            }
            tokio::select! {
                () = grown => {}
                () = tokio::time::sleep(STREAM_PERIOD) => {}
            }
        }
    }
}

/// The feed without an end, until the client goes or the database does: then the client resumes where it was.
fn events(reader: FeedReader) -> impl Stream<Item = Result<Event, Infallible>> {
    let shutdown = reader.app.stopping.clone();
    let batches = stream::unfold((reader, shutdown), |(mut reader, shutdown)| async move {
        let entries = tokio::select! {
            entries = reader.next() => entries,
            () = shutdown.cancelled() => return None,
        };
        match entries {
            Ok(entries) => {
                let source = reader.source;
                let events: Vec<_> = entries.into_iter().map(|fed| event(entry(fed, source))).collect();
                Some((stream::iter(events), (reader, shutdown)))
            }
            Err(error) => {
                tracing::error!(%error, "a stream of changes ends early");
                None
            }
        }
    });
    futures_util::StreamExt::flatten(batches)
}

fn event(entry: ChangeEntry) -> Result<Event, Infallible> {
    let event = Event::default().id(entry.sequence.to_string()).event(&entry.kind);
    // Our own entries always have a JSON form.
    Ok(event.json_data(&entry).unwrap_or_default())
}
