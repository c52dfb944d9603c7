//! When the sources of partners last called: noted beside the request, which does not wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::StatusCode;
use gassync_domain::{AccountId, SourceId, Timestamp};
use jiff::SignedDuration;

use crate::{app::App, store::source_switches};

/// How far apart the calls of a source are noted.
const RECORD_INTERVAL: SignedDuration = SignedDuration::from_secs(10);
/// Sources remembered at once.
const CACHE_CAPACITY: usize = 10_000;

/// Which sources called just now, and whether well: those need not be noted again.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<HashMap<(AccountId, SourceId, bool), Timestamp>>);

impl Traffic {
    /// Whether this is to be noted; once in ten seconds.
    fn should_record(&self, (account, source): (AccountId, SourceId), succeeded: bool, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account, source, succeeded);
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

/// Notes that a source called, and was answered so.
pub(super) fn record(
    app: &Arc<App>,
    traffic: &Traffic,
    source: (AccountId, SourceId),
    status: StatusCode,
    now: Timestamp,
) {
    let succeeded = !(status.is_client_error() || status.is_server_error());
    if !traffic.should_record(source, succeeded, now) {
        return;
    }
    let (app, (account, source)) = (Arc::clone(app), source);
    tokio::spawn(async move {
        let noted = async {
            let mut tx = app.db.write(account).await?;
            source_switches::record_channel_call(&mut tx, account, source, succeeded, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%source, %error, "that a source called could not be noted");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_recorded_once_per_interval() {
        let traffic = Traffic::default();
        let source = (AccountId(1), SourceId(2));
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert!(traffic.should_record(source, false, at(0)));
        assert!(traffic.should_record(source, true, at(1)), "that it went well is news");
        assert!(!traffic.should_record(source, true, at(10)));
        assert!(traffic.should_record(source, true, at(11)));
        assert!(traffic.should_record((AccountId(1), SourceId(3)), true, at(11)));
    }
}
