use std::{process::ExitCode, time::Duration};

use clap::Args;
use gassync_domain::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};

use super::{client::Client, print, say};
use crate::webhooks::{
    Asked, Replayed,
    desk::{MessageSent, ReplayShown},
};

/// How often the host is asked how far a run has come.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Replay {
    /// The subscription's number
    id: i64,
    /// What happened since (RFC 3339)
    #[arg(long, required_unless_present = "delivery", conflicts_with = "delivery")]
    since: Option<Timestamp>,
    /// What happened before; until now when nothing is said
    #[arg(long, conflicts_with = "delivery")]
    until: Option<Timestamp>,
    /// Only this event, by either name, or reservation.* for all of a kind; may be said several times
    #[arg(long = "event", conflicts_with = "delivery")]
    events: Vec<String>,
    /// Only what is dead, missed or delivered; dead and missed when nothing is said
    #[arg(long = "state", conflicts_with = "delivery")]
    states: Vec<String>,
    /// Where the run before ended, which asked the same
    #[arg(long, conflicts_with = "delivery")]
    cursor: Option<String>,
    /// This delivery alone
    #[arg(long)]
    delivery: Option<i64>,
    /// Only say what would be told again
    #[arg(long, conflicts_with = "delivery")]
    plan: bool,
    /// One JSON document; does not follow
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ReplayStatus {
    /// The subscription's number
    id: i64,
    /// The run's number
    run: i64,
    /// Stop it: what still waits of it is thrown away, but for what is on its way just then
    #[arg(long)]
    cancel: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Tells again, and follows until it ends. Status 1 where something was given up again.
    pub async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        let Self { id, since, until, events, states, cursor, delivery, plan, json } = self;
        let Some(since) = since else {
            let delivery = delivery.unwrap_or_default();
            let sent: MessageSent =
                client.post(&format!("/admin/v1/webhooks/{id}/deliveries/{delivery}/replay"), &()).await?;
            print(&if json { serde_json::to_string(&sent)? } else { sent.message_id });
            return Ok(ExitCode::SUCCESS);
        };
        let asked = Asked { since, until, events, states, cursor, dry_run: plan };
        let replayed: Replayed = client.post(&format!("/admin/v1/webhooks/{id}/replay"), &asked).await?;
        if json {
            print(&serde_json::to_string(&replayed)?);
            return Ok(ExitCode::SUCCESS);
        }
        for (event, messages) in &replayed.by_event {
            print(&format!("{event:<24} {messages}"));
        }
        if let Some(cursor) = replayed.next_cursor {
            say(&format!("There may be more: say the same once more, with --cursor {cursor}"));
        }
        let Some(run) = replayed.run else {
            say(&format!("{} messages. Nothing is sent.", replayed.messages));
            return Ok(ExitCode::SUCCESS);
        };
        if matches!(client, Client::Here { .. }) {
            say("No host runs: it goes on as soon as one does.");
            return Ok(ExitCode::SUCCESS);
        }
        follow(client, (id, run), replayed.messages).await
    }
}

async fn follow(client: &Client, (id, run): (i64, i64), messages: usize) -> anyhow::Result<ExitCode> {
    let cancel = format!("gassync webhooks replay-status {id} {run} --cancel");
    say(&format!("Run {run}: to end this command does not end it; `{cancel}` does."));
    let bar = ProgressBar::new(u64::try_from(messages).unwrap_or_default());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} messages  {msg}")?);
    let shown = loop {
        let shown: ReplayShown = client.get(&format!("/admin/v1/webhooks/{id}/replays/{run}")).await?;
        bar.set_position(u64::try_from(shown.messages - shown.waiting).unwrap_or_default());
        if shown.state != "running" {
            break shown;
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    say(&ended(&shown));
    Ok(if shown.dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ended(run: &ReplayShown) -> String {
    format!("{} arrived, {} were given up again, {} thrown away.", run.delivered, run.dead, run.cancelled)
}

impl ReplayStatus {
    /// How far a run is, or stops it.
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = format!("/admin/v1/webhooks/{}/replays/{}", self.id, self.run);
        let shown: ReplayShown =
            if self.cancel { client.post(&format!("{path}/cancel"), &()).await? } else { client.get(&path).await? };
        if self.json {
            print(&serde_json::to_string(&shown)?);
            return Ok(());
        }
        print(&format!("{}, {} of {} messages wait", shown.state, shown.waiting, shown.messages));
        print(&format!("  {}", ended(&shown)));
        Ok(())
    }
}
