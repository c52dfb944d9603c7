use std::{process::ExitCode, time::Duration};

use clap::Args;
use gassync_domain::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};

use super::{client::Client, print, say, table::Listing};
use gassync::{
    admin::paths,
    store::queue::RunState,
    webhooks::{
        ReplayPlan, ReplayRequest, ReplayState,
        service::{QueuedMessage, ReplayResponse},
    },
};

/// Interval between progress requests.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Replay {
    /// Subscription number
    id: i64,
    /// Replay events since (RFC 3339)
    #[arg(long, required_unless_present = "delivery", conflicts_with = "delivery")]
    since: Option<Timestamp>,
    /// Replay events before (RFC 3339); defaults to now
    #[arg(long, conflicts_with = "delivery")]
    until: Option<Timestamp>,
    /// Filter by event, or by kind such as reservation.*; repeatable
    #[arg(long = "event", conflicts_with = "delivery")]
    events: Vec<String>,
    /// Filter by state: dead, missed or delivered; defaults to dead and missed
    #[arg(long = "state", conflicts_with = "delivery")]
    states: Vec<ReplayState>,
    /// Cursor of the previous run with the same filter
    #[arg(long, conflicts_with = "delivery")]
    cursor: Option<String>,
    /// Replay only this delivery
    #[arg(long)]
    delivery: Option<i64>,
    /// Only show what would be sent again
    #[arg(long, conflicts_with = "delivery")]
    plan: bool,
    /// Print JSON and do not follow progress
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct ReplayStatus {
    /// Subscription number
    id: i64,
    /// Run number
    run: i64,
    /// Cancel the run; messages in flight are still delivered
    #[arg(long)]
    cancel: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Replays and follows the run. Exit code 1 if a message is dead again.
    pub async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        let Self { id, since, until, events, states, cursor, delivery, plan, json } = self;
        let Some(since) = since else {
            let delivery = delivery.unwrap_or_default();
            let sent: QueuedMessage = client.post(&paths::webhook_redeliver(&id, &delivery), &()).await?;
            print(&if json { serde_json::to_string(&sent)? } else { sent.message_id });
            return Ok(ExitCode::SUCCESS);
        };
        let asked = ReplayRequest { since, until, events, states, cursor, dry_run: plan };
        let replayed: ReplayPlan = client.post(&paths::webhook_replay(&id), &asked).await?;
        if json {
            print(&serde_json::to_string(&replayed)?);
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows = Listing::new();
        replayed.by_event.iter().for_each(|(event, messages)| rows.row(&[event, messages]));
        rows.print();
        if let Some(cursor) = replayed.next_cursor {
            say(&format!("There may be more: repeat with --cursor {cursor}"));
        }
        let Some(run) = replayed.run else {
            say(&format!("{} messages. Nothing was sent.", replayed.messages));
            return Ok(ExitCode::SUCCESS);
        };
        if matches!(client, Client::Here { .. }) {
            say("No host is running; the work continues once one starts.");
            return Ok(ExitCode::SUCCESS);
        }
        follow(client, (id, run), replayed.messages).await
    }
}

async fn follow(client: &Client, (id, run): (i64, i64), messages: usize) -> anyhow::Result<ExitCode> {
    let cancel = format!("gassync webhooks replay-status {id} {run} --cancel");
    say(&format!("Run {run} continues if you interrupt this command; stop it with `{cancel}`."));
    let bar = ProgressBar::new(u64::try_from(messages).unwrap_or_default());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos} of {len} messages  {msg}")?);
    let shown = loop {
        let shown: ReplayResponse = client.get(&paths::webhook_replay_run(&id, &run)).await?;
        bar.set_position(u64::try_from(shown.messages - shown.waiting).unwrap_or_default());
        if shown.state != RunState::Running {
            break shown;
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    say(&ended(&shown));
    Ok(if shown.dead == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ended(run: &ReplayResponse) -> String {
    format!("{} delivered, {} dead again, {} cancelled.", run.delivered, run.dead, run.cancelled)
}

impl ReplayStatus {
    /// Shows the progress of a run, or cancels it.
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let shown: ReplayResponse = if self.cancel {
            client.post(&paths::webhook_replay_cancel(&self.id, &self.run), &()).await?
        } else {
            client.get(&paths::webhook_replay_run(&self.id, &self.run)).await?
        };
        if self.json {
            print(&serde_json::to_string(&shown)?);
            return Ok(());
        }
        print(&format!("{}, {} of {} messages waiting", shown.state, shown.waiting, shown.messages));
        print(&format!("  {}", ended(&shown)));
        Ok(())
    }
}
