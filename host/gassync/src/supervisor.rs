//! Supervises named background tasks: none ends unnoticed.

use std::{collections::HashMap, future::Future, pin::Pin, time::Duration};

use anyhow::anyhow;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::panics;

/// How long the other tasks may take to end after a failure; the process exits within five seconds.
pub const GRACE_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Debug builds only: names a task that panics at start, for tests of the process. Not a setting; ignored by release builds.
#[cfg(debug_assertions)]
pub const PANIC_VARIABLE: &str = "DEBUG_GASSYNC_PANIC_IN";

/// The background tasks of a host. Dropping it aborts those that are left.
#[derive(Debug)]
pub struct Supervisor {
    tasks: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

impl Supervisor {
    /// Creates a supervisor; `stop` asks its tasks to end.
    pub fn new(stop: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), names: HashMap::new(), stop }
    }

    /// Starts a task that runs until shutdown.
    pub fn spawn(&mut self, name: &'static str, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let caught = async move {
            #[cfg(debug_assertions)]
            let work = async move {
                assert!(std::env::var(PANIC_VARIABLE).as_deref() != Ok(name), "asked for by {PANIC_VARIABLE}");
                work.await
            };
            panics::caught(name, work).await.unwrap_or_else(|reason| Err(anyhow!(reason)))
        };
        let task = self.tasks.spawn(caught);
        self.names.insert(task.id(), name);
    }

    /// Runs until shutdown, then waits up to `patience` for all tasks. The first task that ends early (by panic, error or return)
    /// stops the others and is returned as the error.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>, patience: Duration) -> anyhow::Result<()> {
        let mut failure = None;
        let stop = self.stop.clone();
        let mut too_late: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin({
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                tokio::time::sleep(patience).await;
            }
        });
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                ended = self.tasks.join_next_with_id() => {
                    let Some(ended) = ended else { break };
                    let Some(error) = self.judge(ended) else { continue };
                    tracing::error!(error = %format!("{error:#}"), "background task failed; stopping the host");
                    // The first is the cause of what follows.
                    if failure.is_none() {
                        failure = Some(error);
                        too_late = Box::pin(tokio::time::sleep(patience.min(GRACE_AFTER_FAILURE)));
                        stop.cancel();
                    }
                }
                () = &mut shutdown, if !stop.is_cancelled() => stop.cancel(),
                () = &mut too_late => {
                    let names: Vec<&str> = self.names.values().copied().collect();
                    tracing::warn!(
                        tasks = names.join(", "),
                        "shutdown timed out; unfinished work will be resumed after a restart"
                    );
                    break;
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// The error of a task that ended; `None` for a normal end during shutdown.
    fn judge(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> Option<anyhow::Error> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(anyhow!("aborted"))),
        };
        let name = self.names.remove(&id).unwrap_or("unnamed");
        match result {
            Ok(()) if self.stop.is_cancelled() => None,
            Ok(()) => Some(anyhow!("the background task {name} ended unexpectedly")),
            Err(error) => Some(error.context(format!("the background task {name} failed"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    async fn fails(work: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> String {
        let stop = CancellationToken::new();
        let mut supervisor = Supervisor::new(stop.clone());
        supervisor.spawn("steady", {
            let stop = stop.clone();
            async move {
                assert_eq!(panics::current(), Some("steady"));
                stop.cancelled().await;
                Ok(())
            }
        });
        supervisor.spawn("deaf", std::future::pending());
        supervisor.spawn("odd", work);
        let within = Duration::from_secs(5);
        let ended = tokio::time::timeout(within, supervisor.run(std::future::pending(), PATIENCE)).await;
        assert!(stop.is_cancelled(), "the others are asked to end");
        format!("{:#}", ended.expect("in time").expect_err("a failure"))
    }

    #[tokio::test]
    async fn an_unexpected_task_end_stops_the_host() {
        let panicking = async {
            tokio::task::yield_now().await;
            panic!("of a guest's");
        };
        let error = fails(panicking).await;
        assert!(error.starts_with("the background task odd failed: panicked"), "{error}");
        assert!(!error.contains("guest"), "{error}");
        let error = fails(async { Err(anyhow!("no disk")) }).await;
        assert_eq!(error, "the background task odd failed: no disk");
        assert_eq!(fails(async { Ok(()) }).await, "the background task odd ended unexpectedly");
    }

    #[tokio::test]
    async fn a_task_may_end_during_shutdown() {
        let stop = CancellationToken::new();
        let mut supervisor = Supervisor::new(stop.clone());
        supervisor.spawn("steady", async move {
            stop.cancelled().await;
            Ok(())
        });
        supervisor.run(async {}, PATIENCE).await.expect("it ended well");
    }
}
