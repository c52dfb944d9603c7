//! Logs, on the error stream: what happened in words, ids in fields, never a secret and never a guest.

use crate::config::Log;

/// Starts logging; a second call in one process changes nothing.
pub fn start(log: &Log) {
    let filter = tracing_subscriber::EnvFilter::new(&log.filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if log.format == "json" { builder.json().try_init() } else { builder.try_init() };
    drop(started);
}
