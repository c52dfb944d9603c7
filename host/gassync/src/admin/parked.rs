use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use gassync_domain::{Date, FieldChange, Ingested, Timestamp};
use serde::{Deserialize, Serialize};

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Problem},
    inbound::{
        apply::IngestContext,
        decide::{self, Choice, DecideError, Decided, DecidedBy},
        parked_records::{self, ParkedRecord},
    },
    store::{parked::ParkedKind, sources::Source},
    vault::fingerprint,
};

/// A core entity that may match a parked record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuggestionResponse {
    /// The core entity.
    pub gas_id: i64,
    /// Its name.
    pub name: String,
    /// Likelihood in percent.
    pub percent: u8,
    /// Matching features.
    pub because: Vec<String>,
}

/// A parked record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedRecordResponse {
    /// Its kind.
    pub kind: ParkedKind,
    /// The source's id.
    pub id: String,
    /// Name, if any.
    pub name: Option<String>,
    /// What it waits for.
    pub missing: Vec<String>,
    /// Time of parking.
    pub since: Timestamp,
    /// First night, if any.
    pub first_night: Option<Date>,
    /// The last night.
    pub last_night: Option<Date>,
    /// The source's ids of its rooms.
    pub rooms: Vec<String>,
    /// Whether a hold keeps its nights.
    pub held: bool,
    /// Suggested matches, best first.
    pub suggestions: Vec<SuggestionResponse>,
    /// Commands that resolve it.
    pub commands: Vec<String>,
}

/// A decision on a parked record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideParkedRequest {
    /// `property`, `room-type`, `rate-plan`, `reservation` or `block`.
    pub kind: ParkedKind,
    /// The source's id.
    pub id: String,
    /// `stand`, `cancel` or `ignore`.
    pub decision: Choice,
    /// Who decides.
    pub by: String,
    /// Their reason.
    pub why: String,
    /// Only return what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// The `plan` of a dry run; applied only if the result is still the same.
    #[serde(default)]
    pub plan: Option<String>,
}

/// The result or plan of a decision.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionPlan {
    /// Identifies the plan.
    pub plan: String,
    /// What became of the record.
    pub status: Ingested,
    /// Changes of the core entity.
    pub changes: Vec<FieldChange>,
}

impl From<DecideError> for ApiError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::NotWaiting => Problem::NotFound.into(),
            DecideError::Store(error) => error.into(),
            DecideError::Link(error) => error.into(),
            DecideError::Unsaid(_) | DecideError::TooLong { .. } => Problem::Malformed(error.to_string()).into(),
            DecideError::Lacking(_) | DecideError::NoCancelling => Problem::Conflict(error.to_string()).into(),
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_PARKED, get(parked)).route(paths::SOURCE_PARKED_DECIDE, post(decide))
}

async fn parked(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Vec<ParkedRecordResponse>>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let now = app.now();
    let waiting = parked_records::list(&mut tx, &IngestContext::from_source(&source, now, now)).await?;
    Ok(Json(waiting.into_iter().map(|waiting| shown(&source, waiting)).collect()))
}

fn shown(source: &Source, waiting: ParkedRecord) -> ParkedRecordResponse {
    let suggestion = |(id, name, likeness): (gassync_domain::CoreId, String, gassync_domain::Similarity)| {
        SuggestionResponse { gas_id: id.0, name, percent: likeness.percent, because: likeness.because }
    };
    ParkedRecordResponse {
        commands: commands(&source.name, &waiting),
        kind: waiting.kind,
        id: waiting.id,
        name: waiting.name,
        missing: waiting.parked.0.iter().map(ToString::to_string).collect(),
        since: waiting.since,
        first_night: waiting.nights.0,
        last_night: waiting.nights.1,
        rooms: waiting.rooms,
        held: waiting.held,
        suggestions: waiting.suggestions.into_iter().map(suggestion).collect(),
    }
}

/// Commands that resolve a parked record.
fn commands(source: &str, waiting: &ParkedRecord) -> Vec<String> {
    let about = format!("{} {} {}", word(source), waiting.kind.in_commands(), word(&waiting.id));
    let decide = |choice: &str| format!("gassync map decide {about} {choice} --by NAME --why TEXT");
    let mut commands = match waiting.kind {
        _ if waiting.linked => Vec::new(),
        ParkedKind::Block => Vec::new(),
        ParkedKind::Reservation => vec![format!("gassync map apply {about} --to BOOKING")],
        _ => vec![format!("gassync map apply {about} --to NUMBER"), format!("gassync map apply {about} --create")],
    };
    if matches!(waiting.kind, ParkedKind::Reservation | ParkedKind::Block) {
        commands.extend([decide("stand"), decide("cancel")]);
    }
    commands.push(decide("ignore"));
    commands
}

/// Quotes a word for a shell.
fn word(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Applies a decision, or returns the plan.
async fn decide(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<DecideParkedRequest>,
) -> Result<Json<DecisionPlan>, ApiError> {
    let source = find_source(&app, &name).await?;
    let now = app.now();
    let mut tx = app.db.write_for(source.key()).await?;
    let by = DecidedBy { who: &new.by, why: &new.why };
    let context = IngestContext::from_source(&source, now, now);
    let decided = decide::decide(&mut tx, &context, (new.kind, &new.id), (new.decision, by)).await?;
    let plan = plan(decided);
    if new.dry_run {
        return Ok(Json(plan));
    }
    if new.plan.is_some_and(|given| given != plan.plan) {
        return Err(Problem::PlanOutdated.into());
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Json(plan))
}

fn plan(Decided { outcome, changes }: Decided) -> DecisionPlan {
    let status = outcome.ingested();
    // Serialising our own types cannot fail.
    let plan = fingerprint(&serde_json::to_string(&(&status, &changes)).unwrap_or_default())[..32].to_owned();
    DecisionPlan { plan, status, changes }
}
