use std::process::ExitCode;

use clap::{Args, Subcommand};
use gassync_domain::Timestamp;
use serde_json::Value;

use super::{client::Client, print, say};
use crate::{
    admin::{KeyMade, KeyShown, NewKey, Rotation},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key for the standard API
    Create(CreateKey),
    /// Show all keys: their first characters, never more
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Make the key that takes another's place
    Rotate {
        /// The first characters of the key, as `key list` shows them
        prefix: String,
        /// Seconds that the former key goes on working; a day when nothing is said
        #[arg(long)]
        grace_seconds: Option<u32>,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// End a key now
    Revoke {
        /// The first characters of the key, as `key list` shows them
        prefix: String,
    },
}

#[derive(Debug, Args)]
pub struct CreateKey {
    /// The account; made when there is none of this name
    #[arg(long)]
    account: String,
    /// What you call the key
    #[arg(long)]
    name: String,
    /// The source it writes as; without it a partner source of the key's name
    #[arg(long)]
    source: Option<String>,
    /// What it may do, such as `reservations:read`; everything when nothing is named
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Have records refused that would have to be mended to be kept
    #[arg(long)]
    strict: bool,
    /// When it ends, such as 2027-12-31T00:00:00Z
    #[arg(long)]
    expires_at: Option<Timestamp>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl KeyCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::Create(CreateKey { account, name, source, scopes, strict, expires_at, json }) => {
                let new = NewKey { account, name, source, scopes, strict, expires_at };
                let made: KeyMade = client.post("/admin/v1/keys", &new).await?;
                show(&made, json)?;
                if !made.creates && !json {
                    say("Another source creates this account's houses: what this one sends waits until it is linked.");
                }
            }
            Self::List { json } => list(&client, json).await?,
            Self::Rotate { prefix, grace_seconds, json } => {
                let path = format!("/admin/v1/keys/{prefix}/rotate");
                show(&client.post(&path, &Rotation { grace_seconds }).await?, json)?;
            }
            Self::Revoke { prefix } => {
                let _: Value = client.post(&format!("/admin/v1/keys/{prefix}/revoke"), &Value::Null).await?;
                say(&format!("The key {prefix}… lets nobody in any more."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(made: &KeyMade, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(made)?);
        return Ok(());
    }
    print(&made.key);
    say(&format!("It writes as the source {}. It is shown this once.", made.source));
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let keys: Vec<KeyShown> = client.get("/admin/v1/keys").await?;
    if json {
        print(&serde_json::to_string(&keys)?);
        return Ok(());
    }
    for key in keys {
        let state = if key.alive { "alive" } else { "ended" };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        let scopes = key.scopes.join(" ");
        let strict = if key.strict { "strict  " } else { "" };
        print(&format!(
            "{}…  {:<20} {:<20} {state}  last used {used}  {strict}{scopes}",
            key.prefix, key.name, key.source
        ));
    }
    Ok(())
}
