//! Handles submitted records: parses each, applies them in one transaction or separately, and stores the response for
//! idempotent requests.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gassync_domain::{
    AccountId, Change, ChangeKind, Date, FieldError, Ingested, Intent, Mended, Parked, RawJson, Timestamp, UnitCount,
    join_mended,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    ApiState,
    lenient::{self, Lenient},
    records::{RecordOutcome, RecordsPlan},
    submission::{OnConflict, Submission},
    write_coalescer::WriteCoalescer,
};
use crate::{
    app::App,
    core::WhenFull,
    http::{ApiError, Caller, Problem, json::unstorable, parse_json, problem::PROBLEM_JSON},
    inbound::{
        apply::{self, IngestContext, IngestOutcome},
        dry_run::{self, DryRunResult},
    },
    store::{
        self, Fault, Tx,
        idempotency::{self, IdempotencyKey, StoredResponse},
    },
    vault::fingerprint,
};

/// Handles one record or a list.
pub async fn post<T: DeserializeOwned, S>(
    state: &ApiState,
    caller: &Caller<S>,
    submission: Submission,
    into_kind: fn(T) -> Result<ChangeKind, Vec<FieldError>>,
) -> Result<Response, ApiError> {
    let strict = is_strict(caller, &submission);
    let (list, raw) = submission.records(strict)?;
    let read: Vec<ReadResult> = raw.into_iter().map(|raw| read(raw, into_kind, strict)).collect();
    let app = &state.app;
    let context = context(app, caller, &submission);
    let ingest = Ingest { app, coalescer: &state.coalescer, context, read: &read, list };
    if submission.options.dry_run {
        return Ok(into_http(&ingest.dry_run().await?, false));
    }
    let request = IdempotentRequest::of(caller, &submission).map(Arc::new);
    if let Some(request) = &request
        && let Some(kept) = request.stored(app).await?
    {
        return Ok(into_http(&kept, true));
    }
    let taken = match &submission.options.plan {
        Some(plan) => ingest.apply_plan(plan, request.as_deref()).await,
        None => ingest.apply(request.as_ref()).await,
    };
    // These records may resolve references of parked ones.
    if read.iter().flatten().any(|change| matches!(change.data, ChangeKind::Property(_) | ChangeKind::RoomType(_))) {
        app.wake.notify_waiters();
    }
    let failed = match taken {
        Ok(response) => return Ok(into_http(&response, false)),
        Err(failed) => failed,
    };
    // Another request with the same key may have been first: return its response.
    if let Some(request) = &request
        && let Some(kept) = request.stored(app).await?
    {
        return Ok(into_http(&kept, true));
    }
    Err(match failed {
        IngestError::LostRace => Problem::StillRunning.into(),
        IngestError::Problem(problem) => problem.into(),
        IngestError::Store(error) => error.into(),
    })
}

type ReadResult = Result<Change, Box<RecordOutcome>>;

/// True if values that do not match the schema are rejected.
fn is_strict<S>(caller: &Caller<S>, submission: &Submission) -> bool {
    caller.strict || submission.options.strict || submission.options.on_conflict == OnConflict::Refuse
}

/// Parses a record by the schema; facts that do not match are read leniently and mended.
fn read<T: DeserializeOwned>(
    raw: Box<RawValue>,
    into_kind: fn(T) -> Result<ChangeKind, Vec<FieldError>>,
    strict: bool,
) -> ReadResult {
    let wrong = |problem| FieldError::new("", problem);
    let read = match unstorable(raw.get()) {
        Some(problem) => Err(wrong(problem)),
        None => parse_json(raw.get()),
    };
    match read {
        Ok(record) => into_kind(record).map(|data| into_change(data, RawJson::from(raw.clone()), Vec::new(), strict)),
        Err(error) if strict || lenient::is_request(raw.get()) => Err(vec![error]),
        Err(_) => lenient::read(raw.get()).map_err(|error| vec![error]).and_then(|lenient| {
            let Lenient { record, mended, raw } = lenient;
            let raw = RawJson::parse(&raw).map_err(|_| vec![wrong("cannot be kept as JSON".to_owned())])?;
            into_kind(record).map(|data| into_change(data, raw, mended, strict))
        }),
    }
    .map_err(|errors| Box::new(rejected(&raw, errors)))
}

/// Builds the change. Facts are mended here, so that the response and the plan show it.
fn into_change(mut data: ChangeKind, raw: RawJson, mut mended: Vec<Mended>, strict: bool) -> Change {
    let asks = matches!(&data, ChangeKind::Reservation(record) if record.intent == Intent::Request);
    if !strict && !asks {
        join_mended(&mut mended, data.mend().mended);
    }
    Change { mended, ..Change::new(data, Some(raw)) }
}

fn rejected(raw: &RawValue, errors: Vec<FieldError>) -> RecordOutcome {
    // A rejected record may still have an id.
    let id = serde_json::from_str::<serde_json::Value>(raw.get()).ok();
    let id = id.and_then(|record| record.get("id").and_then(|id| id.as_str()).map(str::to_owned));
    let (overbooked, warnings) = Default::default();
    RecordOutcome { id, status: Ingested::Rejected, gas_id: None, errors, overbooked, warnings, changes: None }
}

fn context<S>(app: &App, caller: &Caller<S>, submission: &Submission) -> IngestContext {
    let now = app.now();
    let when_full = match submission.options.on_conflict {
        OnConflict::Keep => WhenFull::Keep,
        OnConflict::Refuse => WhenFull::Refuse,
    };
    IngestContext {
        may_revive: false,
        account: caller.account,
        source: caller.source,
        creates: caller.creates,
        authority: caller.authority,
        when_full,
        strict: is_strict(caller, submission),
        closes: !caller.authority.nobody_owns_calendar(),
        counts: UnitCount::default(),
        has_channel: false,
        observed_at: now,
        now,
    }
}

/// A request with an Idempotency-Key; its response is stored and returned again.
#[derive(Debug)]
pub(super) struct IdempotentRequest {
    account: AccountId,
    api_key: i64,
    endpoint: String,
    key: String,
    request_hash: String,
}

impl IdempotentRequest {
    fn of<S>(caller: &Caller<S>, submission: &Submission) -> Option<Self> {
        let (endpoint, query) = submission.endpoint.split_once('?').unwrap_or((&submission.endpoint, ""));
        Some(Self {
            account: caller.account,
            api_key: caller.key,
            endpoint: endpoint.to_owned(),
            key: submission.idempotency_key.clone()?,
            request_hash: fingerprint(&format!("{query}\n{}", submission.text)),
        })
    }

    fn key(&self) -> IdempotencyKey<'_> {
        IdempotencyKey { api_key: self.api_key, endpoint: &self.endpoint, key: &self.key }
    }

    /// Stores the response; false if another request stored one.
    pub(super) async fn store_response(
        &self,
        tx: &mut Tx,
        response: &StoredResponse,
        now: Timestamp,
    ) -> store::Result<bool> {
        idempotency::insert(tx, self.account, self.key(), response, now).await
    }

    /// The response stored before.
    async fn stored(&self, app: &App) -> Result<Option<StoredResponse>, ApiError> {
        let mut tx = app.db.read(self.account).await?;
        match idempotency::find(&mut tx, self.account, self.key()).await? {
            Some(response) if response.request_hash != self.request_hash => Err(Problem::KeyReused.into()),
            kept => Ok(kept),
        }
    }
}

enum IngestError {
    /// Another request stored a response under this key.
    LostRace,
    Problem(Problem),
    Store(sqlx::Error),
}

impl From<sqlx::Error> for IngestError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

/// The records of one request.
struct Ingest<'a> {
    app: &'a Arc<App>,
    coalescer: &'a Arc<WriteCoalescer>,
    context: IngestContext,
    read: &'a [ReadResult],
    list: bool,
}

impl Ingest<'_> {
    fn valid_changes(&self) -> Vec<Change> {
        self.read.iter().filter_map(|record| record.as_ref().ok().cloned()).collect()
    }

    /// Applies all valid records in one transaction; if it fails, each in its own, so that one bad record does not
    /// block the others. A single record shares a transaction with concurrent ones.
    async fn apply(&self, request: Option<&Arc<IdempotentRequest>>) -> Result<StoredResponse, IngestError> {
        if let ([Ok(change)], false) = (self.read, self.list)
            && let Some(outcome) = self.coalescer.write(self.context, change.clone(), request.cloned()).await
        {
            return Ok(self.response(vec![outcome], request.map(Arc::as_ref)));
        }
        let request = request.map(Arc::as_ref);
        let (changes, mut outcomes) = (self.valid_changes(), Vec::new());
        match self.apply_in_transaction(changes.clone(), &mut outcomes, request).await {
            Err(IngestError::Store(error)) if changes.len() > 1 && store::fault(&error) == Fault::Record => {
                tracing::warn!(%error, records = changes.len(), "batch failed; applying records separately");
                self.apply_separately(changes, request).await
            }
            Ok(()) => Ok(self.response(outcomes, request)),
            Err(failed) => Err(failed),
        }
    }

    async fn apply_separately(
        &self,
        changes: Vec<Change>,
        request: Option<&IdempotentRequest>,
    ) -> Result<StoredResponse, IngestError> {
        let (count, mut outcomes) = (changes.len(), Vec::with_capacity(changes.len()));
        for (index, change) in changes.into_iter().enumerate() {
            let request = request.filter(|_| index + 1 == count);
            match self.apply_in_transaction(vec![change], &mut outcomes, request).await {
                Err(IngestError::Store(error)) if store::fault(&error) == Fault::Record => {
                    tracing::error!(%error, "record rejected by the database");
                    let problem = "was rejected by the database; see the log at this time".to_owned();
                    outcomes.push(IngestOutcome::Rejected(vec![FieldError::new("", problem)]));
                    self.apply_in_transaction(Vec::new(), &mut outcomes, request).await?;
                }
                done => done?,
            }
        }
        Ok(self.response(outcomes, request))
    }

    /// Applies changes in one transaction and appends their outcomes; with the last ones it stores the response.
    async fn apply_in_transaction(
        &self,
        changes: Vec<Change>,
        outcomes: &mut Vec<IngestOutcome>,
        request: Option<&IdempotentRequest>,
    ) -> Result<(), IngestError> {
        let mut tx = self.app.db.write_for(self.context.key()).await?;
        let new = apply::changes(&mut tx, &self.context, changes).await?;
        if let Some(request) = request {
            let all = [outcomes.as_slice(), new.as_slice()].concat();
            self.store(&mut tx, request, &self.response(all, Some(request))).await?;
        }
        tx.commit().await?;
        self.app.facts.notify_one();
        outcomes.extend(new);
        Ok(())
    }

    async fn store(
        &self,
        tx: &mut Tx,
        request: &IdempotentRequest,
        response: &StoredResponse,
    ) -> Result<(), IngestError> {
        if request.store_response(tx, response, self.context.now).await? { Ok(()) } else { Err(IngestError::LostRace) }
    }

    async fn dry_run(&self) -> store::Result<StoredResponse> {
        let mut tx = self.app.db.write_for(self.context.key()).await?;
        let planned = dry_run::changes(&mut tx, &self.context, self.valid_changes()).await?;
        drop(tx);
        let records = self.planned(planned);
        Ok(json_response(StatusCode::OK, &RecordsPlan { plan: plan_of(&records), records }, None))
    }

    /// Applies the plan, or nothing.
    async fn apply_plan(&self, plan: &str, request: Option<&IdempotentRequest>) -> Result<StoredResponse, IngestError> {
        let mut tx = self.app.db.write_for(self.context.key()).await?;
        let planned = dry_run::changes(&mut tx, &self.context, self.valid_changes()).await?;
        let outcomes: Vec<IngestOutcome> = planned.iter().map(|planned| planned.outcome.clone()).collect();
        if plan_of(&self.planned(planned)) != plan {
            return Err(IngestError::Problem(Problem::PlanOutdated));
        }
        let response = self.response(outcomes, request);
        if let Some(request) = request {
            self.store(&mut tx, request, &response).await?;
        }
        tx.commit().await?;
        self.app.facts.notify_one();
        Ok(response)
    }

    fn planned(&self, planned: Vec<DryRunResult>) -> Vec<RecordOutcome> {
        let mut planned = planned.into_iter();
        let each = self.read.iter().filter_map(|record| match record {
            Err(rejected) => Some(RecordOutcome::clone(rejected)),
            Ok(change) => {
                let DryRunResult { outcome: became, changes } = planned.next()?;
                let mut shown = outcome(change, became);
                // A created record has no id yet in a dry run.
                shown.gas_id = shown.gas_id.filter(|_| shown.status != Ingested::Created);
                Some(RecordOutcome { changes: Some(changes), ..shown })
            }
        });
        each.collect()
    }

    fn response(&self, outcomes: Vec<IngestOutcome>, request: Option<&IdempotentRequest>) -> StoredResponse {
        let mut outcomes = outcomes.into_iter();
        let shown = self.read.iter().filter_map(|record| match record {
            Err(rejected) => Some((RecordOutcome::clone(rejected), false)),
            Ok(change) => {
                let became = outcomes.next()?;
                let full = matches!(became, IngestOutcome::Refused(_));
                Some((outcome(change, became), full))
            }
        });
        let mut shown: Vec<(RecordOutcome, bool)> = shown.collect();
        match shown.pop() {
            Some((only, full)) if !self.list => single(only, full, request),
            last => {
                shown.extend(last);
                let all: Vec<RecordOutcome> = shown.into_iter().map(|(outcome, _)| outcome).collect();
                json_response(StatusCode::OK, &all, request)
            }
        }
    }
}

/// The response to a single record.
pub(super) fn single_response(change: &Change, became: IngestOutcome, request: &IdempotentRequest) -> StoredResponse {
    let full = matches!(became, IngestOutcome::Refused(_));
    single(outcome(change, became), full, Some(request))
}

fn single(outcome: RecordOutcome, full: bool, request: Option<&IdempotentRequest>) -> StoredResponse {
    let status = match outcome.status {
        Ingested::Created => StatusCode::CREATED,
        Ingested::Parked => StatusCode::ACCEPTED,
        Ingested::Rejected => {
            let problem = if full { Problem::SoldOut(outcome.errors) } else { Problem::Invalid(outcome.errors) };
            let document = problem.document();
            let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            return StoredResponse {
                content_type: PROBLEM_JSON.to_owned(),
                ..json_response(status, &document, request)
            };
        }
        _ => StatusCode::OK,
    };
    json_response(status, &outcome, request)
}

fn json_response<T: Serialize>(status: StatusCode, body: &T, request: Option<&IdempotentRequest>) -> StoredResponse {
    StoredResponse {
        request_hash: request.map(|request| request.request_hash.clone()).unwrap_or_default(),
        status: i64::from(status.as_u16()),
        content_type: "application/json".to_owned(),
        // Serializing a response cannot fail.
        body: serde_json::to_string(body).unwrap_or_default(),
    }
}

fn plan_of(records: &[RecordOutcome]) -> String {
    fingerprint(&serde_json::to_string(records).unwrap_or_default())[..32].to_owned()
}

fn into_http(response: &StoredResponse, replayed: bool) -> Response {
    let status = u16::try_from(response.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let mut http =
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Body::from(response.body.clone())).into_response();
    if let Ok(kind) = HeaderValue::from_str(&response.content_type) {
        http.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    if replayed {
        http.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    http
}

fn outcome(change: &Change, outcome: IngestOutcome) -> RecordOutcome {
    let id = apply::external_id(change).map(str::to_owned);
    let status = outcome.ingested();
    let gas_id = outcome.core().map(|core| core.0);
    let warnings = match outcome {
        IngestOutcome::Rejected(_) | IngestOutcome::Refused(_) => Vec::new(),
        _ => change.mended.clone(),
    };
    let (errors, overbooked) = match outcome {
        IngestOutcome::Overbooked { nights, .. } => (Vec::new(), nights),
        IngestOutcome::Rejected(errors) => (errors, Vec::new()),
        IngestOutcome::Refused(full) => (full.nights.iter().map(sold_out_error).collect(), Vec::new()),
        IngestOutcome::Parked(Parked(missing)) => {
            let waits = |m: gassync_domain::Missing| FieldError::new("", m.to_string());
            (missing.into_iter().map(waits).collect(), Vec::new())
        }
        _ => Default::default(),
    };
    RecordOutcome { id, status, gas_id, errors, overbooked, warnings, changes: None }
}

fn sold_out_error(night: &Date) -> FieldError {
    FieldError::new("/rooms", format!("is sold out on {night}"))
}
