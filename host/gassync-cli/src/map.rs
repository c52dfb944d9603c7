use std::process::ExitCode;

use clap::{Args, Subcommand};
use gassync_domain::FieldChange;

use super::{client::Client, map_import::Import, print, say, table::Listing};
use gassync::{
    admin::{
        DecideParkedRequest, DecisionPlan, LinkAct, LinkPlan, LinkRef, LinkResponse, NewLink, ParkedRecordResponse,
        paths,
    },
    config::Config,
    inbound::decide::Choice,
    store::{mappings::EntityKind, parked::ParkedKind},
};

#[derive(Debug, Subcommand)]
pub enum MapCommand {
    /// List parked records with suggested links
    Parked {
        /// Source name or number
        source: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List links
    List {
        /// Source name or number
        source: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show field by field what a link would change
    Plan(LinkArgs),
    /// Link a record to a core entity
    Apply {
        #[command(flatten)]
        link: LinkArgs,
        /// Plan id printed by `map plan`; the link is refused if anything changed since
        #[arg(long)]
        plan: Option<String>,
        /// Who takes the decision (recorded)
        #[arg(long)]
        by: Option<String>,
        /// Reason (recorded)
        #[arg(long, requires = "by")]
        why: Option<String>,
    },
    /// Decide how to resolve a parked record
    Decide(Decide),
    /// Import existing links from a file, all or none
    Import(Import),
    /// Remove a link: the record is parked again, the core entity stays
    Unlink(SelectedLink),
    /// Stop applying changes of a record; for a property or room type, its reservations and blocks are parked too
    Pause(SelectedLink),
    /// Apply changes again, parked records first
    Resume(SelectedLink),
    /// Enable or disable pushing an entity to the channel; a property covers everything below it
    Push {
        #[command(flatten)]
        known: SelectedLink,
        /// Disable pushing
        #[arg(long)]
        off: bool,
    },
}

#[derive(Debug, Args)]
pub struct Decide {
    /// Source name or number
    source: String,
    /// property, room-type, rate-plan, reservation or block
    #[arg(value_parser = parked_kind)]
    kind: ParkedKind,
    /// Id at the source
    id: String,
    /// stand: apply the last version received; cancel: cancel it; ignore: leave the core unchanged
    decision: Choice,
    /// Who takes the decision (recorded)
    #[arg(long)]
    by: String,
    /// Reason (recorded)
    #[arg(long)]
    why: String,
    /// Only show the changes, field by field
    #[arg(long, conflicts_with = "plan")]
    dry_run: bool,
    /// Plan id printed by --dry-run; refused if anything changed since
    #[arg(long)]
    plan: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct LinkArgs {
    /// Source name or number
    source: String,
    /// property, room-type, rate-plan, or reservation (with a booking)
    #[arg(value_parser = link_kind)]
    kind: EntityKind,
    /// Id at the source
    id: String,
    /// Number of the core entity
    #[arg(long, required_unless_present = "create", conflicts_with = "create")]
    to: Option<i64>,
    /// Create a core entity from the record
    #[arg(long)]
    create: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SelectedLink {
    /// Source name or number
    source: String,
    /// property, room-type or rate-plan
    #[arg(value_parser = link_kind)]
    kind: EntityKind,
    /// Id at the source
    id: String,
}

/// Parses the kind of a link.
fn link_kind(word: &str) -> Result<EntityKind, String> {
    named(EntityKind::ALL, |kind| kind.in_commands(), word)
}

/// Parses the kind of a parked record.
fn parked_kind(word: &str) -> Result<ParkedKind, String> {
    named(ParkedKind::ALL, |kind| kind.in_commands(), word)
}

fn named<T: Copy>(all: &[T], word_of: impl Fn(T) -> String, word: &str) -> Result<T, String> {
    let words = || all.iter().map(|known| word_of(*known)).collect::<Vec<_>>().join(", ");
    all.iter().copied().find(|known| word_of(*known) == word).ok_or_else(|| format!("must be one of {}", words()))
}

impl MapCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::Parked { source, json } => parked(&client, &source, json).await?,
            Self::List { source, json } => list(&client, &source, json).await?,
            Self::Plan(link) => {
                let plan = link.send(&client, true, None, (None, None)).await?;
                link.show(&plan)?;
                if !link.json {
                    print(&format!("plan {}", plan.plan));
                }
            }
            Self::Apply { link, plan, by, why } => {
                let done = link.send(&client, false, plan, (by, why)).await?;
                link.show(&done)?;
            }
            Self::Decide(decide) => decide.send(&client).await?,
            Self::Import(import) => return import.send(&client).await,
            Self::Unlink(known) => known.send(&client, LinkAct::Unlink).await?,
            Self::Pause(known) => known.send(&client, LinkAct::Pause).await?,
            Self::Resume(known) => known.send(&client, LinkAct::Resume).await?,
            Self::Push { known, off } => {
                known.send(&client, if off { LinkAct::PushOff } else { LinkAct::PushOn }).await?
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl LinkArgs {
    async fn send(
        &self,
        client: &Client,
        dry_run: bool,
        plan: Option<String>,
        (by, why): (Option<String>, Option<String>),
    ) -> anyhow::Result<LinkPlan> {
        let gas_id = self.to.filter(|_| !self.create);
        let new = NewLink { kind: self.kind, id: self.id.clone(), gas_id, dry_run, plan, by, why };
        client.post(&paths::source_links(&self.source), &new).await
    }

    fn show(&self, plan: &LinkPlan) -> anyhow::Result<()> {
        if self.json {
            print(&serde_json::to_string(plan)?);
            return Ok(());
        }
        print(&format!("{} {}  {}", self.kind.in_commands(), self.id, plan.status));
        print_changes(&plan.changes);
        print(&format!("  releases {} parked records", plan.frees));
        Ok(())
    }
}

/// What changes in the core, field by field.
fn print_changes(changes: &[FieldChange]) {
    let mut rows = Listing::new();
    for FieldChange { path, before, after } in changes {
        rows.row(&[&format!("  {path}"), &format!("{before} -> {after}")]);
    }
    rows.print();
    if changes.is_empty() {
        print("  no changes in the core");
    }
}

impl Decide {
    async fn send(self, client: &Client) -> anyhow::Result<()> {
        let Self { source, kind, id, decision, by, why, dry_run, plan, json } = self;
        let new = DecideParkedRequest { kind, id, decision, by, why, dry_run, plan };
        let done: DecisionPlan = client.post(&paths::source_parked_decide(&source), &new).await?;
        if json {
            print(&serde_json::to_string(&done)?);
            return Ok(());
        }
        print(&format!("{} {}  {}: {}", new.kind.in_commands(), new.id, new.decision, done.status));
        print_changes(&done.changes);
        if dry_run {
            print(&format!("plan {}", done.plan));
        }
        Ok(())
    }
}

impl SelectedLink {
    async fn send(self, client: &Client, act: LinkAct) -> anyhow::Result<()> {
        let path = paths::source_link_act(&self.source, &act);
        client.post::<()>(&path, &LinkRef { kind: self.kind, id: self.id.clone() }).await?;
        say(&format!("{} {}: done", self.kind.in_commands(), self.id));
        Ok(())
    }
}

async fn parked(client: &Client, source: &str, json: bool) -> anyhow::Result<()> {
    let waiting: Vec<ParkedRecordResponse> = client.get(&paths::source_parked(&source)).await?;
    if json {
        print(&serde_json::to_string(&waiting)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    for record in &waiting {
        let name = record.name.as_deref().unwrap_or_default();
        rows.row(&[&record.kind, &record.id, &name, &record.missing.join("; ")]);
        let mut about = vec![format!("since {:.0}", record.since)];
        if let (Some(first), Some(last)) = (record.first_night, record.last_night) {
            about.push(format!("nights {first} to {last}, {}", if record.held { "held" } else { "not held" }));
        }
        if !record.rooms.is_empty() {
            about.push(format!("rooms {}", record.rooms.join(", ")));
        }
        rows.below(format!("    {}", about.join("; ")));
        for suggestion in &record.suggestions {
            let because = suggestion.because.join(", ");
            rows.below(format!(
                "    maybe {} {} ({} %: {because})",
                suggestion.gas_id, suggestion.name, suggestion.percent
            ));
        }
        for command in &record.commands {
            rows.below(format!("    {command}"));
        }
    }
    rows.print();
    say(&format!("{} parked records", waiting.len()));
    Ok(())
}

async fn list(client: &Client, source: &str, json: bool) -> anyhow::Result<()> {
    let mut links: Vec<LinkResponse> = Vec::new();
    loop {
        let after = links.last().map_or(0, |link| link.row);
        let page: Vec<LinkResponse> = client.get(&format!("{}?after={after}", paths::source_links(&source))).await?;
        if page.is_empty() {
            break;
        }
        links.extend(page);
    }
    if json {
        print(&serde_json::to_string(&links)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    for link in links {
        let state = if link.auto_sync { "" } else { "paused" };
        let pushed = if link.push { "" } else { "push off" };
        let synced = link.last_synced_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        rows.row(&[&link.kind, &link.id, &link.gas_id, &format!("in sync {synced}"), &state, &pushed]);
        if let Some(error) = link.last_error {
            rows.below(format!("    {} failures since then: {error}", link.retries));
        }
    }
    rows.print();
    Ok(())
}
