use std::process::ExitCode;

use clap::Args;

use super::{client::Client, print, say, table::Listing};
use gassync::{
    admin::{Alarm, paths},
    config::Config,
};

#[derive(Debug, Args)]
pub struct Alarms {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Alarms {
    /// Lists the alarms; exit code 1 if there are any.
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        let alarms: Vec<Alarm> = client.get(paths::ALARMS).await?;
        if self.json {
            print(&serde_json::to_string(&alarms)?);
        } else if alarms.is_empty() {
            say("No alarms.");
        }
        let mut list = Listing::new();
        for alarm in alarms.iter().filter(|_| !self.json) {
            let source = alarm.source.as_deref().unwrap_or("-");
            list.row(&[&alarm.kind, &source, &alarm.count, &about(alarm)]);
            list.below(format!("      {}", alarm.remedy));
        }
        list.print();
        Ok(if alarms.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Everything but its kind, source and count.
fn about(alarm: &Alarm) -> String {
    let Alarm { house, room, first_night, last_night, reference, detail, since, last, .. } = alarm;
    let place = [house.as_deref(), room.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" / ");
    let nights = match (first_night, last_night) {
        (Some(first), Some(last)) if first != last => format!("nights {first} to {last}"),
        (Some(night), _) | (_, Some(night)) => format!("night {night}"),
        (None, None) => String::new(),
    };
    let reference = reference.as_deref().map(|reference| format!("ref {reference}")).unwrap_or_default();
    let since = since.map(|at| format!("since {at:.0}")).unwrap_or_default();
    let last = last.map(|at| format!("last {at:.0}")).unwrap_or_default();
    let parts = [place, nights, reference, since, last, detail.clone().unwrap_or_default()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}
