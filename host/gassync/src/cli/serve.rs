use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{client::HostFile, say, system_clock};
use crate::{app::App, config::Config, server, store::Db, telemetry, vault::system_random};

/// Runs the host until a stop signal.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::start(&config.log);
    // A second host on one data folder would be a second writer of one file.
    let host_file = HostFile::lock(&config.data.dir)?;
    let mut app = App::open(config, system_clock(), system_random()).await?;
    let listener = TcpListener::bind(app.config.server.listen).await.context("setting server.listen")?;
    let address = listener.local_addr()?;
    // Port 0 has become a real one. Nobody else has the host yet.
    if let Some(app) = Arc::get_mut(&mut app) {
        app.config.server.listen = address;
    }
    host_file.announce(address)?;
    tracing::info!(%address, "listening");
    server::run(app, listener, stop_signal()?).await?;
    Ok(ExitCode::SUCCESS)
}

/// Only the schema.
pub async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&config.data.dir).context("setting data.dir")?;
    let db = Db::open(&config.database.url).await.context("setting database.url")?;
    db.migrate().await?;
    db.close().await;
    say("The schema is up to date.");
    Ok(ExitCode::SUCCESS)
}

/// Ends when the process is asked to.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
