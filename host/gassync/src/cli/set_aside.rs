use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{client::Client, print, say};
use crate::admin::{Dismissal, SetAsideShown, SetAsideWhole};

#[derive(Debug, Subcommand)]
pub enum SetAsideCommand {
    /// Show records that could not be read or kept, the oldest first
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show one of them in its own words: guests' data among them
    Show {
        /// Its number
        id: i64,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Have a record read again
    Retry {
        /// Its number
        id: i64,
    },
    /// Let a record go: it is shown no more until the channel tells of it again
    Dismiss {
        /// Its number
        id: i64,
        /// Who decides so
        #[arg(long)]
        by: String,
        /// Why
        #[arg(long)]
        why: String,
    },
}

impl SetAsideCommand {
    pub async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&client.get::<Vec<SetAsideShown>>("/admin/v1/set-aside").await?, json)?,
            Self::Show { id, json } => show(&client.get(&format!("/admin/v1/set-aside/{id}")).await?, json)?,
            Self::Retry { id } => {
                let _: Value = client.post(&format!("/admin/v1/set-aside/{id}/retry"), &Value::Null).await?;
                say(&format!("Record {id} is being asked for again."));
            }
            Self::Dismiss { id, by, why } => {
                let decision = Dismissal { by, why };
                let _: Value = client.post(&format!("/admin/v1/set-aside/{id}/dismiss"), &decision).await?;
                say(&format!("Record {id} is set aside no more."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(records: &[SetAsideShown], json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(records)?);
        return Ok(());
    }
    for record in records {
        print(&line(record));
    }
    Ok(())
}

fn line(record: &SetAsideShown) -> String {
    let SetAsideShown { id, source, entity, external_id, problem, count, first_seen_at, last_seen_at, .. } = record;
    let which = external_id.as_deref().unwrap_or("without an id");
    let seen = format!("{count} times from {first_seen_at:.0} to {last_seen_at:.0}");
    format!("{id:<8} {source}  {entity} {which}  {problem}  ({seen})")
}

fn show(whole: &SetAsideWhole, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(whole)?);
        return Ok(());
    }
    print(&line(&whole.record));
    print("");
    print(whole.raw.as_deref().unwrap_or("Its words are not known."));
    Ok(())
}
