//! `gassync demo`: the whole on one machine, and a sum at the end that is held against the other side's own book.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use gassync_domain::SourceId;
use gassync_simulator::beds24::{Beds24, Faults, Settings, Told, Webhook};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{build, client::Client, print, say, serve::stop_signal, system_clock};
use crate::{
    admin::{Line, NewSource, SourceMade},
    app::App,
    config::Config,
    server, store, telemetry,
    vault::system_random,
};

/// How often something happens at the simulated channel.
const ACT: Duration = Duration::from_millis(1_200);
/// How often the demo asks what travelled.
const LOOK: Duration = Duration::from_millis(250);
/// How often the demo's host polls, in seconds: people watch.
const POLL_SECONDS: u64 = 3;
/// How long the last messages may take at the end.
const SETTLE: Duration = Duration::from_secs(30);
/// What the simulated account may spend in five minutes: enough for polls as often as people watch.
const CREDITS: f64 = 10_000.0;
/// How late the simulated channel is when it is late, and how long it holds an answer back, in milliseconds.
const LATE: (u64, u64) = (500, 5_000);
const ACCOUNT: &str = "Demo Holidays";
const SOURCE: &str = "demo-beds24";

#[derive(Debug, Args)]
pub struct Demo {
    /// End after so long, such as 20s or 2m; without it Ctrl-C ends it
    #[arg(long = "for", value_parser = duration)]
    run_for: Option<Duration>,
    /// Where the host listens
    #[arg(long, default_value = "127.0.0.1:8480")]
    listen: std::net::SocketAddr,
    /// Where the simulated Beds24 listens
    #[arg(long, default_value = "127.0.0.1:8481")]
    beds24: std::net::SocketAddr,
    /// What all chance grows from
    #[arg(long, default_value_t = 24)]
    seed: u64,
    /// The share of calls and webhooks that something goes wrong with at the simulated Beds24, from 0 to 1, until the end
    #[arg(long, default_value_t = 0.0, value_parser = super::simulate::share)]
    faults: f64,
    /// Where the demo keeps its data; emptied first
    #[arg(long, default_value = "data/demo")]
    dir: PathBuf,
    /// sqlite:PATH or postgres://…; without it a SQLite file in the demo's folder
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
            std::fs::remove_dir_all(&self.dir).with_context(|| format!("cannot empty {}", self.dir.display()))?;
        }
        let plugins = self.dir.join("plugins");
        build::plugins(&["beds24".to_owned()], &plugins).await?;

        let stop = CancellationToken::new();
        let settings = Settings { seed: self.seed, credits_per_five_minutes: CREDITS, ..Settings::default() };
        let beds24 = Beds24::new(settings, system_clock());
        let channel = TcpListener::bind(self.beds24).await.context("the simulated Beds24 cannot listen")?;
        let channel_address = channel.local_addr()?;
        let simulating = tokio::spawn({
            let (beds24, stop) = (beds24.clone(), stop.clone());
            async move { beds24.serve(channel, stop).await }
        });

        let listener = TcpListener::bind(self.listen).await.context("the host cannot listen")?;
        let address = listener.local_addr()?;
        let config = self.config(&plugins, address, &channel_address.to_string())?;
        telemetry::start(&config.log);
        let app = App::open(config, system_clock(), system_random()).await?;
        let client = Client::wire(&format!("http://{address}"), &app.operator_token)?;
        let hosting = tokio::spawn(server::run(Arc::clone(&app), listener, stop.clone().cancelled_owned()));
        say(&format!("Status page        http://{address}/#operator={}", app.operator_token));
        say(&format!("Standard API       http://{address}/openapi.json"));
        say(&format!("Simulated Beds24   http://{channel_address}/"));
        say("");

        let source = connect(&client, &beds24, &channel_address.to_string()).await?;
        let mut follower = Follower { client: &client, after: 0 };
        say("The source is connected; what Beds24 has is fetched through the sandboxed plugin.");
        if self.faults > 0.0 {
            let (delay_millis, hold_millis) = LATE;
            beds24.set_faults(Faults { delay_millis, hold_millis, ..Faults::any(self.faults) });
            say(&format!("Of its calls and webhooks {:.0} % go wrong from now on.", self.faults * 100.0));
        }
        self.play(&beds24, &mut follower).await?;
        say("");
        beds24.set_faults(Faults::default());
        say("Nothing new happens now; the last messages arrive.");
        let differences = settle(&app, &beds24, source, &mut follower).await?;
        let code = summary(&app, &beds24, source, &differences).await?;
        stop.cancel();
        hosting.await??;
        simulating.await??;
        Ok(code)
    }

    fn config(&self, plugins: &std::path::Path, listen: std::net::SocketAddr, channel: &str) -> anyhow::Result<Config> {
        let database = self.database.clone();
        let settings = [
            ("GASSYNC_DATA_DIR", self.dir.display().to_string()),
            ("GASSYNC_PLUGINS_DIR", plugins.display().to_string()),
            ("GASSYNC_DATABASE_URL", database.unwrap_or_else(|| format!("sqlite:{}/gassync.db", self.dir.display()))),
            ("GASSYNC_SERVER_LISTEN", listen.to_string()),
            ("GASSYNC_EGRESS_PRIVATE", channel.to_owned()),
            ("GASSYNC_WORK_POLL_SECONDS", POLL_SECONDS.to_string()),
            ("GASSYNC_WORK_POLL_MILLIS", "200".to_owned()),
            ("GASSYNC_LOG_FILTER", std::env::var("GASSYNC_LOG_FILTER").unwrap_or_else(|_| "warn".to_owned())),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Config::load(Some(std::path::Path::new("/dev/null")), settings)?)
    }

    /// Lets things happen until the time is up or somebody has seen enough.
    async fn play(&self, beds24: &Beds24, follower: &mut Follower<'_>) -> anyhow::Result<()> {
        let enough = stop_signal()?;
        tokio::pin!(enough);
        let ends = self.run_for.map(|run_for| Instant::now() + run_for);
        let (mut acts, mut looks) = (tokio::time::interval(ACT), tokio::time::interval(LOOK));
        while ends.is_none_or(|ends| Instant::now() < ends) {
            tokio::select! {
                () = &mut enough => return Ok(()),
                _ = looks.tick() => follower.look().await?,
                _ = acts.tick() => if let Some(action) = beds24.act() {
                    let told = match action.told {
                        Told::Webhook => "tells by webhook",
                        Told::Nobody => "tells nobody: a poll will find it",
                    };
                    say(&format!("  beds24   {}; {told}", action.summary));
                },
            }
        }
        Ok(())
    }
}

async fn connect(client: &Client, beds24: &Beds24, channel: &str) -> anyhow::Result<SourceId> {
    let wait_until = Instant::now() + SETTLE;
    while client.get::<Vec<Value>>("/admin/v1/plugins").await.map_or(true, |plugins| plugins.is_empty()) {
        anyhow::ensure!(Instant::now() < wait_until, "the plugin is not loaded after {} s", SETTLE.as_secs());
        tokio::time::sleep(LOOK).await;
    }
    let new = NewSource {
        account: ACCOUNT.to_owned(),
        channel: "beds24".to_owned(),
        name: SOURCE.to_owned(),
        settings: [("baseUrl".to_owned(), json!(format!("http://{channel}/api/v2")))].into(),
        credentials: [("inviteCode".to_owned(), beds24.invite_code())].into(),
    };
    let made: SourceMade = client.post("/admin/v1/sources", &new).await?;
    let header = made.webhook_header.map(|name| (name, made.webhook_token));
    beds24.set_webhook(Webhook { url: made.webhook_url, header });
    Ok(SourceId(made.id))
}

/// Tells what the audit trail says, as it grows.
struct Follower<'a> {
    client: &'a Client,
    after: i64,
}

impl Follower<'_> {
    async fn look(&mut self) -> anyhow::Result<()> {
        let lines: Vec<Line> = self.client.get(&format!("/admin/v1/sync-log?after={}", self.after)).await?;
        for line in lines {
            self.after = line.id;
            let what = line.entity.replace('_', " ");
            let done = match line.action.as_str() {
                "create" => "is new in the core",
                "update" => "is changed in the core",
                "ignore" => "came late and changes nothing",
                "park" => "is kept and waits",
                "reject" => "is refused",
                other => other,
            };
            let why = line.message.filter(|_| line.action != "ignore").map(|m| format!(": {m}")).unwrap_or_default();
            say(&format!("  gassync  {what} {} {done}{why}", line.entity_id));
        }
        Ok(())
    }
}

/// Waits until the core equals the channel's book, or for as long as that may take.
async fn settle(
    app: &App,
    beds24: &Beds24,
    source: SourceId,
    follower: &mut Follower<'_>,
) -> anyhow::Result<Vec<String>> {
    let until = Instant::now() + SETTLE;
    loop {
        follower.look().await?;
        let differences = compare(app, beds24, source).await?;
        let quiet = differences.is_empty() && beds24.webhooks_pending() == 0;
        if quiet || Instant::now() >= until {
            return Ok(differences);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Every difference between the core, as the database has it, and the channel's own book.
async fn compare(app: &App, beds24: &Beds24, source: SourceId) -> anyhow::Result<Vec<String>> {
    let core = bookings(app, source).await?;
    let mut differences = Vec::new();
    let book: Vec<_> = beds24.book().into_iter().filter(|entry| entry.status != "black").collect();
    for entry in &book {
        let found: Vec<_> = core.iter().filter(|(id, _)| *id == entry.id.to_string()).collect();
        let [(_, facts)] = found.as_slice() else {
            differences.push(format!("booking {} stands in the core {} times", entry.id, found.len()));
            continue;
        };
        let status = match entry.status.as_str() {
            "new" | "confirmed" => "confirmed",
            "request" => "pending",
            other => other,
        };
        let price = facts.total_price.map(|price| gassync_domain::Amount::from(price).ten_thousandths());
        let theirs = (status, entry.arrival, entry.departure, Some(i64::from(entry.num_adult)));
        let ours = (facts.status.as_str(), facts.check_in.0, facts.check_out.0, facts.adults);
        if theirs != ours || price != i64::try_from(entry.price_cents * 100).ok() {
            differences.push(format!("booking {}: Beds24 has {theirs:?}, the core {ours:?}", entry.id));
        }
    }
    for (id, _) in &core {
        if !book.iter().any(|entry| entry.id.to_string() == *id) {
            differences.push(format!("booking {id} stands in the core and not at Beds24"));
        }
    }
    Ok(differences)
}

async fn bookings(app: &App, source: SourceId) -> anyhow::Result<Vec<(String, store::core::bookings::BookingFacts)>> {
    let mut tx = app.db.platform_read().await?;
    let account = store::accounts::find(&mut tx, ACCOUNT).await?.context("the demo's account is gone")?;
    Ok(store::core::bookings::bookings_of_source(&mut tx, account, source).await?)
}

async fn summary(app: &App, beds24: &Beds24, source: SourceId, differences: &[String]) -> anyhow::Result<ExitCode> {
    let core = bookings(app, source).await?;
    let cancelled = core.iter().filter(|(_, facts)| facts.status == "cancelled").count();
    let blocks = beds24.book().iter().filter(|entry| entry.status == "black").count();
    print(&format!("bookings in the core       {} ({cancelled} cancelled)", core.len()));
    print(&format!("bookings at Beds24         {} (and {blocks} blocks)", beds24.book().len() - blocks));
    print(&format!("webhooks delivered         {}", beds24.webhooks_acknowledged().len()));
    for difference in differences {
        print(&format!("DIFFERENCE  {difference}"));
    }
    if differences.is_empty() {
        print("The core equals Beds24's own book.");
        Ok(ExitCode::SUCCESS)
    } else {
        print(&format!("{} differences", differences.len()));
        Ok(ExitCode::FAILURE)
    }
}
