use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{
    build,
    client::Client,
    plugin_new::{self, Language},
    plugin_try::TryArgs,
    print, say,
};
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
    /// Begin a plugin: a folder that builds, with the SDK and the contract in it
    New {
        /// Its name, which is the channel's
        name: String,
        /// What it is written in
        #[arg(long, default_value = "rust")]
        lang: Language,
    },
    /// Build the plugin of this folder, or those of the repository by name
    Build {
        /// Channels of the repository; without one, the plugin of the folder you are in
        names: Vec<String>,
        /// All there are in the repository
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
            Self::New { name, lang } => {
                let folder = plugin_new::make(&name, lang, &std::env::current_dir()?)?;
                say(&format!("Made {}: its README says how to go on.", folder.display()));
            }
            Self::Build { names, all: false, into } if names.is_empty() => {
                print(&build::here(into.as_deref()).await?.display().to_string());
            }
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
