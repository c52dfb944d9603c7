use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{client::Client, print, say};
use crate::{
    admin::{KeyMade, NewKey},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key for the standard API
    Create(Create),
}

#[derive(Debug, Args)]
pub struct Create {
    /// The account; made when there is none of this name
    #[arg(long)]
    account: String,
    /// What you call the key
    #[arg(long)]
    name: String,
    /// The source it writes as; without it a partner source of the key's name
    #[arg(long)]
    source: Option<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl Command {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let Self::Create(Create { account, name, source, json }) = self;
        let client = Client::connect(config).await?;
        let made: KeyMade = client.post("/admin/v1/keys", &NewKey { account, name, source }).await?;
        if json {
            print(&serde_json::to_string(&made)?);
            return Ok(ExitCode::SUCCESS);
        }
        print(&made.key);
        say(&format!("It writes as the source {}. It is shown this once.", made.source));
        if !made.creates {
            say("Another source creates this account's houses: what this one sends waits until it is linked.");
        }
        Ok(ExitCode::SUCCESS)
    }
}
