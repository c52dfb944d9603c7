use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{client::Client, print, say};
use crate::{
    admin::{KnownLink, LinkPlan, LinkShown, NewLink, WaitingShown},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what waits, and what it probably is
    Parked {
        /// The source's name, or its number
        source: String,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show what is linked
    List {
        /// The source's name, or its number
        source: String,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show, field by field, what a link would change
    Plan(Link),
    /// Link a record with a core entity
    Apply {
        #[command(flatten)]
        link: Link,
        /// What `map plan` printed: only just that is done
        #[arg(long)]
        plan: Option<String>,
    },
    /// Take a link away: the record waits again, the core keeps what it has
    Unlink(Known),
    /// Keep a record's news out of the core
    Pause(Known),
    /// Let them in again
    Resume(Known),
}

#[derive(Debug, Args)]
pub struct Link {
    /// The source's name, or its number
    source: String,
    /// property, room-type or rate-plan
    kind: String,
    /// The source's own id
    id: String,
    /// The core entity's number
    #[arg(long, required_unless_present = "create", conflicts_with = "create")]
    to: Option<i64>,
    /// Make one of the record
    #[arg(long)]
    create: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Known {
    /// The source's name, or its number
    source: String,
    /// property, room-type or rate-plan
    kind: String,
    /// The source's own id
    id: String,
}

impl Command {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::Parked { source, json } => parked(&client, &source, json).await?,
            Self::List { source, json } => list(&client, &source, json).await?,
            Self::Plan(link) => {
                let plan = link.send(&client, true, None).await?;
                link.show(&plan)?;
                if !link.json {
                    print(&format!("plan {}", plan.plan));
                }
            }
            Self::Apply { link, plan } => {
                let done = link.send(&client, false, plan).await?;
                link.show(&done)?;
            }
            Self::Unlink(known) => known.send(&client, "unlink").await?,
            Self::Pause(known) => known.send(&client, "pause").await?,
            Self::Resume(known) => known.send(&client, "resume").await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Link {
    async fn send(&self, client: &Client, dry_run: bool, plan: Option<String>) -> anyhow::Result<LinkPlan> {
        let gas_id = self.to.filter(|_| !self.create);
        let new = NewLink { kind: self.kind.clone(), id: self.id.clone(), gas_id, dry_run, plan };
        client.post(&format!("/admin/v1/sources/{}/links", self.source), &new).await
    }

    fn show(&self, plan: &LinkPlan) -> anyhow::Result<()> {
        if self.json {
            print(&serde_json::to_string(plan)?);
            return Ok(());
        }
        print(&format!("{} {}  {}", self.kind, self.id, plan.status));
        for change in &plan.changes {
            print(&format!("  {:<24} {} -> {}", change.path, change.before, change.after));
        }
        if plan.changes.is_empty() {
            print("  nothing differs in the core");
        }
        print(&format!("  {} parked records wait for this", plan.frees));
        Ok(())
    }
}

impl Known {
    async fn send(self, client: &Client, act: &str) -> anyhow::Result<()> {
        let path = format!("/admin/v1/sources/{}/links/{act}", self.source);
        let _: Value = client.post(&path, &KnownLink { kind: self.kind.clone(), id: self.id.clone() }).await?;
        say(&format!("{} {}: done", self.kind, self.id));
        Ok(())
    }
}

async fn parked(client: &Client, source: &str, json: bool) -> anyhow::Result<()> {
    let waiting: Vec<WaitingShown> = client.get(&format!("/admin/v1/sources/{source}/parked")).await?;
    if json {
        print(&serde_json::to_string(&waiting)?);
        return Ok(());
    }
    for record in &waiting {
        let name = record.name.as_deref().unwrap_or_default();
        print(&format!("{:<11} {:<20} {name}  {}", record.kind, record.id, record.missing.join("; ")));
        for suggestion in &record.suggestions {
            let because = suggestion.because.join(", ");
            print(&format!(
                "    maybe {} {} ({} %: {because})",
                suggestion.gas_id, suggestion.name, suggestion.percent
            ));
        }
    }
    say(&format!("{} records wait", waiting.len()));
    Ok(())
}

async fn list(client: &Client, source: &str, json: bool) -> anyhow::Result<()> {
    let mut links: Vec<LinkShown> = Vec::new();
    loop {
        let after = links.last().map_or(0, |link| link.row);
        let page: Vec<LinkShown> = client.get(&format!("/admin/v1/sources/{source}/links?after={after}")).await?;
        if page.is_empty() {
            break;
        }
        links.extend(page);
    }
    if json {
        print(&serde_json::to_string(&links)?);
        return Ok(());
    }
    for link in links {
        let state = if link.auto_sync { "" } else { "  paused" };
        print(&format!("{:<12} {:<24} {}{state}", link.kind, link.id, link.gas_id));
    }
    Ok(())
}
