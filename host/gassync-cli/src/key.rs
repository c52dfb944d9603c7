use std::process::ExitCode;

use clap::{Args, Subcommand};
use gassync_domain::Timestamp;

use super::{client::Client, print, say, table::Listing};
use gassync::{
    admin::{CreatedKey, KeyResponse, KeyRotation, NewKey, paths},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key for the standard API
    Create(CreateKey),
    /// List keys by prefix
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create a replacement for a key
    Rotate {
        /// Key prefix, as shown by `key list`
        prefix: String,
        /// Seconds the old key stays valid; defaults to one day
        #[arg(long)]
        grace_seconds: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key immediately
    Revoke {
        /// Key prefix, as shown by `key list`
        prefix: String,
    },
}

#[derive(Debug, Args)]
pub struct CreateKey {
    /// Account name; created if it does not exist
    #[arg(long)]
    account: String,
    /// Key name
    #[arg(long)]
    name: String,
    /// Source the key writes as; defaults to a partner source with the key's name
    #[arg(long)]
    source: Option<String>,
    /// Scope, such as `reservations:read`; repeatable; all scopes by default
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Reject records that would have to be mended before storing
    #[arg(long)]
    strict: bool,
    /// Expiry, such as 2027-12-31T00:00:00Z
    #[arg(long)]
    expires_at: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl KeyCommand {
    pub async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let client = Client::connect(config).await?;
        match self {
            Self::Create(CreateKey { account, name, source, scopes, strict, expires_at, json }) => {
                let new = NewKey { account, name, source, scopes, strict, expires_at };
                let made: CreatedKey = client.post(paths::KEYS, &new).await?;
                show(&made, json)?;
                if !made.creates && !json {
                    say(
                        "Another source creates this account's properties: records of this one are parked until they are linked.",
                    );
                }
            }
            Self::List { json } => list(&client, json).await?,
            Self::Rotate { prefix, grace_seconds, json } => {
                let path = paths::key_rotate(&prefix);
                show(&client.post(&path, &KeyRotation { grace_seconds }).await?, json)?;
            }
            Self::Revoke { prefix } => {
                client.post::<()>(&paths::key_revoke(&prefix), &()).await?;
                say(&format!("Key {prefix}… revoked."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn show(made: &CreatedKey, json: bool) -> anyhow::Result<()> {
    if json {
        print(&serde_json::to_string(made)?);
        return Ok(());
    }
    print(&made.key);
    say(&format!("It writes as source {}. The key is shown only once.", made.source));
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let keys: Vec<KeyResponse> = client.get(paths::KEYS).await?;
    if json {
        print(&serde_json::to_string(&keys)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    for key in keys {
        let state = if key.alive { "alive" } else { "ended" };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        let used = format!("last used {used}");
        let strict = if key.strict { "strict  " } else { "" };
        let scopes = format!("{strict}{}", key.scopes.join(" "));
        rows.row(&[&format!("{}…", key.prefix), &key.name, &key.source, &state, &used, &scopes]);
    }
    rows.print();
    Ok(())
}
