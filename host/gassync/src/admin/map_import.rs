//! Imports links from another system.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::post,
};
use gassync_domain::{AccountId, FieldError, SourceId, SourceKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{find::find_source, paths};
use crate::{
    app::App,
    http::{ApiError, Operator, Problem},
    inbound::map_import::{self, ImportError, ImportLine, ImportResult, LineResult, MAX_LINES, MAX_SOURCES},
    lease::{self, LeaseError},
    store::{mappings::EntityKind, sources::Source},
};

/// Maximum body size in bytes, for the largest file of the command line.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;
/// Maximum problems in a response.
const MAX_SHOWN: usize = 100;

/// Links to import.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MapImportRequest {
    /// Default source of the lines, by name or id.
    #[serde(default)]
    pub source: Option<String>,
    /// At most [`MAX_LINES`].
    pub links: Vec<ImportedLink>,
    /// Only return what would change.
    #[serde(default)]
    pub plan: bool,
    /// Replace existing links to other entities.
    #[serde(default)]
    pub replace: bool,
}

/// A link to import. Fields are strings or numbers; anything else counts as empty.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportedLink {
    /// Line number in the file; default: position in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// `property`, `room-type`, `rate-plan` or `booking`.
    #[serde(default)]
    pub entity: Value,
    /// The source's id.
    #[serde(default, alias = "external_id")]
    pub external_id: Value,
    /// The core's id.
    #[serde(default)]
    pub ours: Value,
    /// Source.
    #[serde(default)]
    pub source: Value,
    /// For bookings: `external` (default) or `core`, where the booking originated and which side has authority.
    #[serde(default)]
    pub origin: Value,
}

/// The result or plan of an import.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MapImportResponse {
    /// Whether the import was applied.
    pub applied: bool,
    /// Results by entity.
    pub entities: Vec<EntityImportResult>,
    /// The first hundred problems. If there are any, nothing is written.
    pub problems: Vec<LineProblem>,
    /// Number of further problems.
    pub more_problems: usize,
}

gassync_domain::words! {
    /// What a line links.
    pub enum ImportedEntity {
        /// A property.
        Property = "property",
        /// A room type.
        RoomType = "room-type",
        /// A rate plan.
        RatePlan = "rate-plan",
        /// A booking.
        Booking = "booking",
        /// Something else.
        Unknown = "unknown",
    }
}

/// Result of the lines of one entity.
#[derive(Debug, Serialize, Deserialize)]
pub struct EntityImportResult {
    /// What they link.
    pub entity: ImportedEntity,
    /// New links.
    pub new: LineCount,
    /// Unchanged links.
    pub unchanged: LineCount,
    /// Changed links.
    pub changed: LineCount,
    /// Invalid lines.
    pub wrong: LineCount,
}

/// Number of lines, and the first one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LineCount {
    /// Number of lines.
    pub count: usize,
    /// The first line.
    pub first: Option<ImportedLine>,
}

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedLine {
    /// Line number.
    pub line: u64,
    /// The source's id.
    pub external_id: String,
    /// The core's id.
    pub ours: String,
    /// Previous core entity.
    pub was: Option<i64>,
}

/// A problem of a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct LineProblem {
    /// Line number.
    pub line: u64,
    /// Field.
    pub field: String,
    /// Problem.
    pub problem: String,
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Overtaken => Problem::Conflict(error.to_string()).into(),
        }
    }
}

impl From<LeaseError> for ApiError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Store(error) => error.into(),
            LeaseError::Busy | LeaseError::Lost => Problem::Conflict(error.to_string()).into(),
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    let list = DefaultBodyLimit::max(MAX_BODY_BYTES);
    Router::new().route(paths::MAP_IMPORT, post(import)).layer(list)
}

async fn import(
    State(app): State<Arc<App>>,
    _: Operator,
    Json(asked): Json<MapImportRequest>,
) -> Result<Json<MapImportResponse>, ApiError> {
    if asked.links.len() > MAX_LINES {
        let count = asked.links.len();
        return Err(Problem::TooLarge(format!("links: there are {count}; the limit is {MAX_LINES}")).into());
    }
    let (sources, lines) = read(&app, &asked).await?;
    let Some(account) = sources.first().map(|source| source.account) else {
        return Err(refused(unknown_sources(&lines)));
    };
    let of_channels = sources.iter().filter(|source| source.connection.is_some() && !asked.plan);
    let of_channels: Vec<SourceKey> = of_channels.map(Source::key).collect();
    // Wait for running pushes: they create links, too.
    lease::alone(&app, &of_channels, import_alone(&app, (account, &lines), &asked)).await?
}

async fn import_alone(
    app: &App,
    (account, lines): (AccountId, &[ImportLine]),
    asked: &MapImportRequest,
) -> Result<Json<MapImportResponse>, ApiError> {
    let mut tx = app.db.write(account).await?;
    let imported = map_import::import(&mut tx, account, lines, asked.replace, app.now()).await?;
    let applied = !asked.plan && imported.wrong.is_empty();
    if applied {
        tx.commit().await?;
        app.wake.notify_waiters();
    } else if !asked.plan {
        return Err(refused(imported.wrong));
    }
    Ok(Json(shown(applied, lines, imported)))
}

/// The sources of the lines (all of one account), and the lines.
async fn read(app: &App, asked: &MapImportRequest) -> Result<(Vec<Source>, Vec<ImportLine>), ApiError> {
    let mut known: HashMap<String, Result<SourceId, String>> = HashMap::new();
    let mut sources: Vec<Source> = Vec::new();
    let mut lines = Vec::with_capacity(asked.links.len());
    for (place, link) in asked.links.iter().enumerate() {
        let said = Some(text(&link.source)).filter(|said| !said.is_empty());
        let name = said.or_else(|| asked.source.clone()).unwrap_or_default();
        if !known.contains_key(&name) {
            if known.len() == MAX_SOURCES {
                return Err(Problem::TooLarge(format!("source: the limit is {MAX_SOURCES} of them")).into());
            }
            let found = find(app, &name, &mut sources).await?;
            known.insert(name.clone(), found);
        }
        let source = known.get(&name).cloned().unwrap_or_else(|| Err(String::new()));
        lines.push(ImportLine {
            number: link.line.unwrap_or(place as u64 + 1),
            source,
            entity: text(&link.entity),
            external_id: text(&link.external_id),
            ours: text(&link.ours),
            origin: text(&link.origin),
        });
    }
    Ok((sources, lines))
}

/// Finds a source by name; it must be of the same account as the others.
async fn find(app: &App, name: &str, sources: &mut Vec<Source>) -> Result<Result<SourceId, String>, ApiError> {
    if name.is_empty() {
        return Ok(Err("is missing, and no source is given for all lines".to_owned()));
    }
    let source = match find_source(app, name).await {
        Ok(source) => source,
        Err(error) => match error.problem() {
            Problem::NotFound => return Ok(Err(format!("there is no source {name:?}"))),
            Problem::Conflict(text) => return Ok(Err(text.clone())),
            _ => return Err(error),
        },
    };
    if sources.first().is_some_and(|first| first.account != source.account) {
        return Ok(Err("belongs to another account than the first: import one account at a time".to_owned()));
    }
    let id = source.id;
    sources.push(source);
    Ok(Ok(id))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn unknown_sources(lines: &[ImportLine]) -> Vec<map_import::LineError> {
    let wrong = |line: &ImportLine| {
        let problem = line.source.clone().err()?;
        Some(map_import::LineError { line: line.number, field: "source", problem })
    };
    let mut wrong: Vec<_> = lines.iter().filter_map(wrong).collect();
    if lines.is_empty() {
        wrong.push(map_import::LineError { line: 1, field: "links", problem: "there are no lines".to_owned() });
    }
    wrong
}

fn refused(wrong: Vec<map_import::LineError>) -> ApiError {
    let more = wrong.len().saturating_sub(MAX_SHOWN);
    let errors = wrong.into_iter().take(MAX_SHOWN);
    let errors = errors.map(|it| FieldError::new(format!("line {}: {}", it.line, it.field), it.problem));
    let rest = FieldError::new("further lines", format!("{more} more problems"));
    Problem::Invalid(errors.chain((more > 0).then_some(rest)).collect()).into()
}

fn shown(applied: bool, lines: &[ImportLine], ImportResult { results, wrong }: ImportResult) -> MapImportResponse {
    let mut entities: Vec<EntityImportResult> = Vec::new();
    for kind in [
        Some(EntityKind::Property),
        Some(EntityKind::RoomType),
        Some(EntityKind::RatePlan),
        Some(EntityKind::Reservation),
        None,
    ] {
        let lines_of = LineCount::default;
        let (new, unchanged, changed, wrong) = (lines_of(), lines_of(), lines_of(), lines_of());
        let mut entity = EntityImportResult { entity: word(kind), new, unchanged, changed, wrong };
        let of_kind =
            lines.iter().zip(&results).filter(|(_, (of, _))| *of == kind).map(|(line, (_, result))| (line, result));
        let mut any = false;
        for (line, result) in of_kind {
            any = true;
            let (lines, was) = match result {
                LineResult::New => (&mut entity.new, None),
                LineResult::Unchanged => (&mut entity.unchanged, None),
                LineResult::Changed(was) => (&mut entity.changed, Some(was.0)),
                LineResult::Invalid => (&mut entity.wrong, None),
            };
            lines.count += 1;
            let ImportLine { number, external_id, ours, .. } = line;
            let first = || ImportedLine { line: *number, external_id: external_id.clone(), ours: ours.clone(), was };
            lines.first.get_or_insert_with(first);
        }
        if any {
            entities.push(entity);
        }
    }
    let more_problems = wrong.len().saturating_sub(MAX_SHOWN);
    let problems = wrong.into_iter().take(MAX_SHOWN);
    let problems =
        problems.map(|it| LineProblem { line: it.line, field: it.field.to_owned(), problem: it.problem }).collect();
    MapImportResponse { applied, entities, problems, more_problems }
}

fn word(kind: Option<EntityKind>) -> ImportedEntity {
    match kind {
        Some(EntityKind::Property) => ImportedEntity::Property,
        Some(EntityKind::RoomType) => ImportedEntity::RoomType,
        Some(EntityKind::RatePlan) => ImportedEntity::RatePlan,
        Some(EntityKind::Reservation) => ImportedEntity::Booking,
        Some(EntityKind::Guest) | None => ImportedEntity::Unknown,
    }
}
