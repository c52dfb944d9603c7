//! A running host: what listens, what works in the background, and how both end.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::Router;
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{admin, api, app::App, credentials, inbound, jobs, plugins};

/// Everything that answers.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(api::router(&app))
        .merge(admin::router(&app))
        .merge(inbound::receive::router())
        .merge(credentials::consent::router())
        .fallback(api::not_found)
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            axum::response::IntoResponse::into_response(api::ApiError::from(api::Problem::Internal))
        }))
        // Paths of webhooks carry keys: the span names the method alone.
        .layer(TraceLayer::new_for_http().make_span_with(
            |request: &axum::http::Request<_>| tracing::debug_span!("request", method = %request.method()),
        ))
        .with_state(app)
}

/// Serves on a bound listener until told to stop; then what runs may end within the time that the settings give.
pub async fn run(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = app.stopping.clone();
    plugins::join(&app).await?;
    let living = tokio::spawn(plugins::live(Arc::clone(&app), stop.clone()));
    plugins::settle(&app).await?;
    plugins::read_folder(&app).await?;
    let registering = tokio::spawn(plugins::run(Arc::clone(&app), stop.clone()));
    let watching = tokio::spawn(plugins::watch(Arc::clone(&app), stop.clone()));
    let working = tokio::spawn(jobs::run(Arc::clone(&app), stop.clone()));
    let clearing = tokio::spawn(jobs::retention(Arc::clone(&app), stop.clone()));
    let renewing = tokio::spawn(credentials::keep_alive(Arc::clone(&app), stop.clone()));
    let relaying = tokio::spawn(jobs::relay(Arc::clone(&app), stop.clone()));
    tokio::spawn({
        let stop = stop.clone();
        async move {
            shutdown.await;
            stop.cancel();
        }
    });
    let serving = axum::serve(listener, router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let all = async {
        let served = serving.await;
        stop.cancel();
        let (lived, registered, watched, worked, relayed, cleared, renewed) =
            tokio::join!(living, registering, watching, working, relaying, clearing, renewing);
        lived?;
        renewed?;
        registered?;
        worked?;
        relayed?;
        cleared?;
        watched??;
        served.map_err(anyhow::Error::from)
    };
    let limit = app.config.shutdown();
    tokio::select! {
        ended = all => ended?,
        () = async { stop.cancelled().await; tokio::time::sleep(limit).await } => {
            tracing::warn!(seconds = limit.as_secs(), "work that did not end in time is left; it is durable and comes again");
        }
    }
    app.db.close().await;
    Ok(())
}
