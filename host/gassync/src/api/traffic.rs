//! Records when partner sources last called, in the background.

use std::{collections::HashMap, sync::Arc};

use axum::http::StatusCode;
use gassync_domain::{SourceKey, Timestamp};
use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::{app::App, store::source_switches};

/// Interval at which calls of a source are recorded.
const RECORD_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Maximum sources in memory.
const CACHE_CAPACITY: usize = 10_000;

/// Sources whose calls were recorded recently, by success.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<HashMap<(SourceKey, bool), Timestamp>>);

impl Traffic {
    /// True if this call is to be recorded.
    fn should_record(&self, source: SourceKey, succeeded: bool, now: Timestamp) -> bool {
        let mut seen = self.0.lock();
        let key = (source, succeeded);
        if seen.get(&key).is_some_and(|last| now.duration_since(*last) < RECORD_INTERVAL) {
            return false;
        }
        if seen.len() >= CACHE_CAPACITY {
            seen.clear();
        }
        seen.insert(key, now);
        true
    }
}

/// Records a call of a source and its status.
pub(super) fn record(app: &Arc<App>, traffic: &Traffic, source: SourceKey, status: StatusCode, now: Timestamp) {
    let succeeded = !(status.is_client_error() || status.is_server_error());
    if !traffic.should_record(source, succeeded, now) {
        return;
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let noted = async {
            let mut tx = app.db.write(source.account).await?;
            source_switches::record_channel_call(&mut tx, source, succeeded, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%source, %error, "call of source not recorded");
        }
    });
}

#[cfg(test)]
mod tests {
    use gassync_domain::{AccountId, SourceId};

    use super::*;

    #[test]
    fn calls_are_recorded_once_per_interval() {
        let traffic = Traffic::default();
        let source = SourceKey { account: AccountId(1), source: SourceId(2) };
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert!(traffic.should_record(source, false, at(0)));
        assert!(traffic.should_record(source, true, at(1)), "that it went well is news");
        assert!(!traffic.should_record(source, true, at(10)));
        assert!(traffic.should_record(source, true, at(11)));
        assert!(traffic.should_record(SourceKey { account: AccountId(1), source: SourceId(3) }, true, at(11)));
    }
}
