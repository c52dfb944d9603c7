use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};

use super::{
    build,
    client::Client,
    plugin_call::{print_calls, short},
    plugin_check::CheckArgs,
    plugin_dev::Dev,
    plugin_new::{self, Language},
    plugin_try::TryArgs,
    print, say,
    table::Listing,
};
use gassync::{
    admin::{
        Grants, InstalledPlugin, PermissionList, PluginAct, PluginCall, PluginDetail, PluginResponse,
        PluginVersionResponse, paths,
    },
    config::{Config, ConfigError},
};

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List plugins with their status
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a plugin's versions with requested and granted permissions
    Show {
        /// Channel id
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Install a component; it is activated once every process has prepared it
    Install {
        /// Component file
        file: PathBuf,
    },
    /// Grant or revoke permissions of a version; a version waiting for permissions is activated
    Grant(GrantArgs),
    /// Activate the previous version
    Rollback {
        /// Channel id
        id: String,
    },
    /// Remove the plugin and its permissions
    Remove {
        /// Channel id
        id: String,
    },
    /// Enable a plugin and process its queued messages
    Enable {
        /// Channel id
        id: String,
    },
    /// Disable a plugin; its messages are queued
    Disable {
        /// Channel id
        id: String,
    },
    /// List a plugin's calls, newest first, with resource usage
    Calls {
        /// Channel id
        id: String,
        /// Maximum number
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Include requests (as curl) and log lines
        #[arg(long)]
        detail: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Create a plugin project with the SDK and the contract
    New {
        /// Plugin name, which is the channel id
        name: String,
        /// Language
        #[arg(long, default_value = "rust")]
        lang: Language,
    },
    /// Build the plugin in the current folder, or plugins of the repository by name
    Build {
        /// Plugins of the repository; defaults to the current folder
        names: Vec<String>,
        /// All plugins of the repository
        #[arg(long)]
        all: bool,
        /// Output folder; a running host loads components from its plugin folder
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// Run one plugin call on a file; nothing is verified, stored or sent
    Try(TryArgs),
    /// Run the conformance suite against a plugin with its own samples, including failures; needs no database or network
    Check(CheckArgs),
    /// Run a development host for the plugin in this folder: rebuilds on change and shows calls
    Dev(Dev),
}

#[derive(Debug, Args)]
pub struct GrantArgs {
    /// Channel id
    id: String,
    /// Version, by hash prefix; defaults to the newest
    #[arg(long)]
    hash: Option<String>,
    /// Grant everything it requests
    #[arg(long)]
    all: bool,
    /// Allowed host pattern, as in the manifest, such as "GET,POST https://api.example.org"
    #[arg(long)]
    host: Vec<String>,
    /// SLOT=HOST: host that may receive the secrets of a slot; * for all allowed hosts
    #[arg(long, value_parser = secret)]
    secret: Vec<(String, String)>,
    /// Memory limit per call, in MiB
    #[arg(long)]
    memory_mib: Option<u32>,
    /// Route that may be called without verification
    #[arg(long)]
    open_route: Vec<String>,
    /// Revoke a host pattern
    #[arg(long)]
    without_host: Vec<String>,
    /// SLOT=HOST: revoke a host for the secrets of a slot
    #[arg(long, value_parser = secret)]
    without_secret: Vec<(String, String)>,
    /// Lower the memory limit, in MiB
    #[arg(long)]
    at_most_memory_mib: Option<u32>,
    /// Revoke an unverified route
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
            Self::Rollback { id } => act(settings()?, &id, PluginAct::Rollback, "is rolled back").await?,
            Self::Remove { id } => act(settings()?, &id, PluginAct::Remove, "is removed").await?,
            Self::Enable { id } => act(settings()?, &id, PluginAct::Enable, "is enabled").await?,
            Self::Disable { id } => act(settings()?, &id, PluginAct::Disable, "is disabled").await?,
            Self::Calls { id, limit, detail, json } => {
                calls(&Client::connect(settings()?).await?, &id, (limit, detail), json).await?;
            }
            Self::New { name, lang } => {
                let folder = plugin_new::make(&name, lang, &std::env::current_dir()?)?;
                say(&format!("Created {}; see its README.", folder.display()));
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
            give: PermissionList {
                hosts: self.host,
                secrets: self.secret,
                memory_mib: self.memory_mib,
                open_routes: self.open_route,
            },
            take: PermissionList {
                hosts: self.without_host,
                secrets: self.without_secret,
                memory_mib: self.at_most_memory_mib,
                open_routes: self.without_open_route,
            },
        };
        let version: PluginVersionResponse = client.post(&paths::plugin_grant(&self.id), &grants).await?;
        let mut rows = Listing::new();
        add_version(&mut rows, &version);
        rows.print();
        Ok(())
    }
}

async fn act(config: Config, id: &str, act: PluginAct, done: &str) -> anyhow::Result<()> {
    let client = Client::connect(config).await?;
    client.post::<()>(&paths::plugin_act(&id, &act), &()).await?;
    say(&format!("{id} {done}."));
    Ok(())
}

async fn install(client: &Client, component: Vec<u8>) -> anyhow::Result<()> {
    let installed: InstalledPlugin = client.upload(paths::PLUGINS, "application/wasm", component).await?;
    let hash = short(&installed.hash);
    print(&format!("{} {} {hash} {}", installed.id, installed.version, installed.status));
    if !installed.lacks.is_empty() {
        say("It requests more permissions than the previous version and is waiting. To grant them:");
        say(&format!("  gassync plugin grant {} {}", installed.id, installed.lacks.join(" ")));
    }
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let plugins: Vec<PluginResponse> = client.get(paths::PLUGINS).await?;
    if json {
        print(&serde_json::to_string(&plugins)?);
    } else {
        let mut rows = Listing::new();
        plugins.iter().for_each(|plugin| add_plugin(&mut rows, plugin));
        rows.print();
    }
    Ok(())
}

async fn show(client: &Client, id: &str, json: bool) -> anyhow::Result<()> {
    let whole: PluginDetail = client.get(&paths::plugin(&id)).await?;
    if json {
        print(&serde_json::to_string(&whole)?);
        return Ok(());
    }
    let mut rows = Listing::new();
    add_plugin(&mut rows, &whole.plugin);
    rows.print();
    let mut rows = Listing::new();
    whole.versions.iter().for_each(|version| add_version(&mut rows, version));
    rows.print();
    Ok(())
}

fn add_plugin(rows: &mut Listing, plugin: &PluginResponse) {
    let (version, hash) = (plugin.version.as_deref().unwrap_or("-"), plugin.hash.as_deref().map_or("-", short));
    let loaded = if plugin.loaded { "loaded" } else { "not loaded" };
    rows.row(&[&plugin.id, &plugin.status, &version, &hash, &loaded]);
    if let Some(problem) = &plugin.problem {
        rows.below(format!("    {problem}"));
    }
}

fn add_version(rows: &mut Listing, version: &PluginVersionResponse) {
    let name = format!("  {}", version.version);
    rows.row(&[&name, &short(&version.hash), &version.status, &version.installed_at]);
    if let Some(problem) = &version.problem {
        rows.below(format!("    {problem}"));
    }
    if let Some(allowance) = &version.allowance {
        let hosts = allowance.hosts.iter().map(|host| format!("may call {host}"));
        let secrets = allowance.secrets.iter().flat_map(|(slot, hosts)| {
            hosts.iter().map(move |host| match host.as_str() {
                "*" => format!("may send secrets of {slot} to all allowed hosts"),
                host => format!("may send secrets of {slot} to {host}"),
            })
        });
        let routes = allowance.open_routes.iter().map(|path| format!("may be called without verification at {path}"));
        for line in hosts.chain(secrets).chain(routes) {
            rows.below(format!("    {line}"));
        }
        rows.below(format!("    may use {} MiB per call", allowance.memory_mib));
    }
    for option in &version.lacks {
        rows.below(format!("    requests {option}"));
    }
}

async fn calls(client: &Client, id: &str, (limit, detail): (u32, bool), json: bool) -> anyhow::Result<()> {
    let calls: Vec<PluginCall> =
        client.get(&format!("{}?limit={limit}&detail={detail}", paths::plugin_calls(&id))).await?;
    if json {
        print(&serde_json::to_string(&calls)?);
    } else {
        print_calls(&calls);
    }
    Ok(())
}
