//! Waits that follow the host's clock, for pauses that a channel asks for and for periods of hours; tests with a clock of their own
//! bring waits along that end when that clock has advanced.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

/// Waits until the clock has advanced by a duration.
pub type Sleep = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// Waits in real time.
pub fn system_sleep() -> Sleep {
    Arc::new(|duration| Box::pin(tokio::time::sleep(duration)))
}
