use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{build, client::Client, plugin_try::TryArgs, print, say};
use crate::{
    admin::PluginShown,
    config::{Config, ConfigError},
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all plugins and where they stand
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Let a plugin work; what was kept for it meanwhile is worked off
    Enable {
        /// The channel
        id: String,
    },
    /// Keep what comes for a plugin, and let it wait
    Disable {
        /// The channel
        id: String,
    },
    /// Build plugins of this repository from source
    Build {
        /// The channels
        #[arg(required_unless_present = "all")]
        names: Vec<String>,
        /// All there are
        #[arg(long)]
        all: bool,
        /// Where the components go; a running host picks them up from its plugin folder
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// Look at what a plugin makes of a payload; nothing is verified, stored or sent
    Try(TryArgs),
}

impl Command {
    pub async fn run(self, settings: impl Fn() -> Result<Config, ConfigError>) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&Client::connect(settings()?).await?, json).await?,
            Self::Enable { id } => act(settings()?, &id, "enable").await?,
            Self::Disable { id } => act(settings()?, &id, "disable").await?,
            Self::Build { names, all, into } => {
                let names = if all { build::all()? } else { names };
                let into = into.map_or_else(|| settings().map(|config| config.plugins.dir), Ok)?;
                for file in build::plugins(&names, &into).await? {
                    print(&file.display().to_string());
                }
            }
            Self::Try(args) => return args.run(&settings()?.plugins.dir).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn act(config: Config, id: &str, act: &str) -> anyhow::Result<()> {
    let client = Client::connect(config).await?;
    client.post::<()>(&format!("/admin/v1/plugins/{id}/{act}"), &()).await?;
    say(&format!("{id} is {act}d."));
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let plugins: Vec<PluginShown> = client.get("/admin/v1/plugins").await?;
    if json {
        print(&serde_json::to_string(&plugins)?);
        return Ok(());
    }
    for plugin in plugins {
        let hash = plugin.hash.get(..12).unwrap_or_default();
        let loaded = if plugin.loaded { "loaded" } else { "not loaded" };
        print(&format!("{:<16} {:<10} {:<10} {hash:<12} {loaded}", plugin.id, plugin.status, plugin.version));
        if let Some(problem) = plugin.problem {
            print(&format!("{:<16} {problem}", ""));
        }
    }
    Ok(())
}
