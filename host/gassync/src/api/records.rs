//! The record endpoints and their bodies.

use gassync_domain::{
    Date, FieldChange, FieldError, Guest, Ingested, Mended, Parked, Property, RatePlan, Reservation, RoomType,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{http::Problem, store::buffer::Stored};

/// The outcome of one record.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordOutcome {
    /// The id of the record, if it has one; for a calendar, of its room type.
    #[schema(example = "res-2027-0417")]
    pub id: Option<String>,
    /// `created`, `updated`, `unchanged`, `parked` or `rejected`.
    #[schema(example = "created")]
    pub status: Ingested,
    /// The core entity it is linked to.
    #[schema(example = 31)]
    pub gas_id: Option<i64>,
    /// Validation errors, or what the record waits for.
    pub errors: Vec<FieldError>,
    /// Nights that this record overbooks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<String>, format = Date)]
    pub overbooked: Vec<Date>,
    /// Values that were truncated, replaced or dropped so that the record could be stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<Mended>,
    /// With `dryRun=true`: the changes in the core.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub changes: Option<Vec<FieldChange>>,
}

/// The result of a dry run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordsPlan {
    /// Send it as `plan` with the same body to apply the records only if the result is still the same.
    pub plan: String,
    /// The outcome of each record, in order.
    pub records: Vec<RecordOutcome>,
}

/// Response to a body of records.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the answers; they are written as what they are")]
pub enum RecordsResponse {
    /// For one record.
    One(RecordOutcome),
    /// For a list, in order.
    List(Vec<RecordOutcome>),
    /// For `dryRun=true`.
    Plan(RecordsPlan),
}

/// One record or a list of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is sent; bodies are read record by record")]
pub enum OneOrMany<T> {
    /// One record.
    One(T),
    /// Up to 1,000.
    List(Vec<T>),
}

/// A stored record and its state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordResponse<T> {
    /// The record as last received.
    #[serde(flatten)]
    pub record: T,
    /// The core entity it is linked to.
    pub gas_id: Option<i64>,
    /// What the record waits for, if it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub parked: Option<Vec<String>>,
    /// Values that were truncated, replaced or dropped so that the record could be stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<Mended>,
    /// When the record was last received.
    #[schema(value_type = String, format = DateTime)]
    pub synced_at: gassync_domain::Timestamp,
}

impl<T> From<Stored<T>> for RecordResponse<T> {
    fn from(stored: Stored<T>) -> Self {
        Self {
            record: stored.record,
            gas_id: stored.core.map(|id| id.0),
            parked: stored.parked.map(|Parked(missing)| missing.iter().map(ToString::to_string).collect()),
            warnings: stored.mended,
            synced_at: stored.synced_at,
        }
    }
}

/// Records that can be withdrawn unless they are still in use.
pub trait Withdrawable {
    /// Whether a parked record may hold nights.
    const MAY_KEEP_NIGHTS: bool = false;

    /// Why the record cannot be withdrawn.
    fn blocked_reason(&self) -> Option<&'static str> {
        None
    }
}

impl Withdrawable for Property {}
impl Withdrawable for RoomType {}
impl Withdrawable for RatePlan {}
impl Withdrawable for Guest {}
impl Withdrawable for Reservation {
    const MAY_KEEP_NIGHTS: bool = true;

    fn blocked_reason(&self) -> Option<&'static str> {
        self.status.holds_nights().then_some("the reservation holds nights: cancel it first")
    }
}

/// Checks that a record can be withdrawn.
pub fn ensure_withdrawable<T: Withdrawable>(stored: &Stored<T>) -> Result<(), Problem> {
    if T::MAY_KEEP_NIGHTS && stored.parked.is_some() {
        return Err(Problem::Conflict("the record is parked: decide on it first".to_owned()));
    }
    stored.record.blocked_reason().map_or(Ok(()), |why| Err(Problem::Conflict(why.to_owned())))
}

/// The endpoints shared by all kinds of records.
macro_rules! record_endpoints {
    (
        table: $table:ident,
        entity: $entity:literal,
        tag: $tag:literal,
        $(#[$post_doc:meta])*
        post: $path:literal, $record:ty, $write:ty, $into_kind:expr;
        $(#[$list_doc:meta])*
        list($tx:ident, $caller:ident, $filter:ident: $query:ty, $cursor:ident): $rows:expr;
        $(#[$one_doc:meta])*
        one: $one_path:literal, $read:ty;
        $(#[$withdraw_doc:meta])*
        withdraw: $withdraw:ty;
    ) => {
        $(#[$post_doc])*
        #[utoipa::path(
            post, path = $path, tag = $tag, operation_id = concat!("post_", stringify!($table)),
            params(
                SubmissionOptions,
                ("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Identifies this request for retries: the same response is returned for 24 hours"),
            ),
            request_body = OneOrMany<$record>,
            responses(
                (status = 201, description = "One record, created in the core", body = RecordOutcome),
                (status = 200, description = "One record, updated or unchanged; or the outcomes of a list; or the plan of a dry run", body = RecordsResponse),
                (status = 202, description = "One record, parked until it can be linked", body = RecordOutcome),
                (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
            ),
            security(("key" = []))
        )]
        pub async fn post(
            State(state): State<$crate::api::ApiState>,
            caller: Caller<$write>,
            submission: $crate::api::submission::Submission,
        ) -> Result<Response, ApiError> {
            $crate::api::ingest::post::<$record, _>(&state, &caller, submission, $into_kind).await
        }

        $(#[$list_doc])*
        #[utoipa::path(
            get, path = $path, tag = $tag, operation_id = concat!("list_", stringify!($table)),
            params(PageQuery, $query),
            responses(
                (status = 200, description = "A page", body = ListPage<RecordResponse<$record>>),
                (status = 304, description = "Not modified"),
                (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
            ),
            security(("key" = []))
        )]
        pub async fn list(
            State(app): State<Arc<App>>,
            $caller: Caller<$read>,
            $crate::http::params::Params(page): $crate::http::params::Params<PageQuery>,
            $crate::http::params::Params($filter): $crate::http::params::Params<$query>,
            headers: HeaderMap,
        ) -> Result<Response, ApiError> {
            let $cursor = page.to_cursor()?;
            let mut tx = app.db.read($caller.account).await?;
            let $tx = &mut tx;
            let rows = $rows.await?;
            with_etag(&headers, &ListPage::cut(rows, $cursor, |stored| stored.row, RecordResponse::from))
        }

        $(#[$one_doc])*
        #[utoipa::path(
            get, path = $one_path, tag = $tag, operation_id = concat!("get_", stringify!($table)),
            params(("id" = String, Path, description = "The source's own id")),
            responses(
                (status = 200, description = "The record", body = RecordResponse<$record>),
                (status = 304, description = "Not modified"),
                (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
            ),
            security(("key" = []))
        )]
        pub async fn one(
            State(app): State<Arc<App>>,
            caller: Caller<$read>,
            $crate::http::params::PathId(id): $crate::http::params::PathId,
            headers: HeaderMap,
        ) -> Result<Response, ApiError> {
            let mut tx = app.db.read(caller.account).await?;
            let stored = $table::shown(&mut tx, caller.source_key(), &id).await?;
            with_etag(&headers, &RecordResponse::from(stored.ok_or($crate::http::Problem::NotFound)?))
        }

        $(#[$withdraw_doc])*
        #[utoipa::path(
            delete, path = $one_path, tag = $tag, operation_id = concat!("delete_", stringify!($table)),
            params(("id" = String, Path, description = "The source's own id")),
            responses(
                (status = 204, description = "Withdrawn"),
                (status = "4XX", description = "A problem", body = Document, content_type = "application/problem+json"),
            ),
            security(("key" = []))
        )]
        pub async fn withdraw(
            State(app): State<Arc<App>>,
            caller: Caller<$withdraw>,
            $crate::http::params::PathId(id): $crate::http::params::PathId,
        ) -> Result<axum::http::StatusCode, ApiError> {
            let mut tx = app.db.write(caller.account).await?;
            let stored = $table::shown(&mut tx, caller.source_key(), &id).await?;
            let stored = stored.ok_or($crate::http::Problem::NotFound)?;
            $crate::api::records::ensure_withdrawable(&stored)?;
            let now = app.now();
            $table::withdraw(&mut tx, caller.source_key(), &id, now).await?;
            let entry = $crate::store::sync_log::NewSyncLogLine {
                source: caller.source,
                entity_type: $entity,
                entity_id: &id,
                action: $crate::store::sync_log::LogAction::Delete,
                status: $crate::store::sync_log::LogStatus::Success,
                message: None,
            };
            $crate::store::sync_log::inbound(&mut tx, caller.account, &[entry], now).await?;
            tx.commit().await?;
            Ok(axum::http::StatusCode::NO_CONTENT)
        }
    };
}
pub(crate) use record_endpoints;
