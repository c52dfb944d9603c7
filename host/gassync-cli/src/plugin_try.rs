use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use gassync_domain::{Entity, HttpRequest, HttpResponse, Timestamp};
use gassync_runtime::{
    Adapter, Engine, EngineSettings,
    try_call::{self, FileCoreData, TryContext, TryResult, content_type},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{FAILED, print, say, system_clock};
use gassync::{
    inbound::redact::{self, FieldPath},
    vault::{self, system_random},
};

/// Exit code: the plugin trapped or exceeded a limit.
const PLUGIN_FAULT: u8 = 3;

#[derive(Debug, Args)]
pub struct TryArgs {
    /// Component file, or the id of a channel in the plugin folder
    plugin: PathBuf,
    #[command(subcommand)]
    entry: Entry,
    /// Source settings, a JSON object
    #[arg(long, global = true)]
    settings: Option<PathBuf>,
    /// Current time for the plugin
    #[arg(long, global = true)]
    now: Option<Timestamp>,
    /// Random seed
    #[arg(long, global = true, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Entry {
    /// Decode an inbound call, or with --as the channel's response to a fetch
    Decode(Decode),
    /// Run a fetch
    Fetch {
        /// Query, as JSON
        #[arg(long)]
        input: PathBuf,
        /// Responses of the channel, in order
        #[arg(long)]
        answer: Vec<PathBuf>,
    },
    /// Push nights: a list of calendar updates
    Calendar(Push),
    /// Push reservations: a list of {kind, reference, channelId, reservation}
    Reservations(Push),
    /// Acknowledgements to be sent: a list of {token, externalId, reference, refused, at}
    Acknowledge(Push),
    /// Push content: a list of {entity, reference, channelId, content}
    Content(Push),
    /// The reply to an inbound call, given the result of each of its changes
    Respond {
        #[command(flatten)]
        call: Inbound,
        /// A list of results: {status: applied|refused|available|held|released|quote|bookings, …}
        #[arg(long)]
        outcome: PathBuf,
    },
    /// Render a feed
    Render {
        #[arg(long, default_value = "/")]
        path: String,
        #[arg(long)]
        query: Option<String>,
        /// The core's data: {properties, roomTypes, ratePlans, calendar, reservations, content}
        #[arg(long)]
        core_data: Option<PathBuf>,
    },
    /// Print the manifest
    Describe,
}

#[derive(Debug, Args)]
struct Push {
    /// Items, as JSON
    #[arg(long)]
    input: PathBuf,
    /// Responses of the channel, in order
    #[arg(long)]
    answer: Vec<PathBuf>,
    /// The core's data: {properties, roomTypes, ratePlans, calendar, reservations, content}
    #[arg(long)]
    core_data: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Decode {
    #[command(flatten)]
    call: Inbound,
    /// Treat the input as the channel's response to a fetch of this entity
    #[arg(long = "as", conflicts_with_all = ["method", "path", "query", "header"])]
    entity: Option<Answered>,
}

#[derive(Debug, Args)]
struct Inbound {
    /// Request body
    #[arg(long)]
    input: PathBuf,
    #[arg(long, default_value = "POST")]
    method: String,
    #[arg(long, default_value = "/")]
    path: String,
    #[arg(long)]
    query: Option<String>,
    /// NAME: VALUE
    #[arg(long, value_parser = header)]
    header: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Answered {
    Reservations,
    Calendar,
    Properties,
    RoomTypes,
}

impl From<Answered> for Entity {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Reservations => Self::Reservation,
            Answered::Calendar => Self::Calendar,
            Answered::Properties => Self::Property,
            Answered::RoomTypes => Self::RoomType,
        }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("must be NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl TryArgs {
    /// Prints one JSON document to stdout, or a problem document to stderr.
    pub async fn run(self, plugins: &Path) -> anyhow::Result<ExitCode> {
        let file = if self.plugin.is_file() {
            self.plugin.clone()
        } else {
            plugins.join(format!("{}.wasm", self.plugin.display()))
        };
        let wasm = fs::read(&file).with_context(|| format!("no plugin at {}", file.display()))?;
        let plugin = match Engine::new(engine_settings())?.load(wasm).await {
            Ok(plugin) => plugin,
            Err(error) => {
                say(&json!({ "type": "/problems/plugin/refused", "title": error.to_string() }).to_string());
                return Ok(ExitCode::from(PLUGIN_FAULT));
            }
        };
        let mut context = TryContext {
            settings: match &self.settings {
                Some(path) => serde_json::from_slice(&read(path)?).context("--settings is not JSON")?,
                None => json!({}),
            },
            now: self.now.unwrap_or_else(|| system_clock()()),
            seed: self.seed,
            core_data: FileCoreData::default(),
        };
        let ending = self.entry.run(&*plugin, &mut context).await?;
        Ok(match ending {
            TryResult::Document(text) => {
                print(&text);
                ExitCode::SUCCESS
            }
            TryResult::PluginError(problem) => {
                say(&problem);
                ExitCode::from(FAILED)
            }
            TryResult::PluginFault(problem) => {
                say(&problem);
                ExitCode::from(PLUGIN_FAULT)
            }
        })
    }
}

impl Entry {
    async fn run(self, plugin: &dyn Adapter, context: &mut TryContext) -> anyhow::Result<TryResult> {
        Ok(match self {
            Self::Decode(Decode { call, entity: Some(entity) }) => {
                try_call::decode_answer(plugin, context, entity.into(), load_answer(plugin, &call.input)?).await
            }
            Self::Decode(Decode { call, entity: None }) => {
                try_call::decode(plugin, context, call.request(plugin)?).await
            }
            Self::Fetch { input, answer } => {
                try_call::fetch(plugin, context, input_of(&input)?, load_answers(plugin, &answer)?).await
            }
            Self::Calendar(push) => {
                let (input, answers) = push.load(plugin, context)?;
                try_call::calendar(plugin, context, input, answers).await
            }
            Self::Reservations(push) => {
                let (input, answers) = push.load(plugin, context)?;
                try_call::reservations(plugin, context, input, answers).await
            }
            Self::Acknowledge(push) => {
                let (input, answers) = push.load(plugin, context)?;
                try_call::acknowledge(plugin, context, input, answers).await
            }
            Self::Content(push) => {
                let (input, answers) = push.load(plugin, context)?;
                try_call::content(plugin, context, input, answers).await
            }
            Self::Respond { call, outcome } => {
                let results = serde_json::from_slice(&read(&outcome)?).context("--outcome is not a list of results")?;
                try_call::respond(plugin, context, call.request(plugin)?, results).await
            }
            Self::Render { path, query, core_data } => {
                context.core_data = load_core_data(core_data.as_deref())?;
                let (url, headers) = (url(&path, query.as_deref()), Vec::new());
                let request = HttpRequest { method: "GET".to_owned(), url, headers, body: None };
                try_call::render(plugin, context, request).await
            }
            Self::Describe => TryResult::Document(serde_json::to_string(plugin.manifest())?),
        })
    }
}

impl Push {
    fn load<T: DeserializeOwned>(
        &self,
        plugin: &dyn Adapter,
        context: &mut TryContext,
    ) -> anyhow::Result<(T, Vec<HttpResponse>)> {
        context.core_data = load_core_data(self.core_data.as_deref())?;
        Ok((input_of(&self.input)?, load_answers(plugin, &self.answer)?))
    }
}

impl Inbound {
    fn request(self, plugin: &dyn Adapter) -> anyhow::Result<HttpRequest> {
        let mut headers = self.header;
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), content_type(&self.input).to_owned()));
        }
        let body = masked(plugin, read(&self.input)?);
        Ok(HttpRequest {
            method: self.method.to_uppercase(),
            url: url(&self.path, self.query.as_deref()),
            headers,
            body: (!body.is_empty()).then_some(body),
        })
    }
}

fn url(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{}", query.trim_start_matches('?')))
}

fn input_of<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    serde_json::from_slice(&read(path)?).with_context(|| format!("--input {}", path.display()))
}

fn load_core_data(path: Option<&Path>) -> anyhow::Result<FileCoreData> {
    let Some(path) = path else { return Ok(FileCoreData::default()) };
    serde_json::from_slice(&read(path)?).with_context(|| format!("--core-data {}", path.display()))
}

fn load_answers(plugin: &dyn Adapter, paths: &[PathBuf]) -> anyhow::Result<Vec<HttpResponse>> {
    paths.iter().map(|path| load_answer(plugin, path)).collect()
}

/// Masks sensitive fields, as a host does before it calls the plugin.
fn masked(plugin: &dyn Adapter, body: Vec<u8>) -> Vec<u8> {
    let spots: Vec<FieldPath<'_>> = plugin.manifest().sensitive.iter().map(|text| FieldPath::parse(text)).collect();
    redact::mask(body, &spots)
}

/// Caches compiled plugins in the user's cache folder, because scripts take long to compile. They are authenticated
/// with a key beside them that only this user can read. Without a cache folder nothing is cached.
pub(super) fn engine_settings() -> EngineSettings {
    let folder = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .map(|folder| folder.join("gassync"));
    let key = folder.as_deref().and_then(|folder| {
        fs::create_dir_all(folder).ok()?;
        let text = vault::private_file(&folder.join("try.key"), || vault::token(&system_random(), "")).ok()?;
        <[u8; 32]>::try_from(hex::decode(text.trim()).ok()?).ok()
    });
    EngineSettings {
        cache_dir: key.and(folder).map(|folder| folder.join("compiled")),
        cache_key: key.unwrap_or_default(),
        concurrent_calls: 1,
    }
}

/// Reads a file, or standard input for `-`.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The file is the body; a JSON object with a `status` is the complete response.
fn load_answer(plugin: &dyn Adapter, path: &Path) -> anyhow::Result<HttpResponse> {
    #[derive(Deserialize)]
    struct Whole {
        status: u16,
        #[serde(default)]
        headers: serde_json::Map<String, Value>,
        body: Option<Box<serde_json::value::RawValue>>,
    }
    let bytes = read(path)?;
    let Ok(whole) = serde_json::from_slice::<Whole>(&bytes) else {
        let headers = vec![("content-type".to_owned(), content_type(path).to_owned())];
        return Ok(HttpResponse { status: 200, headers, body: masked(plugin, bytes) });
    };
    if !(100..600).contains(&whole.status) {
        bail!("{}: {} is not an HTTP status", path.display(), whole.status);
    }
    // A JSON string is the body itself; any other value is serialised unchanged, so that numbers keep their digits.
    let body = whole.body.map(|raw| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()));
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = whole.headers.into_iter().map(|(name, value)| (name, text(value))).collect();
    let body = masked(plugin, body.unwrap_or_default().into_bytes());
    Ok(HttpResponse { status: whole.status, headers, body })
}
