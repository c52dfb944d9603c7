use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{CoreId, FieldChange, Ingested, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    find::find_source,
    link_switches::{self, LinkAct},
    paths,
};
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Params, PathParams, Problem},
    inbound::{
        apply::IngestContext,
        decide::{self, DecidedBy},
        link::{self, LinkError, LinkResult, LinkTarget},
    },
    store::{
        buffer::PageCursor,
        mappings::{self, EntityKind, LinkOrigin},
        parked::ParkedKind,
        sources::Source,
    },
    vault::fingerprint,
};

/// Page size.
const PAGE: i64 = 1_000;

/// A link.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkResponse {
    /// Row number, the cursor of the next page.
    pub row: i64,
    /// Its kind.
    pub kind: EntityKind,
    /// The source's id.
    pub id: String,
    /// The core entity.
    pub gas_id: i64,
    /// Whether changes of the source are applied to the core.
    pub auto_sync: bool,
    /// Whether core changes are pushed to the source.
    pub push: bool,
    /// Time of the last synchronisation in either direction, accurate to a minute.
    pub last_synced_at: Option<Timestamp>,
    /// Last error since then.
    pub last_error: Option<String>,
    /// Number of failures since then.
    pub retries: i64,
    /// Where the entity originated.
    pub origin: LinkOrigin,
    /// Creation time.
    pub created_at: Timestamp,
}

/// A link to create.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLink {
    /// `property`, `room-type`, `rate-plan`, or `reservation` for a parked one.
    pub kind: EntityKind,
    /// The source's id.
    pub id: String,
    /// Core entity; None creates one from the record, except for reservations.
    #[serde(default)]
    pub gas_id: Option<i64>,
    /// Only return what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// The `plan` of a dry run; applied only if the result is still the same.
    #[serde(default)]
    pub plan: Option<String>,
    /// Who decides.
    #[serde(default)]
    pub by: Option<String>,
    /// Their reason.
    #[serde(default)]
    pub why: Option<String>,
}

impl NewLink {
    /// A link to this core entity.
    pub fn to(kind: EntityKind, id: &str, gas_id: i64) -> Self {
        Self { kind, id: id.to_owned(), gas_id: Some(gas_id), dry_run: false, plan: None, by: None, why: None }
    }
}

/// The result or plan of linking.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkPlan {
    /// Identifies the plan.
    pub plan: String,
    /// What became of the record.
    pub status: Ingested,
    /// Changes of the core entity.
    pub changes: Vec<FieldChange>,
    /// Number of parked records that this link releases.
    pub frees: usize,
}

/// Identifies a link.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkRef {
    /// `property`, `room-type`, …
    pub kind: EntityKind,
    /// The source's id.
    pub id: String,
}

#[derive(Debug, Deserialize)]
struct LinksQuery {
    #[serde(default)]
    after: i64,
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NoRecord => Problem::NotFound.into(),
            LinkError::Store(error) => error.into(),
            LinkError::NotByHand | LinkError::NoEntity => Problem::Malformed(error.to_string()).into(),
            LinkError::AlreadyLinked(_) | LinkError::Elsewhere(_) | LinkError::Taken(_) => {
                Problem::Conflict(error.to_string()).into()
            }
        }
    }
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::SOURCE_LINKS, get(list).post(link)).route(paths::SOURCE_LINK_ACT, post(change))
}

async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Params(LinksQuery { after }): Params<LinksQuery>,
) -> Result<Json<Vec<LinkResponse>>, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.read(source.account).await?;
    let links = mappings::of_source(&mut tx, source.key(), None, PageCursor { after, limit: PAGE }).await?;
    let shown = links.into_iter().map(|link| LinkResponse {
        row: link.id,
        kind: link.kind,
        id: link.external_entity_id,
        gas_id: link.gas_entity_id,
        auto_sync: link.auto_sync,
        push: link.push,
        last_synced_at: link.last_synced_at.map(Timestamp::from),
        last_error: link.last_error,
        retries: link.retries,
        origin: link.origin,
        created_at: link.created_at.into(),
    });
    Ok(Json(shown.collect()))
}

/// Creates a link, or returns the plan.
async fn link(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Body(new): Body<NewLink>,
) -> Result<Json<LinkPlan>, ApiError> {
    let source = find_source(&app, &name).await?;
    let target = new.gas_id.map_or(LinkTarget::New, |id| LinkTarget::Known(CoreId(id)));
    let mut tx = app.db.write_for(source.key()).await?;
    let context = context(&app, &source);
    let linked = link::link(&mut tx, &context, (new.kind, &new.id), target).await?;
    if let (Some(who), Some(kind)) = (&new.by, ParkedKind::of(new.kind)) {
        let by = DecidedBy { who, why: new.why.as_deref().unwrap_or("it is the same") };
        decide::record_link(&mut tx, &context, (kind, &new.id), by).await?;
    }
    let plan = shown(linked);
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

async fn change(
    State(app): State<Arc<App>>,
    _: Operator,
    PathParams((name, act)): PathParams<(String, LinkAct)>,
    Body(known): Body<LinkRef>,
) -> Result<StatusCode, ApiError> {
    let source = find_source(&app, &name).await?;
    let mut tx = app.db.write(source.account).await?;
    link_switches::set(&mut tx, &source, (known.kind, &known.id), (act, app.now())).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}

fn context(app: &App, source: &Source) -> IngestContext {
    let now = app.now();
    IngestContext::from_source(source, now, now)
}

fn shown(linked: LinkResult) -> LinkPlan {
    let LinkResult { outcome, changes, frees } = linked;
    let status = outcome.ingested();
    // Serialising our own types cannot fail.
    let plan = fingerprint(&serde_json::to_string(&(&status, &changes, frees)).unwrap_or_default())[..32].to_owned();
    LinkPlan { plan, status, changes, frees }
}
