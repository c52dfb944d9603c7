use std::{process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use gassync_domain::{Authority, Date, Owner};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::{
    client::Client,
    go_live,
    pair::pair,
    print, say, source_control,
    source_push::{self, PushSettingsArgs},
    table::Listing,
};
use gassync::{
    admin::{
        BackfillResponse, ConnectResponse, CreatedSource, CredentialResponse, DisconnectResponse, FailingPollResponse,
        InboundWebhookResponse, NewBackfill, NewCredentials, NewSourceRequest, NewTimeZone, PendingSync, SourceDetail,
        SourceResponse, SyncResponse, TimeZoneResponse, paths,
    },
    config::Config,
    store::backfills::{BackfillOutcome, BackfillState},
};

/// Interval of the progress spinner.
const SPIN: Duration = Duration::from_millis(100);
/// Interval between progress requests.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Connect an account to a channel
    Add(Add),
    /// List sources
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a source, its webhook and the expiry of its credentials
    Show {
        /// Source name or number
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Reconnect a source with new credentials
    Connect {
        /// Source name or number
        name: String,
        /// FIELD=VALUE of a credential input
        #[arg(long = "credential", value_parser = pair)]
        credentials: Vec<(String, String)>,
    },
    /// Revoke and delete the credentials of a source
    Disconnect {
        /// Source name or number
        name: String,
    },
    /// Set the authority per area: ours, theirs or none; omitted areas return to their default
    Authority {
        /// Source name or number
        name: String,
        /// Reservations and guests (default: theirs)
        #[arg(long, value_parser = say_of)]
        bookings: Option<Owner>,
        /// Prices and stay rules (default: ours)
        #[arg(long, value_parser = say_of)]
        calendar: Option<Owner>,
        /// Names, texts and sizes (default: theirs for the creating source, none for others)
        #[arg(long, value_parser = say_of)]
        content: Option<Owner>,
    },
    /// Set the time zone of a source's properties, if the channel sends none
    TimeZone {
        /// Source name or number
        name: String,
        /// IANA time zone, such as Europe/Lisbon
        zone: String,
    },
    /// Show how up to date the channel is, and what is pending
    Status {
        /// Source name or number; defaults to all
        name: Option<String>,
        /// Print one JSON document per source
        #[arg(long)]
        json: bool,
    },
    /// Push pending changes now
    Push {
        /// Source name or number
        name: String,
        /// Push all nights within the horizon, including confirmed ones
        #[arg(long)]
        full: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Start pushing to the channel: --plan shows what would change, without it the plan is applied
    GoLive(go_live::GoLiveArgs),
    /// Change the push settings; without options, show them
    PushSettings(PushSettingsArgs),
    #[command(flatten)]
    Control(source_control::SourceControlCommand),
    /// Fetch from the channel now; with --from and --to, backfill these nights in the background
    Sync {
        /// Source name
        name: String,
        /// First night
        #[arg(long, requires = "to")]
        from: Option<Date>,
        /// Last night
        #[arg(long, requires = "from")]
        to: Option<Date>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Add {
    /// Account name; created if it does not exist
    #[arg(long)]
    account: String,
    /// Channel: the plugin id
    #[arg(long)]
    channel: String,
    /// Source name
    #[arg(long)]
    name: String,
    /// NAME=VALUE of a plugin setting; JSON values are parsed
    #[arg(long = "setting", value_parser = pair)]
    settings: Vec<(String, String)>,
    /// FIELD=VALUE of a credential input
    #[arg(long = "credential", value_parser = pair)]
    credentials: Vec<(String, String)>,
    /// Time zone of its properties, such as Europe/Lisbon, if the channel sends none
    #[arg(long)]
    time_zone: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn say_of(text: &str) -> Result<Owner, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_| "must be ours, theirs or none".to_owned())
}

impl SourceCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::Add(add) => add.run(&client).await?,
            Self::List { json } => list(&client, json).await?,
            Self::Show { name, json } => show(&client, &name, json).await?,
            Self::Connect { name, credentials } => {
                let new = NewCredentials { credentials: credentials.into_iter().collect() };
                let connected: ConnectResponse = client.post(&paths::source_connect(&name), &new).await?;
                say(&format!("{name} is {}.", connected.status));
                ask_consent(connected.consent_url.as_deref());
            }
            Self::Disconnect { name } => {
                let done: DisconnectResponse = client.post(&paths::source_disconnect(&name), &()).await?;
                say(&format!("{name} is disconnected; its credentials were deleted."));
                for problem in done.problems {
                    say(&format!("  not revoked at the channel: {problem}"));
                }
            }
            Self::Authority { name, bookings, calendar, content } => {
                let authority = Authority { bookings, calendar, content };
                client.post::<()>(&paths::source_authority(&name), &authority).await?;
                say(&format!("{name}: done"));
            }
            Self::TimeZone { name, zone } => {
                let new = NewTimeZone { time_zone: zone };
                let set: TimeZoneResponse = client.post(&paths::source_time_zone(&name), &new).await?;
                say(&format!("{name}: {} for {} properties", new.time_zone, set.houses));
            }
            Self::Sync { name, from: Some(from), to: Some(to), json } => {
                backfill(&client, &name, &NewBackfill { from, to }, json).await?;
            }
            Self::Status { name, json } => source_push::status(&client, name, json).await?,
            Self::Push { name, full, json } => source_push::push(&client, &name, full, json).await?,
            Self::GoLive(asked) => asked.run(&client).await?,
            Self::PushSettings(change) => change.run(&client).await?,
            Self::Control(command) => command.run(&client).await?,
            Self::Sync { name, json, .. } => sync(&client, &name, json).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        let new = NewSourceRequest {
            account: self.account,
            channel: self.channel,
            name: self.name,
            settings: self.settings.into_iter().map(|(name, text)| (name, value(text))).collect(),
            credentials: self.credentials.into_iter().collect(),
            time_zone: self.time_zone,
        };
        let made: CreatedSource = client.post(paths::SOURCES, &new).await.context("cannot add the source")?;
        if self.json {
            print(&serde_json::to_string(&made)?);
            return Ok(());
        }
        match made.consent_url.as_deref() {
            None if made.missing.is_empty() => {
                say(&format!("Source {} is connected. Configure at the channel:", new.name))
            }
            None => {
                say(&format!("Source {} was added without {}. To provide it:", new.name, made.missing.join(" and ")));
                say(&format!("  gassync source connect {} --credential FIELD=VALUE", new.name));
                say("Configure at the channel:");
            }
            asked => ask_consent(asked),
        }
        print(&format!("webhook address  {}", made.webhook_url));
        if let Some(header) = &made.webhook_header {
            print(&format!("webhook header   {header}: {}", made.webhook_token));
        }
        say("The token is shown only once.");
        say("It only listens: nothing is pushed before it goes live. Once its rooms are linked:");
        say(&format!("  gassync source go-live {} --plan", new.name));
        if made.time_zone.is_none() {
            say("No time zone was given: if the channel sends none, nights may be a day early. To set it:");
            say(&format!("  gassync source time-zone {} Europe/Lisbon", new.name));
        }
        Ok(())
    }
}

fn ask_consent(url: Option<&str>) {
    if let Some(url) = url {
        say("Consent is required within 15 minutes at:");
        print(url);
    }
}

async fn show(client: &Client, name: &str, json: bool) -> anyhow::Result<()> {
    let whole: SourceDetail = client.get(&paths::source(&name)).await?;
    if json {
        print(&serde_json::to_string(&whole)?);
        return Ok(());
    }
    print_sources(std::slice::from_ref(&whole.source));
    if let Some(error) = &whole.error {
        print(&format!("      last error: {error}"));
    }
    if let Some(zone) = &whole.time_zone {
        print(&format!("      time zone: {zone}, if the channel sends none"));
    }
    for FailingPollResponse { poll, failures, since, message } in &whole.failing {
        print(&format!("      polls of {poll} failing since {since:.0} ({failures} times): {message}"));
    }
    if let Some(webhook) = &whole.webhook {
        print_webhook(webhook);
    }
    for CredentialResponse { slot, field, expires_at, renews, .. } in &whole.credentials {
        let end = expires_at.map_or_else(|| "no known expiry".to_owned(), |at| format!("valid until {at:.0}"));
        let renewed = if *renews { ", renewed automatically" } else { "" };
        print(&format!("      {slot}.{field}: {end}{renewed}"));
    }
    Ok(())
}

fn print_webhook(InboundWebhookResponse { url, header, last_at, unannounced_polls }: &InboundWebhookResponse) {
    let token = "the token shown when the source was added";
    match header {
        Some(header) => print(&format!("      webhook address: {url}, with the header {header}: {token}")),
        None => print(&format!("      webhook address: {url}?token=TOKEN, with {token}")),
    }
    let last = last_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
    let unannounced = if *unannounced_polls > 0 {
        format!("; {unannounced_polls} polls since then found booking changes that no webhook announced")
    } else {
        String::new()
    };
    print(&format!("      bookings last told by webhook: {last}{unannounced}"));
}

fn print_sources(sources: &[SourceResponse]) {
    let mut rows = Listing::new();
    for source in sources {
        let synced = source.last_sync_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        let SourceResponse { id, name, channel, status, listening, .. } = source;
        let status = if *listening { format!("{status}, listening") } else { status.to_string() };
        rows.row(&[id, name, channel, &status, &format!("last in sync {synced}")]);
    }
    rows.print();
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let sources: Vec<SourceResponse> = client.get(paths::SOURCES).await?;
    if json {
        print(&serde_json::to_string(&sources)?);
        return Ok(());
    }
    print_sources(&sources);
    Ok(())
}

async fn sync(client: &Client, name: &str, json: bool) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner().with_message(format!("Fetching from {name}"));
    bar.enable_steady_tick(SPIN);
    let is_here = matches!(client, Client::Here { .. });
    // Nothing runs the polls in this process.
    let path = format!("{}{}", paths::source_sync(&name), if is_here { "?wait=0" } else { "" });
    let answer = client.post::<SyncResponse>(&path, &()).await;
    bar.finish_and_clear();
    let answer = answer.with_context(|| format!("cannot fetch from {name}"))?;
    if json {
        print(&serde_json::to_string(&answer)?);
        return Ok(());
    }
    match answer {
        SyncResponse::Done(report) => print_counts(report),
        SyncResponse::Pending(_) if is_here => say("No host is running; it is fetched once one starts."),
        SyncResponse::Pending(PendingSync { pending }) => {
            say("Fetching takes longer; it continues. To follow it:");
            for job in pending {
                let why = job.why.map(|why| format!("  ({why})")).unwrap_or_default();
                say(&format!("  gassync jobs show {}{why}", job.id));
            }
        }
    }
    Ok(())
}

fn print_counts(report: BackfillOutcome) {
    let mut rows = Listing::new();
    for (entity, tally) in report {
        let counts: Vec<String> = tally.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let counts = if counts.is_empty() { "nothing new".to_owned() } else { counts.join(", ") };
        rows.row(&[&entity, &counts]);
    }
    rows.print();
}

/// Shows the progress; interrupting the command does not stop the backfill.
async fn backfill(client: &Client, name: &str, new: &NewBackfill, json: bool) -> anyhow::Result<()> {
    let path = paths::source_backfills(&name);
    let mut shown: BackfillResponse = client.post(&path, new).await.context("cannot start the backfill")?;
    if shown.resumed {
        say(&format!("Resuming the earlier backfill at {}.", shown.reached));
    }
    if matches!(client, Client::Here { .. }) {
        say("No host is running; the work continues once one starts.");
        return Ok(());
    }
    let bar = ProgressBar::new(u64::try_from(shown.nights).unwrap_or_default());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} nights, {eta} left  {msg}")?);
    let path = format!("{path}/{}", shown.id);
    while shown.state == BackfillState::Running {
        bar.set_position(u64::try_from(shown.nights_done).unwrap_or_default());
        bar.set_message(shown.error.take().unwrap_or_default());
        tokio::time::sleep(LOOK).await;
        shown = client.get(&path).await?;
    }
    bar.finish_and_clear();
    if json {
        print(&serde_json::to_string(&shown)?);
    } else {
        print_counts(shown.outcome);
    }
    ensure!(
        shown.state == BackfillState::Done,
        "the backfill stopped at {}: {}",
        shown.reached,
        shown.error.unwrap_or_default()
    );
    Ok(())
}
