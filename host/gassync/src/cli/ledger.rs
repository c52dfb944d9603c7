use std::process::ExitCode;

use clap::Subcommand;

use super::{client::Client, print, say};
use crate::{admin::LedgerDifference, config::Config};

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Count the ledger anew from bookings, links and maintenance; status 1 where it says something else
    Check {
        /// Only this account's
        #[arg(long)]
        account: Option<String>,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
}

impl LedgerCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let Self::Check { account, json } = self;
        let client = Client::connect(config).await?;
        let query = account.map(|account| format!("?account={}", encoded(&account))).unwrap_or_default();
        let found: Vec<LedgerDifference> = client.get(&format!("/admin/v1/ledger/differences{query}")).await?;
        if json {
            print(&serde_json::to_string(&found)?);
        } else if found.is_empty() {
            say("The ledger is what the bookings say.");
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
