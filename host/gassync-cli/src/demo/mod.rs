//! `gassync demo`: runs everything locally and, at the end, compares the core database with both simulators.
//!
//! Two simulated Beds24 accounts and a direct booking engine sell the same rooms: what one sells is closed at the others.

mod compare;
mod context;
mod engine;
mod follow;
mod odd;
mod stage;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use gassync_simulator::{FaultSettings, Notification, SimulatedChannel, SimulatorSettings, channel};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    context::{LOOK, Simulated},
    engine::BookingEngine,
    follow::Follower,
    stage::Stage,
};
use super::{
    build,
    client::{Client, HostFile},
    print, say,
    serve::stop_signal,
    system_clock,
};
use gassync::{app::App, config::Config, server, telemetry, vault::system_random};

/// Interval between actions at the simulated channels.
const ACT: Duration = Duration::from_millis(1_200);
/// One in this many actions happens at the second account.
const AT_THE_SECOND: u32 = 4;
/// Interval between actions of the booking engine.
const BOOK: Duration = Duration::from_secs(4);
/// Poll interval of the demo's host, in seconds.
const POLL_SECONDS: u64 = 3;
/// The channel of both simulated accounts.
const CHANNEL: &str = "beds24";
/// Delay of a late call, and hold time of a timed-out response, in milliseconds.
const LATE: (u64, u64) = (500, 5_000);

#[derive(Debug, Args)]
pub struct Demo {
    /// Duration, such as 20s or 2m; runs until Ctrl-C by default
    #[arg(long = "for", value_parser = duration)]
    run_for: Option<Duration>,
    /// Listen address of the host
    #[arg(long, default_value = "127.0.0.1:8480")]
    listen: std::net::SocketAddr,
    /// Listen address of the first simulated Beds24 account
    #[arg(long, default_value = "127.0.0.1:8481")]
    beds24: std::net::SocketAddr,
    /// Listen address of the second simulated Beds24 account
    #[arg(long, default_value = "127.0.0.1:8482")]
    second: std::net::SocketAddr,
    /// Random seed
    #[arg(long, default_value_t = 24)]
    seed: u64,
    /// Share of calls and webhooks that fail at the simulated accounts, from 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = super::simulate::share)]
    faults: f64,
    /// Share of odd bookings in responses, from 0 to 1; each kind occurs at least once
    #[arg(long, default_value_t = 0.0, value_parser = super::simulate::share)]
    odd: f64,
    /// Data folder; emptied at the start
    #[arg(long, default_value = "data/demo")]
    dir: PathBuf,
    /// sqlite:PATH or postgres://…; defaults to a SQLite file in the data folder
    #[arg(long)]
    database: Option<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| "must be a number with s or m, such as 20s")?;
    match unit {
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        _ => Err("must end in s or m, such as 20s".to_owned()),
    }
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        if self.dir.exists() {
            // Refuse to delete the folder of a running host.
            drop(HostFile::lock(&self.dir)?);
            std::fs::remove_dir_all(&self.dir).with_context(|| format!("cannot empty {}", self.dir.display()))?;
        }
        let plugins = self.dir.join("plugins");
        build::plugins(&[CHANNEL.to_owned()], &plugins).await?;
        let channel = channel(CHANNEL).context("the demo's channel is not simulated")?;

        let stop = CancellationToken::new();
        let first = self.simulate(channel, self.beds24, SimulatorSettings::default().bookings, &stop).await?;
        let second = self.simulate(channel, self.second, 0, &stop).await?;
        let listener = TcpListener::bind(self.listen).await.context("the host cannot bind its address")?;
        let address = listener.local_addr()?;
        let config = self.config(&plugins, address, &format!("{},{}", first.address, second.address))?;
        telemetry::start(&config.log);
        let host_file = HostFile::lock(&self.dir)?;
        let app = App::open(config, system_clock(), system_random()).await?;
        // From here on, commands on this folder connect to this host.
        host_file.announce(address)?;
        let client = Client::wire(&format!("http://{address}"), &app.operator_token)?;
        let mut hosting = tokio::spawn(server::run(Arc::clone(&app), listener, stop.clone().cancelled_owned()));
        say(&format!("Status page        http://{address}/#operator={}", app.operator_token));
        say(&format!("Standard API       http://{address}/openapi.json"));
        say(&format!("Simulated Beds24   http://{}/ and http://{}/", first.address, second.address));
        say("");

        let mut follower = Follower::new(&client);
        let stage = Stage::set(&app, &client, &first, &second, &mut follower).await?;
        say("Two Beds24 accounts and a booking engine sell the same rooms through the sandboxed plugin.");
        if self.faults > 0.0 {
            let (delay_millis, hold_millis) = LATE;
            for account in [&first.account, &second.account] {
                account.set_faults(FaultSettings { delay_millis, hold_millis, ..FaultSettings::any(self.faults) });
            }
            say(&format!("From now on {:.0} % of calls and webhooks fail.", self.faults * 100.0));
        }
        if self.odd > 0.0 {
            for account in [&first.account, &second.account] {
                account.set_odd(self.odd);
            }
            say(&format!("From now on {:.0} % of bookings are sent in an odd form.", self.odd * 100.0));
        }
        let mut engine = BookingEngine::open(&app, &client, &stage);
        tokio::select! {
            played = self.play(&stage, &mut engine, &mut follower) => played?,
            // The host ended without a stop signal: one of its tasks failed.
            ended = &mut hosting => ended??,
        }
        if self.odd > 0.0 {
            odd::say_the_rest(&[("beds24", &*first.account), ("second", &*second.account)]);
        }
        say("");
        for account in [&first.account, &second.account] {
            account.set_faults(FaultSettings::default());
            account.set_odd(0.0);
        }
        say("No new actions; waiting for the last messages.");
        let differences = compare::settle(&app, &client, &stage, &mut engine, &mut follower).await?;
        let code = compare::summary(&app, &client, &stage, &engine, &differences).await?;
        stop.cancel();
        hosting.await??;
        first.serving.await??;
        second.serving.await??;
        Ok(code)
    }

    /// Both accounts have the same properties, since they share a seed.
    async fn simulate(
        &self,
        channel: &SimulatedChannel,
        listen: std::net::SocketAddr,
        bookings: u32,
        stop: &CancellationToken,
    ) -> anyhow::Result<Simulated> {
        let settings = SimulatorSettings { seed: self.seed, bookings, generous: true, ..SimulatorSettings::default() };
        let account = (channel.account)(&settings, system_clock());
        let listener = TcpListener::bind(listen).await.context("a simulated Beds24 cannot bind its address")?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(account.serve(listener, stop.clone()));
        Ok(Simulated { account, address, serving })
    }

    fn config(&self, plugins: &std::path::Path, listen: std::net::SocketAddr, private: &str) -> anyhow::Result<Config> {
        let database = self.database.clone();
        let settings = [
            ("GASSYNC_DATA_DIR", self.dir.display().to_string()),
            ("GASSYNC_PLUGINS_DIR", plugins.display().to_string()),
            ("GASSYNC_DATABASE_URL", database.unwrap_or_else(|| format!("sqlite:{}/gassync.db", self.dir.display()))),
            ("GASSYNC_SERVER_LISTEN", listen.to_string()),
            ("GASSYNC_EGRESS_ALLOW_PRIVATE", private.to_owned()),
            // Subscribers on this machine are allowed.
            ("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8".to_owned()),
            ("GASSYNC_WORKERS_POLL_SECONDS", POLL_SECONDS.to_string()),
            ("GASSYNC_WORKERS_POLL_MILLIS", "200".to_owned()),
            ("GASSYNC_LOG_FILTER", std::env::var("GASSYNC_LOG_FILTER").unwrap_or_else(|_| "error".to_owned())),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Config::load(Some(std::path::Path::new("/dev/null")), settings)?)
    }

    /// Runs actions until the time is up or the user stops the demo.
    async fn play(
        &self,
        stage: &Stage,
        engine: &mut BookingEngine<'_>,
        follower: &mut Follower<'_>,
    ) -> anyhow::Result<()> {
        let enough = stop_signal()?;
        tokio::pin!(enough);
        let ends = self.run_for.map(|run_for| Instant::now() + run_for);
        let (mut acts, mut looks) = (tokio::time::interval(ACT), tokio::time::interval(LOOK));
        let mut books = tokio::time::interval(BOOK);
        let mut number = 0;
        while ends.is_none_or(|ends| Instant::now() < ends) {
            tokio::select! {
                () = &mut enough => return Ok(()),
                _ = looks.tick() => {
                    follower.look().await?;
                    engine.look();
                }
                _ = books.tick() => engine.act().await?,
                _ = acts.tick() => {
                    number += 1;
                    let is_second = number % AT_THE_SECOND == 0;
                    let (name, account) = if is_second { ("second", &stage.second) } else { ("beds24", &stage.first) };
                    if let Some(action) = account.act() {
                        let delivered = match action.notification {
                            Notification::Webhook => "sends a webhook",
                            Notification::None => "sends no webhook: a poll will find it",
                        };
                        say(&format!("  {name}   {}; {delivered}", action.summary));
                    }
                },
            }
        }
        Ok(())
    }
}
