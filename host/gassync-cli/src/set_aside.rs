use std::process::ExitCode;

use clap::Subcommand;

use super::{client::Client, print, say, table::Listing};
use gassync::admin::{Dismissal, SetAsideDetail, SetAsideResponse, paths};

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
            Self::List { json } => list(&client.get::<Vec<SetAsideResponse>>(paths::SET_ASIDE).await?, json)?,
            Self::Show { id, json } => show(&client.get(&paths::set_aside_record(&id)).await?, json)?,
            Self::Retry { id } => {
                client.post::<()>(&paths::set_aside_retry(&id), &()).await?;
                say(&format!("Record {id} is fetched again."));
            }
            Self::Dismiss { id, by, why } => {
                let decision = Dismissal { by, why };
                client.post::<()>(&paths::set_aside_dismiss(&id), &decision).await?;
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
    let mut rows = Listing::new();
    records.iter().for_each(|record| add(&mut rows, record));
    rows.print();
    Ok(())
}

fn add(rows: &mut Listing, record: &SetAsideResponse) {
    let SetAsideResponse { id, source, entity, external_id, problem, count, first_seen_at, last_seen_at, .. } = record;
    let which = external_id.as_deref().unwrap_or("without an id");
    let seen = format!("({count} times from {first_seen_at:.0} to {last_seen_at:.0})");
    rows.row(&[id, source, &format!("{entity} {which}"), problem, &seen]);
}

fn show(whole: &SetAsideDetail, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(whole)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    add(&mut rows, &whole.record);
    rows.print();
    print("");
    print(whole.raw.as_deref().unwrap_or("The original record is not available."));
    Ok(())
}
