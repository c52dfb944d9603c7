//! A source that listens goes live.

use clap::Args;

use super::{client::Client, print, say};
use crate::admin::{GoLive, GoLivePlan, NightsCounted};

/// What is asked for.
#[derive(Debug, Args)]
pub struct GoLiveArgs {
    /// The source's name, or its number
    name: String,
    /// Only show what would change at the channel, of a calendar that is read now; it is good for five minutes
    #[arg(long)]
    plan: bool,
    /// With --plan: open what somebody has closed by hand at the channel, too
    #[arg(long, requires = "plan")]
    open_closed: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl GoLiveArgs {
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let Self { name, plan, open_closed, json } = self;
        let asked = GoLive { plan, open_closed, plan_id: None };
        let shown: GoLivePlan = client.post(&format!("/admin/v1/sources/{name}/go-live"), &asked).await?;
        if json {
            print(&serde_json::to_string(&shown)?);
            return Ok(());
        }
        for (counted, what) in [
            (&shown.opens, "open, or more of them are sold"),
            (&shown.closes, "close, or fewer of them are sold"),
            (&shown.prices, "change their price"),
            (&shown.rules, "change their rules of stay"),
            (&shown.closed_by_hand, "are closed by hand there"),
        ] {
            print(&line(counted, what));
        }
        if plan {
            say(&format!("To do just that, within five minutes: gassync source go-live {name}"));
        } else {
            say(&format!("{name} is live. `gassync source status {name}` tells how far it is."));
        }
        Ok(())
    }
}

fn line(counted: &NightsCounted, what: &str) -> String {
    let first = counted.first_room_type_id.as_ref().zip(counted.first_night);
    let first = first.map(|(room, night)| format!(", the first {night} of {room}")).unwrap_or_default();
    format!("{:>6} nights {what}{first}", counted.nights)
}
