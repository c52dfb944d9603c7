//! Pauses, resumes, configures and deletes sources.

use std::fmt::Display;

use anyhow::ensure;
use clap::{Args, Subcommand};
use gassync_domain::Direction;
use serde_json::{Map, Value};

use super::{client::Client, pair::pair, print, say, table::Listing};
use gassync::{
    admin::{
        MAX_POLL_MINUTES, NewPoll, NewRemoval, NewSettings, NewSwitches, RemovalResponse, SettingsChange, SourceRun,
        StatusChange, Switches, paths,
    },
    store::sync_log::LogDirection,
};

#[derive(Debug, Subcommand)]
pub enum SourceControlCommand {
    /// Stop polls and pushes; inbound webhooks are still applied. Partner requests are refused
    Pause(Named),
    /// Stop all traffic; inbound webhooks are stored and applied on resume. Partner requests are refused
    Disable(Named),
    /// Resume a paused or disabled source and push what changed meanwhile
    Resume(Named),
    /// Set the sync direction; without options, show it
    Switch(Switch),
    /// Set the poll interval for bookings; other entities are never polled more often than the plugin defines
    SetPoll(SetPoll),
    /// Change plugin settings; validated, and used from the next call on
    Set(SetArgs),
    /// List the latest sync runs
    Runs(Named),
    /// Delete a source and its data; bookings stay in the core with their nights
    Delete(Delete),
}

#[derive(Debug, Args)]
pub struct Named {
    /// Source name or number
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Switch {
    /// Source name or number
    name: String,
    /// Enable sync in the configured direction
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Disable polls and pushes; inbound webhooks are still applied
    #[arg(long)]
    off: bool,
    /// bidirectional; inbound_only: nothing is pushed; outbound_only: no polls, and inbound records are stored but applied only
    /// once the direction allows it
    #[arg(long)]
    direction: Option<Direction>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetPoll {
    /// Source name or number
    name: String,
    /// Minutes between polls, 1 to 1440; a shorter interval applies immediately
    #[arg(long, required_unless_present = "default", conflicts_with = "default",
        value_parser = clap::value_parser!(i64).range(1..=MAX_POLL_MINUTES))]
    minutes: Option<i64>,
    /// Use the plugin's interval
    #[arg(long)]
    default: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// Source name or number
    name: String,
    /// NAME=VALUE; JSON values are parsed
    #[arg(value_parser = pair, required_unless_present = "unset")]
    settings: Vec<(String, String)>,
    /// Setting to reset to its default
    #[arg(long)]
    unset: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Delete {
    /// Source name or number
    name: String,
    /// Only show what would be deleted
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Delete; this cannot be undone
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SourceControlCommand {
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        match self {
            Self::Pause(named) => named.steer(client, paths::source_pause).await,
            Self::Disable(named) => named.steer(client, paths::source_disable).await,
            Self::Resume(named) => named.steer(client, paths::source_resume).await,
            Self::Switch(switch) => switch.run(client).await,
            Self::SetPoll(set) => set.run(client).await,
            Self::Set(set) => set.run(client).await,
            Self::Runs(named) => named.runs(client).await,
            Self::Delete(delete) => delete.run(client).await,
        }
    }
}

impl Named {
    async fn steer(self, client: &Client, path: fn(&dyn Display) -> String) -> anyhow::Result<()> {
        let Self { name, json } = self;
        let steered: StatusChange = client.post(&path(&name), &()).await?;
        if json {
            print(&serde_json::to_string(&steered)?);
        } else {
            say(&format!("{name} was {} and is {}.", steered.was, steered.status));
        }
        Ok(())
    }

    async fn runs(self, client: &Client) -> anyhow::Result<()> {
        let runs: Vec<SourceRun> = client.get(&paths::source_runs(&self.name)).await?;
        if self.json {
            print(&serde_json::to_string(&runs)?);
        } else {
            print_runs(&runs);
        }
        Ok(())
    }
}

fn print_runs(runs: &[SourceRun]) {
    let mut rows = Listing::new();
    for run in runs {
        rows.row(&[&format!("{:.0}", run.started_at), &run.sync_type, &run.status, &came_to(run)]);
    }
    rows.print();
}

/// The counts of a run.
fn came_to(run: &SourceRun) -> String {
    let what = if run.sync_type.direction() == LogDirection::Outbound {
        let to_read = run.updated - run.confirmed;
        format!(
            "{} sent: {} confirmed, {to_read} unconfirmed, {} rejected, {} in doubt",
            run.processed, run.confirmed, run.failed, run.in_doubt
        )
    } else {
        format!(
            "{} new, {} changed, {} parked or refused, {} unchanged",
            run.created, run.updated, run.failed, run.skipped
        )
    };
    let error = run.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    format!("{what}{error}")
}

impl Switch {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = paths::source_switches(&self.name);
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
        poll_minutes.map_or_else(|| "at the plugin's interval".to_owned(), |minutes| format!("every {minutes} min"));
    print(&format!("{name}: {state}, {sync_direction}, polled {polls}"));
    Ok(())
}

impl SetPoll {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = paths::source_poll(&self.name);
        let switches: Switches = client.post(&path, &NewPoll { minutes: self.minutes }).await?;
        show(&self.name, &switches, self.json)
    }
}

impl SetArgs {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        let set = self.settings.into_iter().map(|(name, text)| (name, value(text))).collect();
        let path = paths::source_settings(&self.name);
        let changed: SettingsChange = client.patch(&path, &NewSettings { set, unset: self.unset }).await?;
        if self.json {
            print(&serde_json::to_string(&changed)?);
            return Ok(());
        }
        let (before, after) = (members(&changed.before), members(&changed.after));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        let word = |value: Option<&Value>| value.map_or_else(|| "default".to_owned(), Value::to_string);
        for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
            print(&format!("{name}: {} -> {}", word(before.get(name)), word(after.get(name))));
        }
        Ok(())
    }
}

fn members(settings: &Value) -> Map<String, Value> {
    settings.as_object().cloned().unwrap_or_default()
}

impl Delete {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = paths::source_delete(&self.name);
        let plan: RemovalResponse = client.post(&path, &NewRemoval { dry_run: true, confirm: None }).await?;
        if !self.yes {
            show_removal(&plan, self.json)?;
            ensure!(self.plan, "nothing was deleted: use --yes to delete, --plan to preview");
            return Ok(());
        }
        let new = NewRemoval { dry_run: false, confirm: Some(plan.name) };
        show_removal(&client.post(&path, &new).await?, self.json)
    }
}

fn show_removal(removed: &RemovalResponse, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(removed)?);
        return Ok(());
    }
    let RemovalResponse { name, records, .. } = removed;
    say(&if removed.done {
        format!("{name} is deleted.")
    } else {
        format!("Deleting {name} would have these effects:")
    });
    print(&format!(
        "deleted     {} properties, {} room types, {} rate plans, {} reservations, {} guests, {} blocks, {} nights of calendars",
        records.properties,
        records.room_types,
        records.rate_plans,
        records.reservations,
        records.guests,
        records.blocks,
        records.calendar_nights
    ));
    print(&format!(
        "deleted     {} records set aside, {} decisions, {} links, {} messages and responses",
        records.set_aside, records.decisions, removed.links, removed.messages
    ));
    print(&format!(
        "ended       {} keys, {} subscriptions, {} jobs",
        removed.keys, removed.subscriptions, removed.jobs
    ));
    print(&format!("revoked     {} credential fields", removed.credentials));
    print(&format!("opened      {} nights closed manually at the channel", removed.closed_nights_opened));
    print(&format!("released    {} holds of parked records", removed.holds_given_back));
    print(&format!(
        "kept        {} bookings in the core, {} closures there, {} bookings that were pushed to the channel",
        removed.bookings_kept, removed.closures_kept, removed.pushed_bookings
    ));
    if removed.waiting_messages > 0 {
        print(&format!("lost        {} unprocessed messages", removed.waiting_messages));
    }
    if removed.creates {
        print("It was the creating source of the account; the next source added takes over.");
    }
    for problem in &removed.problems {
        say(&format!("  not done at the channel: {problem}"));
    }
    Ok(())
}
