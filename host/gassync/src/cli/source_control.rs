//! Steers sources: stops and resumes them, says which ways they talk and how often, changes their settings, deletes them.

use anyhow::ensure;
use clap::{Args, Subcommand};
use gassync_domain::Direction;
use serde_json::{Map, Value};

use super::{client::Client, pair::pair, print, say};
use crate::admin::{
    MAX_POLL_MINUTES, NewPoll, NewRemoval, NewSettings, NewSwitches, SettingsChanged, SourceRemoved, SourceRun,
    Steered, Switches,
};

#[derive(Debug, Subcommand)]
pub enum SourceControlCommand {
    /// Have nothing fetched and nothing told; what the channel says by itself is still taken and applied. A partner's calls are
    /// refused
    Pause(Named),
    /// Have nothing go in or out; what the channel says by itself is kept, and applied when the source goes on. A partner's calls
    /// are refused
    Disable(Named),
    /// Have a paused or disabled source go on where it stood, and tell its channel what changed meanwhile
    Resume(Named),
    /// Say whether and which ways source and channel talk; without options, show it
    Switch(Switch),
    /// Say how often the channel is asked for bookings; what changes less often is asked for no more often than the plugin says
    SetPoll(SetPoll),
    /// Change settings, checked as when the source was added; the next call has them
    Set(SetArgs),
    /// Show the newest runs, what came in and what went out
    Runs(Named),
    /// Delete a source and all that is kept for it; bookings stay in the core with their nights
    Delete(Delete),
}

#[derive(Debug, Args)]
pub struct Named {
    /// The source's name, or its number
    name: String,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Switch {
    /// The source's name, or its number
    name: String,
    /// The channel is fetched from and told, as its direction says
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// No polls and no pushes, whatever becomes of its credentials; what the channel says by itself is still applied
    #[arg(long)]
    off: bool,
    /// bidirectional; inbound_only: the channel is told nothing; outbound_only: it is not asked, and what it says by itself is
    /// kept beside the core, and applied once the direction lets it in
    #[arg(long)]
    direction: Option<Direction>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetPoll {
    /// The source's name, or its number
    name: String,
    /// Minutes between two polls, from 1 to 1440; a shorter time counts at once
    #[arg(long, required_unless_present = "default", conflicts_with = "default",
        value_parser = clap::value_parser!(i64).range(1..=MAX_POLL_MINUTES))]
    minutes: Option<i64>,
    /// As often as the plugin says
    #[arg(long)]
    default: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// The source's name, or its number
    name: String,
    /// NAME=VALUE; a value that is JSON is taken as such
    #[arg(value_parser = pair, required_unless_present = "unset")]
    settings: Vec<(String, String)>,
    /// A setting that goes back to its default
    #[arg(long)]
    unset: Vec<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Delete {
    /// The source's name, or its number
    name: String,
    /// Only say what would become of what
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Do it: there is no way back
    #[arg(long)]
    yes: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl SourceControlCommand {
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Pause(named) => named.steer(client, "pause").await,
            Self::Disable(named) => named.steer(client, "disable").await,
            Self::Resume(named) => named.steer(client, "resume").await,
            Self::Switch(switch) => switch.run(client).await,
            Self::SetPoll(set) => set.run(client).await,
            Self::Set(set) => set.run(client).await,
            Self::Runs(named) => named.runs(client).await,
            Self::Delete(delete) => delete.run(client).await,
        }
    }
}

impl Named {
    async fn steer(self, client: &Client, act: &str) -> anyhow::Result<()> {
        let Self { name, json } = self;
        let steered: Steered = client.post(&format!("/admin/v1/sources/{name}/{act}"), &()).await?;
        if json {
            print(&serde_json::to_string(&steered)?);
        } else {
            say(&format!("{name} was {} and is {}.", steered.was, steered.status));
        }
        Ok(())
    }

    async fn runs(self, client: &Client) -> anyhow::Result<()> {
        let runs: Vec<SourceRun> = client.get(&format!("/admin/v1/sources/{}/runs", self.name)).await?;
        if self.json {
            print(&serde_json::to_string(&runs)?);
        } else {
            runs.iter().for_each(print_run);
        }
        Ok(())
    }
}

fn print_run(run: &SourceRun) {
    let what = if run.sync_type.ends_with("export") {
        let to_read = run.updated - run.confirmed;
        format!(
            "{} sent: {} confirmed, {to_read} unconfirmed, {} rejected, {} in doubt",
            run.processed, run.confirmed, run.failed, run.in_doubt
        )
    } else {
        format!(
            "{} new, {} changed, {} parked or refused, {} as they were",
            run.created, run.updated, run.failed, run.skipped
        )
    };
    let error = run.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    print(&format!("{:.0}  {:<20} {:<16} {what}{error}", run.started_at, run.sync_type, run.status));
}

impl Switch {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = format!("/admin/v1/sources/{}/switches", self.name);
        let new =
            NewSwitches { sync_enabled: (self.on || self.off).then_some(self.on), sync_direction: self.direction };
        let is_new = new.sync_enabled.is_some() || new.sync_direction.is_some();
        let switches: Switches = if is_new { client.patch(&path, &new).await? } else { client.get(&path).await? };
        show(&self.name, &switches, self.json)
    }
}

fn show(name: &str, switches: &Switches, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(switches)?);
        return Ok(());
    }
    let Switches { sync_enabled, sync_direction, poll_minutes } = switches;
    let state = if *sync_enabled { "on" } else { "off" };
    let polls =
        poll_minutes.map_or_else(|| "as often as the plugin says".to_owned(), |minutes| format!("every {minutes} min"));
    print(&format!("{name}: {state}, {sync_direction}, polled {polls}"));
    Ok(())
}

impl SetPoll {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = format!("/admin/v1/sources/{}/poll", self.name);
        let switches: Switches = client.post(&path, &NewPoll { minutes: self.minutes }).await?;
        show(&self.name, &switches, self.json)
    }
}

impl SetArgs {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        let set = self.settings.into_iter().map(|(name, text)| (name, value(text))).collect();
        let path = format!("/admin/v1/sources/{}/settings", self.name);
        let changed: SettingsChanged = client.patch(&path, &NewSettings { set, unset: self.unset }).await?;
        if self.json {
            print(&serde_json::to_string(&changed)?);
            return Ok(());
        }
        let (before, after) = (members(&changed.before), members(&changed.after));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        let word = |value: Option<&Value>| value.map_or_else(|| "its default".to_owned(), Value::to_string);
        for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
            print(&format!("{name}: {} is now {}", word(before.get(name)), word(after.get(name))));
        }
        Ok(())
    }
}

fn members(settings: &Value) -> Map<String, Value> {
    settings.as_object().cloned().unwrap_or_default()
}

impl Delete {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = format!("/admin/v1/sources/{}/delete", self.name);
        let plan: SourceRemoved = client.post(&path, &NewRemoval { dry_run: true, confirm: None }).await?;
        if !self.yes {
            show_removal(&plan, self.json)?;
            ensure!(self.plan, "nothing was deleted: --yes does it, --plan only shows it");
            return Ok(());
        }
        let new = NewRemoval { dry_run: false, confirm: Some(plan.name) };
        show_removal(&client.post(&path, &new).await?, self.json)
    }
}

fn show_removal(removed: &SourceRemoved, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(removed)?);
        return Ok(());
    }
    let SourceRemoved { name, records, .. } = removed;
    say(&if removed.done { format!("{name} is deleted.") } else { format!("To delete {name} would come to this:") });
    print(&format!(
        "forgotten   {} properties, {} room types, {} rate plans, {} reservations, {} guests, {} blocks, {} nights of calendars",
        records.properties,
        records.room_types,
        records.rate_plans,
        records.reservations,
        records.guests,
        records.blocks,
        records.calendar_nights
    ));
    print(&format!(
        "forgotten   {} records that could not be read, {} decisions, {} links, {} messages and answers",
        records.set_aside, records.decisions, removed.links, removed.messages
    ));
    print(&format!(
        "ended       {} keys, {} subscriptions, {} jobs",
        removed.keys, removed.subscriptions, removed.jobs
    ));
    print(&format!("revoked     {} fields of credentials", removed.credentials));
    print(&format!("opened      {} nights that were closed by hand at the channel", removed.closed_nights_opened));
    print(&format!("given back  {} holds of records that wait", removed.holds_given_back));
    print(&format!(
        "kept        {} bookings in the core, {} closures there, {} bookings that were pushed to the channel",
        removed.bookings_kept, removed.closures_kept, removed.pushed_bookings
    ));
    if removed.waiting_messages > 0 {
        print(&format!("lost        {} messages that nobody has worked on yet", removed.waiting_messages));
    }
    if removed.creates {
        print("It created the account's houses: the next source that is added does.");
    }
    for problem in &removed.problems {
        say(&format!("  the channel was not told: {problem}"));
    }
    Ok(())
}
