//! Serves HTTP, runs the background tasks, and shuts both down.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{
    admin, api, app::App, credentials, http, inbound, plugins, supervisor::Supervisor, telemetry::span, worker,
};

/// All HTTP routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(api::router(&app))
        .merge(admin::router(&app))
        .merge(inbound::receive::router())
        .merge(credentials::consent::router())
        .fallback(api::not_found)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            axum::response::IntoResponse::into_response(http::ApiError::from(http::Problem::Internal))
        }))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span::request)
                .on_request(())
                .on_response(span::request_ended)
                .on_failure(()),
        )
        .with_state(app)
}

/// How long the database may take to close at shutdown.
const CLOSING: Duration = Duration::from_secs(1);

/// The background tasks of a host, in start order.
pub const TASKS: [&str; 8] =
    ["processes", "server", "plugins", "plugin-folder", "jobs", "retention", "credentials", "relay"];

/// Serves on a bound listener until shutdown; running work may then end within the configured time. A background task that ends
/// early stops the host and is returned as the error.
pub async fn run(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = app.stopping.clone();
    let [processes, server, registry, folder, work, retention, renewal, relay] = TASKS;
    plugins::register(&app.plugins).await?;
    let mut tasks = Supervisor::new(stop.clone());
    tasks.spawn(processes, endless(plugins::heartbeat(Arc::clone(&app.plugins), stop.clone())));
    plugins::reconcile(&app.plugins).await?;
    plugins::read_folder(&app.plugins).await?;
    let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(server, async move { Ok(serving.await?) });
    tasks.spawn(registry, endless(plugins::run(Arc::clone(&app.plugins), stop.clone())));
    tasks.spawn(folder, plugins::watch(Arc::clone(&app.plugins), stop.clone()));
    tasks.spawn(work, endless(worker::run(Arc::clone(&app), stop.clone())));
    tasks.spawn(retention, endless(worker::retention(Arc::clone(&app), stop.clone())));
    tasks.spawn(renewal, endless(credentials::keep_alive(Arc::clone(&app), stop.clone())));
    tasks.spawn(relay, endless(worker::relay(Arc::clone(&app), stop.clone())));
    let ended = tasks.run(shutdown, app.config.shutdown()).await;
    // Aborted tasks may hold a connection for a moment.
    if tokio::time::timeout(CLOSING, app.db.close()).await.is_err() {
        tracing::warn!("database not closed in time");
    }
    ended
}

/// A task that can only fail by a panic.
async fn endless(work: impl Future<Output = ()>) -> anyhow::Result<()> {
    work.await;
    Ok(())
}
