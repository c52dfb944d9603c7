use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{client::HostFile, say, system_clock};
use gassync::{app::App, config::Config, server, store::Db, telemetry, vault::system_random};

/// Runs the host until a stop signal.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::start(&config.log);
    // Two hosts must not share a data folder.
    let host_file = HostFile::lock(&config.data.dir)?;
    let mut app = App::open(config, system_clock(), system_random()).await?;
    let listener = TcpListener::bind(app.config.server.listen).await.context("setting server.listen")?;
    let address = listener.local_addr()?;
    // Port 0 was replaced by the bound port. The app is not shared yet.
    if let Some(app) = Arc::get_mut(&mut app) {
        app.config.server.listen = address;
    }
    host_file.announce(address)?;
    tracing::info!(%address, "listening");
    server::run(app, listener, stop_signal()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Applies pending migrations.
pub async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&config.data.dir).context("setting data.dir")?;
    let db = Db::open(&config.database.url).await.context("setting database.url")?;
    db.migrate().await?;
    db.close().await;
    say("Database schema is up to date.");
    Ok(ExitCode::SUCCESS)
}

/// Resolves on SIGINT or SIGTERM.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
