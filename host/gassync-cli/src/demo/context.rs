//! Shared by the parts of the demo.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use gassync_simulator::Simulator;
use tokio::task::JoinHandle;

/// Interval between checks of deliveries.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// Maximum time for the last messages at the end; with faults, a circuit breaker may have paused a channel for a
/// minute.
pub(super) const SETTLE: Duration = Duration::from_secs(120);

/// A running simulated account.
pub(super) struct Simulated {
    pub(super) account: Arc<dyn Simulator>,
    pub(super) address: SocketAddr,
    pub(super) serving: JoinHandle<std::io::Result<()>>,
}
