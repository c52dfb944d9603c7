//! Logging to stderr: fixed messages with ids as fields, never secrets or guest data. What happens inside a request, job,
//! plugin call or delivery carries that one's [`span`](mod@span).

pub mod span;

use std::io::{self, Write};

use crate::config::Log;

/// Drops lines that cannot be written: a closed pipe or a full disk must stop only the log. The logging library would panic if
/// it could not report the error on the same stream.
struct Lossy<W>(W);

impl<W: Write> Write for Lossy<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.0.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        drop(self.0.flush());
        Ok(())
    }
}

/// Starts logging; a second call in one process changes nothing.
pub fn start(log: &Log) {
    let filter = tracing_subscriber::EnvFilter::new(&log.filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Lossy(io::stderr()));
    let started = if log.format == "json" { builder.json().try_init() } else { builder.try_init() };
    drop(started);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn unwritable_log_lines_are_dropped_silently() {
        let mut log = Lossy(Full);
        log.write_all(b"a line").expect("no error");
        log.flush().expect("no error");
    }
}
