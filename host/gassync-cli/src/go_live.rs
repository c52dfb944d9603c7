//! `gassync source go-live`: starts pushing to the channel.

use clap::Args;

use super::{client::Client, print, say};
use gassync::admin::{GoLive, GoLivePlan, NightsCount, paths};

/// Arguments of `source go-live`.
#[derive(Debug, Args)]
pub struct GoLiveArgs {
    /// Source name or number
    name: String,
    /// Read the channel's calendar now and only show what would change; the plan is valid for five minutes
    #[arg(long)]
    plan: bool,
    /// With --plan: also reopen nights that were closed manually at the channel
    #[arg(long, requires = "plan")]
    open_closed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl GoLiveArgs {
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let Self { name, plan, open_closed, json } = self;
        let asked = GoLive { plan, open_closed, plan_id: None };
        let shown: GoLivePlan = client.post(&paths::source_go_live(&name), &asked).await?;
        if json {
            print(&serde_json::to_string(&shown)?);
            return Ok(());
        }
        for (counted, what) in [
            (&shown.opens, "would open, or offer more units"),
            (&shown.closes, "would close, or offer fewer units"),
            (&shown.prices, "would change price"),
            (&shown.rules, "would change stay rules"),
            (&shown.closed_by_hand, "are closed manually at the channel"),
        ] {
            print(&line(counted, what));
        }
        if plan {
            say(&format!("To apply this plan within five minutes: gassync source go-live {name}"));
        } else {
            say(&format!("{name} is live. `gassync source status {name}` shows the progress."));
        }
        Ok(())
    }
}

fn line(counted: &NightsCount, what: &str) -> String {
    let first = counted.first_room_type_id.as_ref().zip(counted.first_night);
    let first = first.map(|(room, night)| format!(", the first {night} of {room}")).unwrap_or_default();
    format!("{:>6} nights {what}{first}", counted.nights)
}
