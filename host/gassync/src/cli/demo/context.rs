//! What the parts of the demo share.

use std::time::Duration;

use gassync_simulator::beds24::Beds24;
use tokio::task::JoinHandle;

/// How often the demo asks what travelled.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// How long the last messages may take at the end; with faults a channel may have been left alone for a minute.
pub(super) const SETTLE: Duration = Duration::from_secs(120);

/// A simulated account that answers.
pub(super) struct Simulated {
    pub(super) beds24: Beds24,
    pub(super) address: String,
    pub(super) serving: JoinHandle<std::io::Result<()>>,
}
