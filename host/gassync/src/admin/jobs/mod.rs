//! Jobs and job runs: `dto` holds the bodies, `service` what is done.

mod dto;
mod service;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use gassync_domain::{JobId, RunId};

pub use dto::{JobDetail, JobFilter, JobResponse, JobRun, JobStatus, NewJobRun, RunPlan};

use super::paths;
use crate::{
    app::App,
    http::{ApiError, Body, Operator, Params},
};

pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route(paths::JOBS, get(list))
        .route(paths::JOB, get(show))
        .route(paths::JOB_CANCEL, post(cancel))
        .route(paths::JOB_RUNS, post(run))
        .route(paths::JOB_RUN, get(progress))
        .route(paths::JOB_RUN_CANCEL, post(cancel_run))
}

async fn list(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(asked): Params<JobFilter>,
) -> Result<Json<Vec<JobResponse>>, ApiError> {
    service::list(&app, &asked).await.map(Json)
}

async fn show(State(app): State<Arc<App>>, _: Operator, Path(id): Path<JobId>) -> Result<Json<JobDetail>, ApiError> {
    service::show(&app, id).await.map(Json)
}

async fn cancel(State(app): State<Arc<App>>, _: Operator, Path(id): Path<JobId>) -> Result<StatusCode, ApiError> {
    service::cancel(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Retries dead jobs, or returns the plan. Webhook deliveries have their own replay.
async fn run(
    State(app): State<Arc<App>>,
    _: Operator,
    Body(new): Body<NewJobRun>,
) -> Result<(StatusCode, Json<RunPlan>), ApiError> {
    let plan = service::run(&app, new).await?;
    Ok((if plan.id.is_some() { StatusCode::CREATED } else { StatusCode::OK }, Json(plan)))
}

async fn progress(State(app): State<Arc<App>>, _: Operator, Path(id): Path<RunId>) -> Result<Json<JobRun>, ApiError> {
    service::progress(&app, id).await.map(Json)
}

/// Cancels a run and its waiting jobs.
async fn cancel_run(State(app): State<Arc<App>>, _: Operator, Path(id): Path<RunId>) -> Result<Json<JobRun>, ApiError> {
    service::cancel_run(&app, id).await.map(Json)
}
