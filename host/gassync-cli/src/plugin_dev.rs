//! `gassync plugin dev`: a development host for the plugin in this folder. It rebuilds and reinstalls the plugin when the
//! source changes, and shows its calls.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Args;
use notify::Watcher;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    build,
    client::{Client, HostFile},
    plugin_call::print_calls,
    print, say,
    serve::stop_signal,
    system_clock,
};
use gassync::{
    admin::{CreatedSource, Grants, InstalledPlugin, NewSourceRequest, PluginCall, PluginVersionResponse, paths},
    app::App,
    config::Config,
    server, telemetry,
    vault::system_random,
};

/// The host's data folder inside the plugin's folder; emptied at the start.
const DATA: &str = ".dev";
/// The database there.
const DATABASE: &str = "gassync.db";
/// Entries of a plugin folder that are not sources.
const NOT_SOURCE: [&str; 8] = [DATA, "target", "node_modules", ".venv", "__pycache__", ".git", "build", "Cargo.lock"];
/// Debounce time before a rebuild.
const QUIET: Duration = Duration::from_millis(300);
/// Interval between requests for new calls.
const LOOK: Duration = Duration::from_millis(250);
/// Calls shown at once.
const MOST: u32 = 100;
const SOURCE: &str = "dev";

#[derive(Debug, Args)]
pub struct Dev {
    /// Listen address of the host
    #[arg(long, default_value = "127.0.0.1:8490")]
    listen: SocketAddr,
    /// NAME=VALUE of a plugin setting; JSON values are parsed
    #[arg(long = "setting", value_parser = super::pair::pair)]
    settings: Vec<(String, String)>,
    /// FIELD=VALUE of a credential input
    #[arg(long = "credential", value_parser = super::pair::pair)]
    credentials: Vec<(String, String)>,
    /// HOST:PORT of a private address the plugin may call, such as a local simulator
    #[arg(long)]
    private: Vec<String>,
}

impl Dev {
    /// Runs until Ctrl-C.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let folder = std::env::current_dir()?;
        let built = build::here(None).await.context("the current folder must contain a plugin that builds")?;
        let listener = TcpListener::bind(self.listen).await.context("the host cannot listen")?;
        let address = listener.local_addr()?;
        let data = folder.join(DATA);
        empty(&data)?;
        let host_file = HostFile::lock(&data)?;
        host_file.announce(address)?;
        let config = self.config(&data, address)?;
        telemetry::start(&config.log);
        let app = App::open(config, system_clock(), system_random()).await?;
        let client = Client::wire(&format!("http://{address}"), &app.operator_token)?;
        let stop = CancellationToken::new();
        let mut hosting = tokio::spawn(server::run(Arc::clone(&app), listener, stop.clone().cancelled_owned()));
        say(&format!("Status page      http://{address}/#operator={}", app.operator_token));
        let developing = tokio::select! {
            developing = self.develop(&client, &folder, built) => developing,
            // The host ended without a stop signal: one of its tasks failed.
            ended = &mut hosting => return ended?.map(|()| ExitCode::FAILURE),
        };
        stop.cancel();
        hosting.await??;
        developing?;
        Ok(ExitCode::SUCCESS)
    }

    fn config(&self, data: &Path, listen: SocketAddr) -> anyhow::Result<Config> {
        let settings = [
            ("GASSYNC_DATA_DIR", data.display().to_string()),
            ("GASSYNC_PLUGINS_DIR", data.join("plugins").display().to_string()),
            ("GASSYNC_DATABASE_URL", format!("sqlite:{}/{DATABASE}", data.display())),
            ("GASSYNC_SERVER_LISTEN", listen.to_string()),
            ("GASSYNC_EGRESS_ALLOW_PRIVATE", self.private.join(",")),
            ("GASSYNC_LOG_FILTER", std::env::var("GASSYNC_LOG_FILTER").unwrap_or_else(|_| "error".to_owned())),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        std::fs::create_dir_all(data)?;
        Ok(Config::load(Some(Path::new("/dev/null")), settings)?)
    }

    async fn develop(&self, client: &Client, folder: &Path, built: PathBuf) -> anyhow::Result<()> {
        let (sender, mut changes) = mpsc::channel(1);
        let watched = folder.to_owned();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event
                .is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| is_source(&watched, path)))
            {
                // A full channel already says that something changed.
                let _full_or_gone = sender.try_send(());
            }
        })?;
        watcher.watch(folder, notify::RecursiveMode::Recursive)?;
        let enough = stop_signal()?;
        tokio::pin!(enough);
        let mut looks = tokio::time::interval(LOOK);
        let mut plugin = Developed { client, settings: self, id: None, connected: false, after: 0 };
        plugin.replace(Ok(built)).await;
        loop {
            tokio::select! {
                () = &mut enough => return Ok(()),
                _ = looks.tick() => plugin.show_calls().await?,
                change = changes.recv() => {
                    change.context("the folder can no longer be watched")?;
                    while tokio::time::timeout(QUIET, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
                    let built = tokio::select! {
                        () = &mut enough => return Ok(()),
                        built = build::here(None) => built,
                    };
                    plugin.replace(built).await;
                }
            }
        }
    }
}

/// Empties the data folder, if this command created it and no host uses it.
fn empty(data: &Path) -> anyhow::Result<()> {
    if !data.exists() {
        return Ok(());
    }
    ensure!(data.join(DATABASE).is_file(), "{} exists and was not created by this command", data.display());
    drop(HostFile::lock(data)?);
    std::fs::remove_dir_all(data).with_context(|| format!("cannot empty {}", data.display()))
}

fn is_source(folder: &Path, path: &Path) -> bool {
    let Ok(within) = path.strip_prefix(folder) else { return false };
    let built = path.extension().is_some_and(|extension| extension == "wasm");
    !built && !within.iter().any(|part| NOT_SOURCE.iter().any(|not| part == *not))
}

/// The plugin as installed at the host.
struct Developed<'a> {
    client: &'a Client,
    settings: &'a Dev,
    id: Option<String>,
    connected: bool,
    /// The last call that was shown.
    after: i64,
}

impl Developed<'_> {
    /// Installs the build. Errors are printed; the next change tries again.
    async fn replace(&mut self, built: anyhow::Result<PathBuf>) {
        let replaced = match built {
            Ok(file) => self.give(&file).await,
            Err(error) => Err(error),
        };
        if let Err(error) = replaced {
            say(&format!("{error:#}"));
            if self.id.is_some() {
                say("The previous version stays active.");
            }
        }
    }

    async fn give(&mut self, file: &Path) -> anyhow::Result<()> {
        let component = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let installed: InstalledPlugin = self.client.upload(paths::PLUGINS, "application/wasm", component).await?;
        if !installed.lacks.is_empty() {
            say(&format!("Granting requested permissions: {}", installed.lacks.join(" ")));
            let path = paths::plugin_grant(&installed.id);
            let all = Grants { all: true, ..Grants::default() };
            let _: PluginVersionResponse = self.client.post(&path, &all).await?;
        }
        let hash = installed.hash.get(..12).unwrap_or_default();
        say(&format!("{} {} ({hash}) is active.", installed.id, installed.version));
        self.id = Some(installed.id);
        if !self.connected {
            self.connect().await?;
        }
        Ok(())
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        let new = NewSourceRequest {
            account: "Development".to_owned(),
            channel: self.id.clone().unwrap_or_default(),
            name: SOURCE.to_owned(),
            settings: self.settings.settings.iter().map(|(name, text)| (name.clone(), value(text))).collect(),
            credentials: self.settings.credentials.iter().cloned().collect(),
            time_zone: None,
        };
        let made: CreatedSource = self.client.post(paths::SOURCES, &new).await.context("cannot add the source")?;
        self.connected = true;
        let header = made.webhook_header.as_ref().map(|name| format!(" -H '{name}: {}'", made.webhook_token));
        say("Send a request as the channel would; edit the source to reload. Ctrl-C stops.");
        print(&format!("curl -X POST '{}'{} --data-binary @FILE", made.webhook_url, header.unwrap_or_default()));
        if let Some(url) = &made.consent_url {
            say(&format!("Consent is required at {url}"));
        }
        Ok(())
    }

    async fn show_calls(&mut self) -> anyhow::Result<()> {
        let Some(id) = &self.id else { return Ok(()) };
        let path = format!("{}?after={}&limit={MOST}&detail=true", paths::plugin_calls(id), self.after);
        let calls: Vec<PluginCall> = self.client.get(&path).await?;
        print_calls(&calls);
        self.after = calls.last().map_or(self.after, |call| call.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_leaves_is_no_source() {
        let folder = Path::new("/home/ada/acme");
        for (path, source) in [
            ("src/lib.rs", true),
            ("plugin.py", true),
            ("manifest.json", true),
            ("acme.wasm", false),
            ("target/release/x.rs", false),
            ("gassync/__pycache__/http.pyc", false),
            (".dev/gassync.db", false),
        ] {
            assert_eq!(is_source(folder, &folder.join(path)), source, "{path}");
        }
        assert!(!is_source(folder, Path::new("/elsewhere/src/lib.rs")));
    }
}
