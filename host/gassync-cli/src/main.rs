//! The command line: one file per command. Data goes to stdout, messages go to stderr.

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
mod table;
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

use gassync::config::{Config, ConfigError};

/// Exit code: the command failed.
const FAILED: u8 = 1;
/// Exit code: invalid arguments or settings.
const USAGE: u8 = 2;

/// Integration host between the GAS property-management system and booking channels.
#[derive(Debug, Parser)]
#[command(name = "gassync", version)]
struct Cli {
    /// Settings file; defaults to `gassync.toml` if present.
    #[arg(long, env = "GASSYNC_CONFIG", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a local demo: two simulated Beds24 accounts, a host, and a booking engine
    Demo(demo::Demo),
    /// Run a simulated channel, for plugin development
    Simulate(simulate::SimulateArgs),
    /// Run the host
    Serve,
    /// Apply pending database migrations
    Migrate,
    /// Print the effective settings, with secrets hidden
    Config,
    /// Manage sources: connect, sync, push, pause, delete
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Manage, build and test plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Manage API keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Map records of sources to core entities
    #[command(subcommand)]
    Map(map::MapCommand),
    /// List conditions that need attention; exits 1 if there are any
    Alarms(alarms::Alarms),
    /// Verify the ledger of sold and blocked nights
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// List background jobs and retry dead ones
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Manage webhook subscriptions and their deliveries
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// List and replay inbound messages
    #[command(subcommand)]
    Inbox(inbox::InboxCommand),
}

/// Parses the command line and runs the command.
fn main() -> ExitCode {
    gassync::panics::install_hook();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("the runtime cannot start: {error}")),
    };
    let ended = runtime.block_on(gassync::panics::caught("the command", run(cli)));
    // Blocking threads, such as one that compiles a plugin, are not awaited.
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

/// The system clock. Only this function reads it.
#[expect(clippy::disallowed_methods, reason = "the only reader of the system clock")]
fn system_clock() -> Clock {
    Arc::new(gassync_domain::Timestamp::now)
}

/// Writes data to stdout. A closed pipe is not an error.
fn print(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Writes a message for the operator to stderr.
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
