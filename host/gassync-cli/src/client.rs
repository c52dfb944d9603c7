//! Client of the admin API: over HTTP if a host runs on this data folder, otherwise in this process, with the same endpoints.

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
use gassync_domain::FieldError;
use serde::{Serialize, de::DeserializeOwned};
use tower::ServiceExt;

use super::system_clock;
use gassync::{
    app::{App, OPERATOR_TOKEN_FILE},
    config::Config,
    http::problem::Document,
    plugins, server,
    vault::system_random,
};

/// Lock file of the running host; contains its address.
const HOST_FILE: &str = "host.address";
/// A full sync may take minutes.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Largest accepted response, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The lock a host holds on its data folder, with its listen address.
pub struct HostFile(File);

impl HostFile {
    /// Takes the lock; fails if another host holds it.
    pub fn lock(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("setting data.dir: cannot make {}", dir.display()))?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(dir.join(HOST_FILE))?;
        if file.try_lock().is_err() {
            bail!("a host is already running on {}", dir.display());
        }
        Ok(Self(file))
    }

    /// Writes the listen address. The operating system releases the lock when the process ends.
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

/// A connection to the host.
pub enum Client {
    /// A running host, over HTTP.
    Wire { base: String, token: String, http: reqwest::Client },
    /// No host is running: this process serves the request itself.
    Here { router: Router, token: String },
}

impl Client {
    /// Connects to the host running on this data folder, or opens the database.
    pub async fn connect(config: Config) -> anyhow::Result<Self> {
        if let Some(address) = HostFile::running(&config.data.dir) {
            let token = match config.secrets.operator_token.0.as_str() {
                "" => fs::read_to_string(config.data.dir.join(OPERATOR_TOKEN_FILE))
                    .context("cannot read the operator token")?,
                given => given.to_owned(),
            };
            return Self::wire(&format!("http://{address}"), token.trim());
        }
        if !config.data.dir.exists() {
            let folder = config.data.dir.display();
            bail!("no host has used {folder}; start one with `gassync serve`, or set GASSYNC_DATA_DIR");
        }
        let app = App::open(config, system_clock(), system_random()).await?;
        plugins::reconcile(&app.plugins).await?;
        plugins::read_folder(&app.plugins).await?;
        let token = app.operator_token.clone();
        Ok(Self::Here { router: server::router(Arc::clone(&app)), token })
    }

    /// A client of the host at this address.
    pub fn wire(base: &str, token: &str) -> anyhow::Result<Self> {
        // Another part of the process may have chosen a provider already: either is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self::Wire { base: base.to_owned(), token: token.to_owned(), http })
    }

    /// The same host, with a partner key for the standard API.
    pub fn as_partner(&self, key: &str) -> Self {
        match self {
            Self::Wire { base, http, .. } => {
                Self::Wire { base: base.clone(), token: key.to_owned(), http: http.clone() }
            }
            Self::Here { router, .. } => Self::Here { router: router.clone(), token: key.to_owned() },
        }
    }

    /// Sends GET.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let text = self.send(Method::GET, path, None).await?;
        serde_json::from_str(&text).context("cannot parse the host's response")
    }

    /// Sends POST.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let text = self.send(Method::POST, path, Some(("application/json", serde_json::to_vec(body)?))).await?;
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).context("cannot parse the host's response")
    }

    /// Sends PATCH.
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let text = self.send(Method::PATCH, path, Some(("application/json", serde_json::to_vec(body)?))).await?;
        serde_json::from_str(&text).context("cannot parse the host's response")
    }

    /// Sends DELETE.
    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Posts bytes.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &'static str,
        bytes: Vec<u8>,
    ) -> anyhow::Result<T> {
        let text = self.send(Method::POST, path, Some((kind, bytes))).await?;
        serde_json::from_str(&text).context("cannot parse the host's response")
    }

    async fn send(&self, method: Method, path: &str, body: Option<(&'static str, Vec<u8>)>) -> anyhow::Result<String> {
        let (status, text) = match self {
            Self::Wire { base, token, http } => {
                let mut request = http.request(method, format!("{base}{path}")).bearer_auth(token);
                if let Some((kind, body)) = body {
                    request = request.header(header::CONTENT_TYPE, kind).body(body);
                }
                let answer = request.send().await.context("the host does not respond")?;
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
        let Ok(Document { title, detail, errors, .. }) = serde_json::from_str(&text) else { bail!("{status}") };
        let fields: String =
            errors.iter().map(|FieldError { path, problem }| format!("\n  {path}: {problem}")).collect();
        bail!("{}{fields}", detail.unwrap_or(title))
    }
}
