//! A partner's samples: the channel's requests and responses, as files in a folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use gassync_domain::{CalendarUpdate, ContentItem, Entity, HttpRequest, HttpResponse, Operation, Query, Selection};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::payload::Payload;
use crate::try_call::{FileCoreData, content_type};

/// Maximum samples read.
const MAX_SAMPLES: usize = 40;
/// Maximum size of a sample, in bytes: the most a plugin ever receives.
const MAX_SAMPLE_BYTES: u64 = 8 * 1024 * 1024;
/// Folders of responses, and the entity each response is for.
pub(super) const ANSWERED: [(&str, Entity); 7] = [
    ("properties", Entity::Property),
    ("room-types", Entity::RoomType),
    ("rate-plans", Entity::RatePlan),
    ("reservations", Entity::Reservation),
    ("guests", Entity::Guest),
    ("calendar", Entity::Calendar),
    ("blocks", Entity::Block),
];
/// Suffix of a file that describes the request of an inbound call.
const CALL: &str = ".call.json";
/// Suffix of a file that describes a response and its query.
const ANSWER: &str = ".answer.json";
/// Connection operations, which name their response files.
const CONNECTING: [&str; 3] = ["check", "subscribe", "unsubscribe"];

/// Requests and responses of a partner's channel, and the source's settings.
#[derive(Default)]
pub struct Samples {
    pub(super) settings: Value,
    pub(super) core_data: FileCoreData,
    pub(super) all: Vec<Sample>,
    pub(super) pushes: Pushes,
    pub(super) feeds: Vec<FeedSample>,
    /// The channel's responses to the requests of one call, by connection operation.
    pub(super) connection: BTreeMap<String, Vec<HttpResponse>>,
}

/// Items to push to the channel.
#[derive(Default)]
pub(super) struct Pushes {
    pub calendar: Vec<CalendarUpdate>,
    pub reservations: Vec<Operation>,
    pub content: Vec<ContentItem>,
}

/// A sample.
pub(super) struct Sample {
    /// Path in the folder, without extension.
    pub name: String,
    pub payload: Payload,
    pub kind: SampleKind,
}

/// A feed that the channel fetches.
#[derive(Clone)]
pub(super) struct FeedSample {
    /// Path in the folder, without extension.
    pub name: String,
    pub request: HttpRequest,
}

/// How the plugin receives a sample.
pub(super) enum SampleKind {
    /// An inbound call with the sample as its body.
    Call { request: HttpRequest, has_body: bool },
    /// A fetch whose first response is the sample; `further` are the next ones.
    Answer { asked: FetchSpec, status: u16, headers: Vec<(String, String)>, further: Vec<HttpResponse> },
}

/// Query of a fetch; without a selection, that of a poll of the entity.
#[derive(Debug, Clone)]
pub(super) struct FetchSpec {
    pub entity: Entity,
    pub query: Option<Query>,
}

/// Samples that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct SampleError {
    /// The file or folder.
    pub file: PathBuf,
    /// The problem.
    pub problem: String,
}

/// Description of an inbound call.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CallFile {
    method: Option<String>,
    path: String,
    query: Option<String>,
    headers: BTreeMap<String, String>,
}

impl Default for CallFile {
    fn default() -> Self {
        Self { method: None, path: "/".to_owned(), query: None, headers: BTreeMap::new() }
    }
}

/// Description of a response and its query.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AnswerFile {
    status: u16,
    headers: BTreeMap<String, String>,
    query: Option<QueryFile>,
}

impl Default for AnswerFile {
    fn default() -> Self {
        Self { status: 200, headers: BTreeMap::new(), query: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QueryFile {
    selection: Selection,
    property_id: Option<String>,
    room_type_id: Option<String>,
    cursor: Option<String>,
}

/// Files that share a name.
#[derive(Default)]
struct Named {
    body: Option<PathBuf>,
    about: Option<PathBuf>,
    /// `NAME.2.EXT` and so on, in order.
    further: BTreeMap<u32, PathBuf>,
}

impl Samples {
    /// Reads a folder; a missing folder contains no samples.
    pub fn read(folder: &Path) -> Result<Self, SampleError> {
        let mut samples = Self { settings: json!({}), ..Self::default() };
        if let Some(settings) = optional(&folder.join("settings.json"))? {
            samples.settings = settings;
        }
        if let Some(core_data) = optional(&folder.join("core-data.json"))? {
            samples.core_data = core_data;
        }
        samples.pushes = Pushes {
            calendar: pushed(&folder.join("pushes/calendar"))?,
            reservations: pushed(&folder.join("pushes/reservations"))?,
            content: pushed(&folder.join("pushes/content"))?,
        };
        for (name, files) in named(&folder.join("calls"), CALL)? {
            samples.all.push(call(format!("calls/{name}"), &files)?);
        }
        for (place, entity) in ANSWERED {
            for (name, files) in named(&folder.join("answers").join(place), ANSWER)? {
                samples.all.push(answer(format!("answers/{place}/{name}"), entity, &files)?);
            }
        }
        for (name, files) in named(&folder.join("feeds"), CALL)? {
            samples.feeds.push(feed(format!("feeds/{name}"), &files)?);
        }
        for (name, files) in named(&folder.join("connection"), ANSWER)? {
            let answers = connecting(&name, &files)?;
            samples.connection.insert(name, answers);
        }
        let count = samples.all.len() + samples.feeds.len() + samples.connection.len();
        if count > MAX_SAMPLES {
            return Err(wrong(folder, format!("{count} samples; at most {MAX_SAMPLES} are read")));
        }
        Ok(samples)
    }
}

impl Sample {
    pub fn is_call(&self) -> bool {
        matches!(self.kind, SampleKind::Call { .. })
    }

    /// Returns the whole request of an inbound call; `None` for a response.
    pub fn request(&self) -> Option<HttpRequest> {
        let SampleKind::Call { request, has_body } = &self.kind else { return None };
        Some(HttpRequest { body: has_body.then(|| self.payload.bytes.clone()), ..request.clone() })
    }

    /// True if the response is successful. Other responses only test error handling.
    pub fn is_good(&self) -> bool {
        !matches!(self.kind, SampleKind::Answer { status, .. } if status >= 400)
    }
}

fn call(name: String, files: &Named) -> Result<Sample, SampleError> {
    let about: CallFile = described(files)?;
    let body = files.body.as_deref().map(bytes).transpose()?;
    let mut headers: Vec<(String, String)> = about.headers.into_iter().collect();
    if let Some(file) = &files.body
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("content-type".to_owned(), content_type(file).to_owned()));
    }
    let method = about.method.unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    let url = match about.query {
        Some(query) => format!("{}?{}", about.path, query.trim_start_matches('?')),
        None => about.path,
    };
    let has_body = body.is_some();
    let payload = Payload::new(body.unwrap_or_default());
    Ok(Sample {
        name,
        payload,
        kind: SampleKind::Call {
            request: HttpRequest { method: method.to_uppercase(), url, headers, body: None },
            has_body,
        },
    })
}

/// Reads the request of a feed, which has no body.
fn feed(name: String, files: &Named) -> Result<FeedSample, SampleError> {
    if let Some(body) = &files.body {
        return Err(wrong(body, format!("a feed is fetched without a body: NAME{CALL} says how")));
    }
    let sample = call(name, files)?;
    let request = sample.request().ok_or_else(|| wrong(Path::new(&sample.name), "is no call"))?;
    Ok(FeedSample { name: sample.name, request })
}

fn answer(name: String, entity: Entity, files: &Named) -> Result<Sample, SampleError> {
    let (query, first, further) = answers(files)?;
    let query = query.map(|file| {
        let QueryFile { selection, property_id, room_type_id, cursor } = file;
        Query { entity, selection, property_id, room_type_id, cursor }
    });
    let HttpResponse { status, headers, body } = first;
    let kind = SampleKind::Answer { asked: FetchSpec { entity, query }, status, headers, further };
    Ok(Sample { name, payload: Payload::new(body), kind })
}

/// Reads the channel's responses to a connection test or subscription.
fn connecting(name: &str, files: &Named) -> Result<Vec<HttpResponse>, SampleError> {
    let any = [&files.body, &files.about].into_iter().flatten().chain(files.further.values()).next();
    let file = any.map_or(Path::new(""), PathBuf::as_path);
    if !CONNECTING.contains(&name) {
        return Err(wrong(file, format!("is called {name}, and not {}", CONNECTING.join(" or "))));
    }
    let (query, first, further) = answers(files)?;
    if query.is_some() {
        return Err(wrong(file, "has a query, and answers no fetch"));
    }
    if first.status >= 400 {
        return Err(wrong(file, "says no: how the channel refuses is tried without samples"));
    }
    Ok([vec![first], further].concat())
}

/// Returns the query if described, the first response, and the further responses.
fn answers(files: &Named) -> Result<(Option<QueryFile>, HttpResponse, Vec<HttpResponse>), SampleError> {
    let about: AnswerFile = described(files)?;
    let file = files.body.as_deref().or(files.about.as_deref()).unwrap_or(Path::new(""));
    if !(100..600).contains(&about.status) {
        return Err(wrong(file, format!("{} is not an HTTP status", about.status)));
    }
    let body = files.body.as_deref().map(bytes).transpose()?.unwrap_or_default();
    let mut headers: Vec<(String, String)> = about.headers.into_iter().collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), content_type(file).to_owned()));
    }
    let mut further = Vec::new();
    for file in files.further.values() {
        let headers = vec![("content-type".to_owned(), content_type(file).to_owned())];
        further.push(HttpResponse { status: 200, headers, body: bytes(file)? });
    }
    Ok((about.query, HttpResponse { status: about.status, headers, body }, further))
}

/// Lists the files of a folder by name. Names that begin with a full stop are ignored.
fn named(folder: &Path, about: &str) -> Result<BTreeMap<String, Named>, SampleError> {
    let mut found: BTreeMap<String, Named> = BTreeMap::new();
    for file in files(folder)? {
        let whole = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = whole.strip_suffix(about) {
            found.entry(name.to_owned()).or_default().about = Some(file);
            continue;
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some((name, number)) = stem.rsplit_once('.')
            && let Ok(number) = number.parse()
            && about == ANSWER
        {
            found.entry(name.to_owned()).or_default().further.insert(number, file);
            continue;
        }
        let other = found.entry(stem).or_default().body.replace(file);
        if let Some(other) = other {
            return Err(wrong(&other, "another file of this folder has its name, with another ending"));
        }
    }
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, SampleError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| wrong(folder, error.to_string()))? {
        let path = entry.map_err(|error| wrong(folder, error.to_string()))?.path();
        if path.is_file() && !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn pushed<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>, SampleError> {
    let mut items = Vec::new();
    for file in files(folder)? {
        items.extend(parsed::<Vec<T>>(&file)?);
    }
    Ok(items)
}

fn described<T: DeserializeOwned + Default>(files: &Named) -> Result<T, SampleError> {
    files.about.as_deref().map_or_else(|| Ok(T::default()), parsed)
}

fn optional<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, SampleError> {
    file.is_file().then(|| parsed(file)).transpose()
}

fn parsed<T: DeserializeOwned>(file: &Path) -> Result<T, SampleError> {
    serde_json::from_slice(&bytes(file)?).map_err(|error| wrong(file, error.to_string()))
}

fn bytes(file: &Path) -> Result<Vec<u8>, SampleError> {
    let size = fs::metadata(file).map_err(|error| wrong(file, error.to_string()))?.len();
    if size > MAX_SAMPLE_BYTES {
        return Err(wrong(file, format!("has {size} bytes; a plugin is given at most {MAX_SAMPLE_BYTES}")));
    }
    fs::read(file).map_err(|error| wrong(file, error.to_string()))
}

fn wrong(file: &Path, problem: impl Into<String>) -> SampleError {
    SampleError { file: file.to_owned(), problem: problem.into() }
}
