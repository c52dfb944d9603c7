use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::{client::Client, print, say, set_aside, table::Listing};
use gassync::{
    admin::{CountResponse, Dismissal, MessageDetail, MessageResponse, paths},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum InboxCommand {
    /// List inbound messages, newest first, without their bodies
    List {
        /// Filter by state: received, applied or failed
        #[arg(long)]
        state: Option<String>,
        /// Only messages older than this number
        #[arg(long)]
        before: Option<i64>,
        /// Maximum number, 1 to 1000
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a message with its body, which may contain guest data
    Show {
        /// Message number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Process a message again, or all failed messages of a source
    Replay {
        /// Message number
        #[arg(required_unless_present = "failed", conflicts_with = "failed")]
        id: Option<i64>,
        /// Replay all failed messages of this source
        #[arg(long, value_name = "SOURCE")]
        failed: Option<String>,
    },
    /// Dismiss all failed messages of a source
    Dismiss {
        /// Source name or number
        #[arg(long, value_name = "SOURCE")]
        failed: String,
        /// Who takes the decision
        #[arg(long)]
        by: String,
        /// Reason
        #[arg(long)]
        why: String,
    },
    /// Records that could not be read or stored and were set aside
    SetAside {
        /// Defaults to list
        #[command(subcommand)]
        command: Option<set_aside::SetAsideCommand>,
    },
}

impl InboxCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::List { state, before, limit, json } => {
                let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
                let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
                let path = format!("{}?limit={limit}{state}{before}", paths::INBOX);
                list(&client.get::<Vec<MessageResponse>>(&path).await?, json)?;
            }
            Self::Show { id, json } => show(&client.get(&paths::message(&id)).await?, json)?,
            Self::Replay { failed: Some(source), .. } => {
                let path = paths::source_replay_failed(&source);
                let CountResponse { count } = client.post(&path, &()).await?;
                say(&format!("{count} messages queued again."));
            }
            Self::Replay { id, .. } => {
                let id = id.context("a message number or --failed SOURCE is required")?;
                client.post::<()>(&paths::message_replay(&id), &()).await?;
                say(&format!("Message {id} queued again."));
            }
            Self::Dismiss { failed, by, why } => {
                let path = paths::source_dismiss_failed(&failed);
                let CountResponse { count } = client.post(&path, &Dismissal { by, why }).await?;
                say(&format!("{count} messages dismissed."));
            }
            Self::SetAside { command } => {
                return command.unwrap_or(set_aside::SetAsideCommand::List { json: false }).run(&client).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(messages: &[MessageResponse], json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(messages)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    messages.iter().for_each(|message| row(&mut rows, message));
    rows.print();
    Ok(())
}

fn row(rows: &mut Listing, message: &MessageResponse) {
    let MessageResponse { id, kind, method, url, state, received_at, error, outcome, .. } = message;
    let came_to = error.as_ref().or(outcome.as_ref()).map(String::as_str).unwrap_or_default();
    rows.row(&[id, &format!("{received_at:.0}"), kind, state, &format!("{method} {url}"), &came_to]);
}

fn show(whole: &MessageDetail, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(whole)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    row(&mut rows, &whole.message);
    rows.print();
    for (name, value) in &whole.headers {
        print(&format!("{name}: {value}"));
    }
    print("");
    print(&whole.body);
    Ok(())
}
