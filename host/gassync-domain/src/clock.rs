use std::sync::Arc;

use jiff::Timestamp;

/// Source of the current time, passed in so that tests, dry runs and the simulator can set it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
