use std::process::ExitCode;

use clap::Args;

use super::{client::Client, print, say};
use crate::{admin::Alarm, config::Config};

#[derive(Debug, Args)]
pub struct Alarms {
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl Alarms {
    /// Shows what a person should look at; fails where there is anything.
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        let alarms: Vec<Alarm> = client.get("/admin/v1/alarms").await?;
        if self.json {
            print(&serde_json::to_string(&alarms)?);
        } else if alarms.is_empty() {
            say("Nothing needs a person.");
        }
        for alarm in alarms.iter().filter(|_| !self.json) {
            let whom = alarm.source.as_deref().unwrap_or("-");
            let since = alarm.since.map(|at| format!(" since {at:.0}")).unwrap_or_default();
            let detail = alarm.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            print(&format!("{:<17} {whom:<20} {}{since}{detail}", alarm.kind, alarm.count));
            print(&format!("      {}", alarm.mend));
        }
        Ok(if alarms.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
