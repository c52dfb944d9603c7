//! Settings: commented defaults, overridden by a file, overridden by the environment; validated before a port is bound.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;
use toml::{Table, Value};

/// The commented defaults.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
/// The file that is read if it exists.
const DEFAULT_FILE: &str = "gassync.toml";
/// Prefix of environment variables.
const PREFIX: &str = "GASSYNC_";
/// Environment variables with the prefix that are not settings.
const NOT_SETTINGS: [&str; 1] = ["GASSYNC_CONFIG"];

/// The settings of a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml says what each setting means")]
pub struct Config {
    pub server: Server,
    pub database: Database,
    pub data: Data,
    pub plugins: Plugins,
    pub egress: Egress,
    pub workers: Workers,
    pub webhooks: Webhooks,
    pub limits: Limits,
    pub retention: Retention,
    pub secrets: Secrets,
    pub log: Log,
}

macro_rules! sections {
    ($($name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {$(
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "config.default.toml says what each setting means")]
        pub struct $name { $(pub $field: $kind),* }
    )*};
}

sections! {
    Server { listen: SocketAddr, public_url: String, shutdown_seconds: u64 }
    Data { dir: PathBuf }
    Plugins { dir: PathBuf, concurrent_calls: u32 }
    Egress { allow_private: Vec<String> }
    Workers { poll_millis: u64, inbound: u32, jobs: u32, deliveries: u32, poll_seconds: u64 }
    Webhooks { allow_private: Vec<IpNet> }
    Limits { key_requests: u32, key_window_seconds: u32 }
    Retention {
        inbox_days: u32,
        sync_log_days: u32,
        sync_runs_days: u32,
        feed_days: u32,
        jobs_days: u32,
        calls_days: u32,
        taken_back_days: u32,
    }
    Secrets { key: Hidden, operator_token: Hidden }
    Log { filter: String, format: String }
}

/// The database.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml says what each setting means")]
pub struct Database {
    pub url: String,
    pub migrate: bool,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("url", &without_password(&self.url)).field("migrate", &self.migrate).finish()
    }
}

/// A database address without its password; hidden entirely if it cannot be parsed.
fn without_password(address: &str) -> String {
    const HIDDEN: &str = "(hidden)";
    if address.starts_with("sqlite:") {
        return address.to_owned();
    }
    let Ok(mut url) = url::Url::parse(address) else { return HIDDEN.to_owned() };
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return HIDDEN.to_owned();
    }
    // PostgreSQL also accepts the password as a query parameter.
    if url.query_pairs().any(|(name, _)| name.contains("password")) {
        url.set_query(Some("hidden"));
    }
    url.into()
}

/// A setting that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(hidden)" })
    }
}

/// An invalid setting.
#[derive(Debug, thiserror::Error)]
#[error("setting {name}: {problem}")]
pub struct ConfigError {
    /// Name as in the file, such as `server.listen`.
    pub name: String,
    /// The problem.
    pub problem: String,
}

impl ConfigError {
    fn new(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}

impl Config {
    /// Reads defaults, file and environment, and validates the result.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut tree: Table =
            DEFAULTS.parse().map_err(|e: toml::de::Error| ConfigError::new("(defaults)", e.message()))?;
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let over: Table = text
                    .parse()
                    .map_err(|e: toml::de::Error| ConfigError::new(path.display().to_string(), e.message()))?;
                lay_over(&mut tree, over)?;
            }
            Err(error) if file.is_some() => {
                return Err(ConfigError::new("--config", format!("cannot read {}: {error}", path.display())));
            }
            Err(_) => {}
        }
        for (name, text) in environment {
            if name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()) {
                from_environment(&mut tree, &name, &text)?;
            }
        }
        let config: Self = serde_path_to_error::deserialize(Value::Table(tree))
            .map_err(|e| ConfigError::new(e.path().to_string(), e.inner().message().to_owned()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fail = |name: &str, problem: &str| Err(ConfigError::new(name, problem));
        let url = &self.database.url;
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|kind| url.starts_with(kind)) {
            return fail("database.url", "must be sqlite:PATH or postgres://…");
        }
        if !(1..=256).contains(&self.workers.inbound) {
            return fail("workers.inbound", "must be between 1 and 256");
        }
        if !(1..=1_000).contains(&self.workers.jobs) {
            return fail("workers.jobs", "must be between 1 and 1000");
        }
        if !(1..=1_000).contains(&self.workers.deliveries) {
            return fail("workers.deliveries", "must be between 1 and 1000");
        }
        if !(10..=60_000).contains(&self.workers.poll_millis) {
            return fail("workers.poll_millis", "must be between 10 and 60000 milliseconds");
        }
        if !(1..=1_000).contains(&self.plugins.concurrent_calls) {
            return fail("plugins.concurrent_calls", "must be between 1 and 1000");
        }
        if self.limits.key_requests == 0 {
            return fail("limits.key_requests", "must be at least 1");
        }
        if !(1..=86_400).contains(&self.limits.key_window_seconds) {
            return fail("limits.key_window_seconds", "must be between 1 and 86400 seconds");
        }
        let Retention { inbox_days, sync_log_days, sync_runs_days, feed_days, jobs_days, calls_days, taken_back_days } =
            self.retention;
        for (name, days) in [
            ("inbox_days", inbox_days),
            ("sync_log_days", sync_log_days),
            ("sync_runs_days", sync_runs_days),
            ("feed_days", feed_days),
            ("jobs_days", jobs_days),
            ("calls_days", calls_days),
            ("taken_back_days", taken_back_days),
        ] {
            if !(1..=3_650).contains(&days) {
                return fail(&format!("retention.{name}"), "must be between 1 and 3650 days");
            }
        }
        if !["text", "json"].contains(&self.log.format.as_str()) {
            return fail("log.format", "must be \"text\" or \"json\"");
        }
        if self.log.filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
            return fail("log.filter", "is not a filter such as \"info\" or \"gassync=debug,info\"");
        }
        let key = &self.secrets.key.0;
        if !key.is_empty() && hex::decode(key).is_ok_and(|bytes| bytes.len() == 32).eq(&false) {
            return fail("secrets.key", "must be 32 bytes in hex (64 characters)");
        }
        let public = &self.server.public_url;
        if !public.is_empty() && url::Url::parse(public).is_err() {
            return fail("server.public_url", "must be an address such as https://sync.example.org");
        }
        for pair in &self.egress.allow_private {
            private_pair(pair).ok_or_else(|| {
                ConfigError::new("egress.allow_private", format!("{pair:?} is not HOST:PORT, such as 127.0.0.1:8481"))
            })?;
        }
        Ok(())
    }

    /// The private addresses that granted plugins may reach.
    pub fn private_addresses(&self) -> Vec<(String, u16)> {
        self.egress.allow_private.iter().filter_map(|pair| private_pair(pair)).collect()
    }

    /// How long running work may take to end after a stop signal.
    pub fn shutdown(&self) -> Duration {
        Duration::from_secs(self.server.shutdown_seconds)
    }
}

fn private_pair(pair: &str) -> Option<(String, u16)> {
    let (host, port) = pair.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

fn lay_over(tree: &mut Table, over: Table) -> Result<(), ConfigError> {
    for (section, value) in over {
        let Some(Value::Table(known)) = tree.get_mut(&section) else {
            return Err(ConfigError::new(section, "there is no such section"));
        };
        let Value::Table(fields) = value else {
            return Err(ConfigError::new(section, "is a section, not a value"));
        };
        for (field, value) in fields {
            if !known.contains_key(&field) {
                return Err(ConfigError::new(format!("{section}.{field}"), "there is no such setting"));
            }
            known.insert(field, value);
        }
    }
    Ok(())
}

/// Parses an environment variable as the type of its default.
fn from_environment(tree: &mut Table, name: &str, text: &str) -> Result<(), ConfigError> {
    let lower = name[PREFIX.len()..].to_lowercase();
    let unknown = || ConfigError::new(name, "there is no such setting");
    let (section, field) = lower.split_once('_').ok_or_else(unknown)?;
    let slot =
        tree.get_mut(section).and_then(Value::as_table_mut).and_then(|t| t.get_mut(field)).ok_or_else(unknown)?;
    let problem = |what: &str| ConfigError::new(format!("{section}.{field} ({name})"), what);
    *slot = match slot {
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| problem("must be true or false"))?),
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| problem("must be a whole number"))?),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let file = Path::new("/dev/null");
        Config::load(Some(file), pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_environment_overrides_the_defaults() {
        let config = load(&[
            ("GASSYNC_SERVER_LISTEN", "127.0.0.1:9"),
            ("GASSYNC_EGRESS_ALLOW_PRIVATE", "127.0.0.1:81, localhost:82"),
            ("PATH", "/bin"),
        ])
        .expect("settings");
        assert_eq!(config.server.listen.port(), 9);
        assert_eq!(config.private_addresses(), [("127.0.0.1".to_owned(), 81), ("localhost".to_owned(), 82)]);
    }

    #[test]
    fn a_bad_setting_is_named() {
        for (pair, name) in [
            (("GASSYNC_SERVER_LISTEN", "nowhere"), "server.listen"),
            (("GASSYNC_SERVER_PORT", "1"), "GASSYNC_SERVER_PORT"),
            (("GASSYNC_DATABASE_URL", "mysql://x"), "database.url"),
            (("GASSYNC_WORKERS_INBOUND", "many"), "workers.inbound (GASSYNC_WORKERS_INBOUND)"),
            (("GASSYNC_SECRETS_KEY", "abc"), "secrets.key"),
        ] {
            assert_eq!(load(&[pair]).expect_err("an error").name, name);
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let key = "ab".repeat(32);
        let shown = format!("{:?}", load(&[("GASSYNC_SECRETS_KEY", &key)]).expect("settings"));
        assert!(!shown.contains(&key));
        for url in ["postgres://gas:s3cret@db.example/gas", "postgres://db.example/gas?user=gas&password=s3cret"] {
            let shown = format!("{:?}", load(&[("GASSYNC_DATABASE_URL", url)]).expect("settings"));
            assert!(!shown.contains("s3cret") && shown.contains("db.example"), "{shown}");
        }
        assert_eq!(without_password("postgres://gas:s3cret@["), "(hidden)");
        assert_eq!(without_password("sqlite:data/gassync.db"), "sqlite:data/gassync.db");
    }
}
