//! The command line: each command in a file of its own. Data goes to stdout, talk to stderr.

mod alarms;
mod build;
mod client;
mod demo;
mod go_live;
mod inbox;
mod jobs;
mod key;
mod ledger;
mod map;
mod map_import;
mod pair;
mod plugin;
mod plugin_call;
mod plugin_check;
mod plugin_dev;
mod plugin_new;
mod plugin_try;
mod serve;
mod set_aside;
mod simulate;
mod source;
mod source_control;
mod source_push;
mod webhook_replay;
mod webhook_verify;
mod webhooks;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use gassync_domain::Clock;

use crate::config::{Config, ConfigError};

/// Something failed.
const FAILED: u8 = 1;
/// The command or a setting is wrong.
const USAGE: u8 = 2;

/// The integration host between GAS and the channels.
#[derive(Debug, Parser)]
#[command(name = "gassync", version)]
struct Cli {
    /// The file of settings; without it `gassync.toml`, where there is one.
    #[arg(long, env = "GASSYNC_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole on this machine: a simulated Beds24, a host, and bookings that travel
    Demo(demo::Demo),
    /// Run a channel's side of the wire, to write plugins against
    #[command(subcommand)]
    Simulate(simulate::SimulateCommand),
    /// Run the host
    Serve,
    /// Bring the database's schema up to date
    Migrate,
    /// Print the settings in force, secrets hidden
    Config,
    /// Connect and fetch from channels
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Look after plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Look after API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Say what records of sources are in the core
    #[command(subcommand)]
    Map(map::MapCommand),
    /// Show what a person should look at; status 1 where there is anything
    Alarms(alarms::Alarms),
    /// Check which nights are sold
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Look at work, and bring back what is dead
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Look after subscribers, and what they were told
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// Look at the messages that came in
    #[command(subcommand)]
    Inbox(inbox::InboxCommand),
}

/// Reads the command and runs it.
pub fn main() -> ExitCode {
    crate::panics::install_hook();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("the runtime cannot start: {error}")),
    };
    let ended = runtime.block_on(crate::panics::caught("the command", run(cli)));
    // What still computes on a thread of its own, such as a plugin that is compiled, is not waited for.
    runtime.shutdown_background();
    match ended.unwrap_or_else(|reason| Err(anyhow::anyhow!(reason))) {
        Ok(code) => code,
        Err(error) => {
            let usage = error.downcast_ref::<ConfigError>().is_some() || format!("{error:#}").starts_with("setting ");
            fail(if usage { USAGE } else { FAILED }, &format!("{error:#}"))
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Demo(demo) => demo.run().await,
        Command::Simulate(command) => command.run().await,
        Command::Serve => serve::run(settings(file)?).await,
        Command::Migrate => serve::migrate(settings(file)?).await,
        Command::Config => {
            print(&format!("{:#?}", settings(file)?));
            Ok(ExitCode::SUCCESS)
        }
        Command::Source(command) => command.run(settings(file)?).await,
        Command::Plugin(command) => command.run(|| settings(file)).await,
        Command::Key(command) => command.run(settings(file)?).await,
        Command::Map(command) => command.run(settings(file)?).await,
        Command::Alarms(alarms) => alarms.run(settings(file)?).await,
        Command::Ledger(command) => command.run(settings(file)?).await,
        Command::Jobs(command) => command.run(settings(file)?).await,
        Command::Webhooks(command) => command.run(|| settings(file)).await,
        Command::Inbox(command) => command.run(settings(file)?).await,
    }
}

fn settings(file: Option<&Path>) -> Result<Config, ConfigError> {
    Config::load(file, std::env::vars())
}

/// The machine's clock: the one place that asks it.
#[expect(clippy::disallowed_methods, reason = "here time enters, to be passed on")]
fn system_clock() -> Clock {
    Arc::new(gassync_domain::Timestamp::now)
}

/// Data, for whoever reads stdout. A reader that has gone away is not an error.
fn print(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Talk, for the person at the terminal.
fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

fn fail(code: u8, text: &str) -> ExitCode {
    say(&format!("gassync: {text}"));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
