//! The program as a separate process that can be killed at any moment.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use crate::{database::Database, plugins, web};

static BUILT: OnceLock<()> = OnceLock::new();

/// The program as built by `tests/run`: for this package alone cargo would choose other features and rebuild
/// everything.
pub fn program() -> PathBuf {
    BUILT.get_or_init(|| plugins::cargo(&["build", "--locked", "--workspace", "--all-targets"]));
    plugins::target_dir().join("debug/gassync")
}

/// Runs the program until it exits.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program());
    command.current_dir(plugins::repository()).args(arguments).envs(environment.iter().copied());
    command.output().expect("the program runs")
}

/// `gassync serve`, which can be killed and restarted.
pub struct Served {
    url: String,
    dir: PathBuf,
    listen: SocketAddr,
    private: String,
    more: Vec<(String, String)>,
    child: Option<Child>,
}

impl Served {
    /// A host on a database, with the components of its plugin folder.
    pub fn new(database: &Database, listen: SocketAddr, private: String) -> Self {
        Self {
            url: database.url.clone(),
            dir: database.dir.path().to_owned(),
            listen,
            private,
            more: Vec::new(),
            child: None,
        }
    }

    /// A host on the database at this URL, with its own folder.
    pub fn on(url: String, dir: PathBuf, listen: SocketAddr) -> Self {
        Self { url, dir, listen, private: String::new(), more: Vec::new(), child: None }
    }

    /// Adds a setting, by its environment variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.more.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its plugin folder.
    pub fn plugins(&self) -> PathBuf {
        self.dir.join("plugins")
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Its base URL.
    pub fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Starts it and waits until it responds.
    pub async fn start(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.join("log")).expect("a log");
        self.start_with(log).await;
    }

    /// As [`Served::start`], with stderr redirected.
    pub async fn start_with(&mut self, stderr: impl Into<Stdio>) {
        self.spawn(stderr);
        for _ in 0..600 {
            if self.answers().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the host does not answer; its log: {}", log_of(&self.dir));
    }

    /// Starts it and waits until it exits by itself; returns the exit code (`None` for a signal) and its log.
    pub async fn run_to_its_end(&mut self, within: Duration) -> (Option<i32>, String) {
        let file = self.dir.join("log");
        self.spawn(std::fs::File::create(&file).expect("a log"));
        let mut child = self.child.take().expect("the program runs");
        let waiting = tokio::task::spawn_blocking(move || {
            let every = Duration::from_millis(50);
            for _ in 0..within.as_millis() / every.as_millis() {
                if let Some(status) = child.try_wait().expect("its status") {
                    return status;
                }
                std::thread::sleep(every);
            }
            child.kill().expect("killed");
            child.wait().expect("gone")
        });
        (waiting.await.expect("waited").code(), log_of(&self.dir))
    }

    fn spawn(&mut self, stderr: impl Into<Stdio>) {
        plugins::share_compiled(&self.data());
        let child = Command::new(program())
            .arg("serve")
            .current_dir(&self.dir)
            .env("GASSYNC_DATABASE_URL", &self.url)
            .env("GASSYNC_DATA_DIR", self.data())
            .env("GASSYNC_PLUGINS_DIR", self.plugins())
            .env("GASSYNC_SERVER_LISTEN", self.listen.to_string())
            .env("GASSYNC_EGRESS_ALLOW_PRIVATE", &self.private)
            .env("GASSYNC_WORKERS_POLL_MILLIS", "50")
            .env("GASSYNC_LIMITS_KEY_REQUESTS", "1000000")
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        self.child = Some(child.expect("the program starts"));
    }

    async fn answers(&self) -> bool {
        let asked = web::client().get(format!("{}/readyz", self.base())).send();
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
    }

    /// Kills it, like a power cut.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log_of(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("log")).unwrap_or_default()
}
