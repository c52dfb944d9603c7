use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{client::Client, print, say};
use gassync::admin::{Dismissal, SetAsideDetail, SetAsideResponse};

#[derive(Debug, Subcommand)]
pub enum SetAsideCommand {
    /// List records set aside, oldest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the original record, which may contain guest data
    Show {
        /// Record number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Process a record again
    Retry {
        /// Record number
        id: i64,
    },
    /// Dismiss a record until the channel sends it again
    Dismiss {
        /// Record number
        id: i64,
        /// Who takes the decision
        #[arg(long)]
        by: String,
        /// Reason
        #[arg(long)]
        why: String,
    },
}

impl SetAsideCommand {
    pub async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&client.get::<Vec<SetAsideResponse>>("/admin/v1/set-aside").await?, json)?,
            Self::Show { id, json } => show(&client.get(&format!("/admin/v1/set-aside/{id}")).await?, json)?,
            Self::Retry { id } => {
                let _: Value = client.post(&format!("/admin/v1/set-aside/{id}/retry"), &Value::Null).await?;
                say(&format!("Record {id} is fetched again."));
            }
            Self::Dismiss { id, by, why } => {
                let decision = Dismissal { by, why };
                let _: Value = client.post(&format!("/admin/v1/set-aside/{id}/dismiss"), &decision).await?;
                say(&format!("Record {id} dismissed."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(records: &[SetAsideResponse], json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(records)?);
        return Ok(());
    }
    for record in records {
        print(&line(record));
    }
    Ok(())
}

fn line(record: &SetAsideResponse) -> String {
    let SetAsideResponse { id, source, entity, external_id, problem, count, first_seen_at, last_seen_at, .. } = record;
    let which = external_id.as_deref().unwrap_or("without an id");
    let seen = format!("{count} times from {first_seen_at:.0} to {last_seen_at:.0}");
    format!("{id:<8} {source}  {entity} {which}  {problem}  ({seen})")
}

fn show(whole: &SetAsideDetail, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(whole)?);
        return Ok(());
    }
    print(&line(&whole.record));
    print("");
    print(whole.raw.as_deref().unwrap_or("The original record is not available."));
    Ok(())
}
