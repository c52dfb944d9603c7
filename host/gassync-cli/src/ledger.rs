use std::process::ExitCode;

use clap::Subcommand;

use super::{client::Client, print, say};
use gassync::{
    admin::{LedgerDifference, paths},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Recompute the ledger from bookings, links and maintenance; exits 1 on any difference
    Check {
        /// Only this account
        #[arg(long)]
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl LedgerCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let Self::Check { account, json } = self;
        let client = Client::connect(config).await?;
        let query = account.map(|account| format!("?account={}", encoded(&account))).unwrap_or_default();
        let found: Vec<LedgerDifference> = client.get(&format!("{}{query}", paths::LEDGER_DIFFERENCES)).await?;
        if json {
            print(&serde_json::to_string(&found)?);
        } else if found.is_empty() {
            say("The ledger matches the bookings.");
        }
        for LedgerDifference { account, unit_id, night, what } in found.iter().filter(|_| !json) {
            print(&format!("{account}: unit {unit_id}, night {night}: {what}"));
        }
        Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
