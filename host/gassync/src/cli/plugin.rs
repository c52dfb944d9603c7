use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{
    build,
    client::Client,
    plugin_call::{print_call, short},
    plugin_check::CheckArgs,
    plugin_dev::Dev,
    plugin_new::{self, Language},
    plugin_try::TryArgs,
    print, say,
};
use crate::{
    admin::{Asked, Grants, PluginCall, PluginInstalled, PluginShown, PluginWhole, VersionShown},
    config::{Config, ConfigError},
};

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Show all plugins and where they stand
    List {
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show a plugin's versions, what each asks for and what it may do
    Show {
        /// The channel
        id: String,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Give a component to the host; it serves as soon as every process has it ready
    Install {
        /// The component
        file: PathBuf,
    },
    /// Say what a version may do; one that waits for that goes ahead
    Grant(GrantArgs),
    /// Let the version serve that served before
    Rollback {
        /// The channel
        id: String,
    },
    /// Have nothing serve the channel any more, and forget what was granted
    Remove {
        /// The channel
        id: String,
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
    /// Show a plugin's calls, newest first, and what each took
    Calls {
        /// The channel
        id: String,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// With requests, as curl, and log
        #[arg(long)]
        detail: bool,
        /// One JSON document
        #[arg(long)]
        json: bool,
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
    /// Hold a plugin to the contract: its samples in good weather and bad; no database and no network is needed
    Check(CheckArgs),
    /// Work on the plugin of this folder: a host around it, built anew with each change, its calls shown
    Dev(Dev),
}

#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The channel
    id: String,
    /// The version, by the beginning of its hash; without it the newest
    #[arg(long)]
    hash: Option<String>,
    /// All that it asks for
    #[arg(long)]
    all: bool,
    /// Where it may go, in the manifest's words, such as "GET,POST https://api.example.org"
    #[arg(long)]
    host: Vec<String>,
    /// SLOT=HOST: where the secrets of a slot may be sent; * is wherever it may go
    #[arg(long, value_parser = secret)]
    secret: Vec<(String, String)>,
    /// Memory of one call, in MiB
    #[arg(long)]
    memory_mib: Option<u32>,
    /// A route that anybody may call
    #[arg(long)]
    open_route: Vec<String>,
    /// Where it may go no more
    #[arg(long)]
    without_host: Vec<String>,
    /// SLOT=HOST: where the secrets of a slot may be sent no more
    #[arg(long, value_parser = secret)]
    without_secret: Vec<(String, String)>,
    /// No more memory than this, in MiB
    #[arg(long)]
    at_most_memory_mib: Option<u32>,
    /// A route that anybody may call no more
    #[arg(long)]
    without_open_route: Vec<String>,
}

fn secret(text: &str) -> Result<(String, String), String> {
    let (slot, host) = text.split_once('=').ok_or("must be SLOT=HOST")?;
    Ok((slot.to_owned(), host.to_owned()))
}

impl PluginCommand {
    pub async fn run(self, settings: impl Fn() -> Result<Config, ConfigError>) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { json } => list(&Client::connect(settings()?).await?, json).await?,
            Self::Show { id, json } => show(&Client::connect(settings()?).await?, &id, json).await?,
            Self::Install { file } => {
                let component = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
                install(&Client::connect(settings()?).await?, component).await?;
            }
            Self::Grant(grant) => grant.run(&Client::connect(settings()?).await?).await?,
            Self::Rollback { id } => act(settings()?, &id, "rollback", "goes back to the version before").await?,
            Self::Remove { id } => act(settings()?, &id, "remove", "is removed").await?,
            Self::Enable { id } => act(settings()?, &id, "enable", "is enabled").await?,
            Self::Disable { id } => act(settings()?, &id, "disable", "is disabled").await?,
            Self::Calls { id, limit, detail, json } => {
                calls(&Client::connect(settings()?).await?, &id, (limit, detail), json).await?;
            }
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
            Self::Check(args) => return args.run().await,
            Self::Dev(dev) => return dev.run().await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GrantArgs {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let grants = Grants {
            hash: self.hash,
            all: self.all,
            give: Asked {
                hosts: self.host,
                secrets: self.secret,
                memory_mib: self.memory_mib,
                open_routes: self.open_route,
            },
            take: Asked {
                hosts: self.without_host,
                secrets: self.without_secret,
                memory_mib: self.at_most_memory_mib,
                open_routes: self.without_open_route,
            },
        };
        let version: VersionShown = client.post(&format!("/admin/v1/plugins/{}/grant", self.id), &grants).await?;
        print_version(&version);
        Ok(())
    }
}

async fn act(config: Config, id: &str, act: &str, done: &str) -> anyhow::Result<()> {
    let client = Client::connect(config).await?;
    client.post::<()>(&format!("/admin/v1/plugins/{id}/{act}"), &()).await?;
    say(&format!("{id} {done}."));
    Ok(())
}

async fn install(client: &Client, component: Vec<u8>) -> anyhow::Result<()> {
    let installed: PluginInstalled = client.upload("/admin/v1/plugins", "application/wasm", component).await?;
    let hash = short(&installed.hash);
    print(&format!("{} {} {hash} {}", installed.id, installed.version, installed.status));
    if !installed.lacks.is_empty() {
        say("It asks for more than the version before it may do, and waits. To give it all that:");
        say(&format!("  gassync plugin grant {} {}", installed.id, installed.lacks.join(" ")));
    }
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let plugins: Vec<PluginShown> = client.get("/admin/v1/plugins").await?;
    if json {
        print(&serde_json::to_string(&plugins)?);
    } else {
        plugins.iter().for_each(print_plugin);
    }
    Ok(())
}

async fn show(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    let whole: PluginWhole = client.get(&format!("/admin/v1/plugins/{id}")).await?;
    if json {
        print(&serde_json::to_string(&whole)?);
        return Ok(());
    }
    print_plugin(&whole.plugin);
    whole.versions.iter().for_each(print_version);
    Ok(())
}

fn print_plugin(plugin: &PluginShown) {
    let (version, hash) = (plugin.version.as_deref().unwrap_or("-"), plugin.hash.as_deref().map_or("-", short));
    let loaded = if plugin.loaded { "loaded" } else { "not loaded" };
    print(&format!("{:<16} {:<11} {version:<10} {hash:<12} {loaded}", plugin.id, plugin.status));
    if let Some(problem) = &plugin.problem {
        print(&format!("{:<16} {problem}", ""));
    }
}

fn print_version(version: &VersionShown) {
    print(&format!(
        "  {:<10} {:<12} {:<11} {}",
        version.version,
        short(&version.hash),
        version.status,
        version.installed_at
    ));
    if let Some(problem) = &version.problem {
        print(&format!("    {problem}"));
    }
    if let Some(allowance) = &version.allowance {
        let hosts = allowance.hosts.iter().map(|host| format!("may go to {host}"));
        let secrets = allowance.secrets.iter().flat_map(|(slot, hosts)| {
            hosts.iter().map(move |host| match host.as_str() {
                "*" => format!("may send the secrets of {slot} wherever it may go"),
                host => format!("may send the secrets of {slot} to {host}"),
            })
        });
        let routes = allowance.open_routes.iter().map(|path| format!("may be called by anybody at {path}"));
        for line in hosts.chain(secrets).chain(routes) {
            print(&format!("    {line}"));
        }
        print(&format!("    may use {} MiB in a call", allowance.memory_mib));
    }
    for option in &version.lacks {
        print(&format!("    asks for {option}"));
    }
}

async fn calls(client: &Client, id: &str, (limit, detail): (u32, bool), json: bool) -> anyhow::Result<()> {
    let calls: Vec<PluginCall> =
        client.get(&format!("/admin/v1/plugins/{id}/calls?limit={limit}&detail={detail}")).await?;
    if json {
        print(&serde_json::to_string(&calls)?);
    } else {
        calls.iter().for_each(print_call);
    }
    Ok(())
}
