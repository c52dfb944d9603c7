//! `/integration/v1/changes`: the ordered change feed of the core.

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
use gassync_domain::{AccountId, Date, EventName, SourceId, SourceKey, Timestamp};
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

/// Default page size.
const DEFAULT_LIMIT: i64 = 50;
/// Maximum page size.
const MAX_LIMIT: i64 = 1_000;
/// Batch size of a stream.
const STREAM_BATCH: i64 = 200;
/// Polling interval of a stream; events of this process wake it earlier.
const STREAM_PERIOD: Duration = Duration::from_secs(2);
/// Keep-alive interval of a stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) fn router() -> Router<ApiState> {
    Router::new().route("/integration/v1/changes", get(list))
}

/// Position and page size.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// `nextCursor` of the previous page, or the `sequence` of the last processed entry. Default: start at the oldest
    /// retained entry. `latest`: skip all existing entries.
    #[param(example = "1042")]
    cursor: Option<String>,
    /// Page size, 1 to 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// A change: what changed, without its content. Read the record for its current state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEntry {
    /// Sequence number in the account's feed: 1, 2, 3, … without gaps.
    #[schema(example = 1043)]
    sequence: i64,
    /// Record event, such as `reservation.created`, `reservation.cancelled`, `room-type.updated`,
    /// `availability.updated`, `rate.updated`, `overbooking.detected`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "reservation.created")]
    kind: Cow<'static, str>,
    /// Business event: `booking.confirmed`, `booking.updated` or `booking.cancelled` for bookings, `pricing.updated`
    /// for prices; otherwise equal to `type`.
    #[schema(value_type = String, example = "booking.confirmed")]
    event: Cow<'static, str>,
    /// Identifier of the core entity; for nights, of the unit.
    #[schema(example = 31)]
    gas_id: i64,
    /// The source's own id, if linked.
    #[schema(example = "res-2027-0417")]
    id: Option<String>,
    /// First night, for changes of nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// Last night, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// Whether the source of this key made the change.
    own: bool,
    /// Event time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A page of the change feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeFeed {
    /// Entries, oldest first.
    data: Vec<ChangeEntry>,
    /// Cursor of the next page. Unchanged if there are no new entries.
    #[schema(example = "1043")]
    next_cursor: String,
    /// Whether more entries exist.
    has_more: bool,
}

/// The change feed of the account's core, including changes by other sources.
///
/// With `Accept: text/event-stream` the response is a stream of server-sent events: `id` is the `sequence`, `event` the
/// `type`, `data` the entry. `Last-Event-ID` resumes the stream.
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
            .ok_or_else(|| Problem::Malformed("cursor is not valid for this endpoint".to_owned()))?,
    };
    if text(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream")) {
        drop(tx);
        let events = events(FeedReader { app, account: caller.account, source: caller.source, after });
        return Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response());
    }
    let mut entries = outbox::feed(&mut tx, caller.source_key(), after, limit + 1).await?;
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
    /// Waits for new entries.
    async fn next(&mut self) -> store::Result<Vec<FeedEntry>> {
        loop {
            let app = Arc::clone(&self.app);
            // Register before reading, so that no notification is missed.
            let grown = app.feed.notified();
            let mut tx = self.app.db.read(self.account).await?;
            let entries = outbox::feed(
                &mut tx,
                SourceKey { account: self.account, source: self.source },
                self.after,
                STREAM_BATCH,
            )
            .await?;
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

/// Streams the feed until the client disconnects or the database fails; the client can resume.
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
                tracing::error!(%error, "change stream aborted");
                None
            }
        }
    });
    futures_util::StreamExt::flatten(batches)
}

fn event(entry: ChangeEntry) -> Result<Event, Infallible> {
    let event = Event::default().id(entry.sequence.to_string()).event(&entry.kind);
    // Serializing an entry cannot fail.
    Ok(event.json_data(&entry).unwrap_or_default())
}
