use std::sync::Arc;

use jiff::Timestamp;

/// Where "now" comes from: passed in, so that tests, trials and the simulator decide what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
