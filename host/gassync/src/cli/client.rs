//! Talks to the host: over the wire when one runs on this data folder, else in this process, with the same endpoints.

use std::{
    fs::{self, File},
    io::{Read, Seek, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, header},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tower::ServiceExt;

use super::system_clock;
use crate::{
    app::{App, OPERATOR_TOKEN_FILE},
    config::Config,
    plugins, server,
    vault::system_random,
};

/// Locked by the host that runs; holds its address.
const HOST_FILE: &str = "host.address";
/// A fetch of everything takes its time.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The largest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The lock that says a host runs on this data folder, and where.
pub struct HostFile(File);

impl HostFile {
    /// Takes the lock, or says who has it.
    pub fn lock(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("setting data.dir: cannot make {}", dir.display()))?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(dir.join(HOST_FILE))?;
        if file.try_lock().is_err() {
            bail!("a host runs on {} already", dir.display());
        }
        Ok(Self(file))
    }

    /// Writes where it listens. The lock ends with the process, however that ends.
    pub fn announce(&self, address: SocketAddr) -> std::io::Result<()> {
        let mut file = &self.0;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(address.to_string().as_bytes())?;
        file.sync_all()
    }

    fn running(dir: &Path) -> Option<SocketAddr> {
        let mut file = File::open(dir.join(HOST_FILE)).ok()?;
        if file.try_lock_shared().is_ok() {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        text.trim().parse().ok()
    }
}

/// The way to the host.
pub enum Client {
    /// It runs.
    Wire { base: String, token: String, http: reqwest::Client },
    /// None runs: this process is it for a moment.
    Here { router: Router, token: String },
}

impl Client {
    /// Finds the host that runs on this data folder, or opens its database.
    pub async fn connect(config: Config) -> anyhow::Result<Self> {
        if let Some(address) = HostFile::running(&config.data.dir) {
            let token = match config.secrets.operator_token.0.as_str() {
                "" => fs::read_to_string(config.data.dir.join(OPERATOR_TOKEN_FILE))
                    .context("the operator's token cannot be read")?,
                given => given.to_owned(),
            };
            return Self::wire(&format!("http://{address}"), token.trim());
        }
        if !config.data.dir.exists() {
            let folder = config.data.dir.display();
            bail!("no host has run on {folder}: `gassync serve` begins one, and GASSYNC_DATA_DIR names another folder");
        }
        let app = App::open(config, system_clock(), system_random()).await?;
        plugins::settle(&app.plugins).await?;
        plugins::read_folder(&app.plugins).await?;
        let token = app.operator_token.clone();
        Ok(Self::Here { router: server::router(Arc::clone(&app)), token })
    }

    /// A host at this address.
    pub fn wire(base: &str, token: &str) -> anyhow::Result<Self> {
        // Another part of the process may have chosen a provider already: either is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self::Wire { base: base.to_owned(), token: token.to_owned(), http })
    }

    /// The same host, called by a partner with a key of the standard API.
    pub fn as_partner(&self, key: &str) -> Self {
        match self {
            Self::Wire { base, http, .. } => {
                Self::Wire { base: base.clone(), token: key.to_owned(), http: http.clone() }
            }
            Self::Here { router, .. } => Self::Here { router: router.clone(), token: key.to_owned() },
        }
    }

    /// Reads.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let text = self.send(Method::GET, path, None).await?;
        serde_json::from_str(&text).context("the host's answer cannot be read")
    }

    /// Does something.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let text = self.send(Method::POST, path, Some(("application/json", serde_json::to_vec(body)?))).await?;
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).context("the host's answer cannot be read")
    }

    /// Changes something.
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let text = self.send(Method::PATCH, path, Some(("application/json", serde_json::to_vec(body)?))).await?;
        serde_json::from_str(&text).context("the host's answer cannot be read")
    }

    /// Takes something away.
    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Sends bytes.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &'static str,
        bytes: Vec<u8>,
    ) -> anyhow::Result<T> {
        let text = self.send(Method::POST, path, Some((kind, bytes))).await?;
        serde_json::from_str(&text).context("the host's answer cannot be read")
    }

    async fn send(&self, method: Method, path: &str, body: Option<(&'static str, Vec<u8>)>) -> anyhow::Result<String> {
        let (status, text) = match self {
            Self::Wire { base, token, http } => {
                let mut request = http.request(method, format!("{base}{path}")).bearer_auth(token);
                if let Some((kind, body)) = body {
                    request = request.header(header::CONTENT_TYPE, kind).body(body);
                }
                let answer = request.send().await.context("the host does not answer")?;
                (answer.status(), answer.text().await?)
            }
            Self::Here { router, token } => {
                let (kind, body) = body.unwrap_or_default();
                let request = Request::builder()
                    .method(method)
                    .uri(path)
                    .header(header::AUTHORIZATION, format!("Bearer {token}"))
                    .header(header::CONTENT_TYPE, kind)
                    .body(Body::from(body))?;
                let answer = router.clone().oneshot(request).await?;
                let status = answer.status();
                let bytes = to_bytes(answer.into_body(), MAX_ANSWER_BYTES).await?;
                (status, String::from_utf8(bytes.to_vec())?)
            }
        };
        if status.is_success() {
            return Ok(text);
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let word = |name: &str| problem.get(name).and_then(Value::as_str);
        let fields = problem.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(|error| {
            Some(format!("\n  {}: {}", error.get("path")?.as_str()?, error.get("problem")?.as_str()?))
        });
        let fields: String = fields.collect();
        bail!("{}{fields}", word("detail").or(word("title")).unwrap_or(status.as_str()))
    }
}
