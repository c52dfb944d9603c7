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
const APART: SignedDuration = SignedDuration::from_secs(10);
/// Sources remembered at once.
const REMEMBERED: usize = 10_000;

/// Which sources called just now, and whether well: those need not be noted again.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<HashMap<(AccountId, SourceId, bool), Timestamp>>);

impl Traffic {
    /// Whether this is to be noted; once in ten seconds.
    fn is_news(&self, (account, source): (AccountId, SourceId), well: bool, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account, source, well);
        if seen.get(&key).is_some_and(|last| now.duration_since(*last) < APART) {
            return false;
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(key, now);
        true
    }
}

/// Notes that a source called, and was answered so.
pub(super) fn note(app: &Arc<App>, traffic: &Traffic, whom: (AccountId, SourceId), status: StatusCode, now: Timestamp) {
    let well = !(status.is_client_error() || status.is_server_error());
    if !traffic.is_news(whom, well, now) {
        return;
    }
    let (app, (account, source)) = (Arc::clone(app), whom);
    tokio::spawn(async move {
        let noted = async {
            let mut tx = app.db.write(account).await?;
            source_switches::record_channel_call(&mut tx, account, source, well, now).await?;
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
    fn what_is_known_is_not_noted_again() {
        let traffic = Traffic::default();
        let whom = (AccountId(1), SourceId(2));
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert!(traffic.is_news(whom, false, at(0)));
        assert!(traffic.is_news(whom, true, at(1)), "that it went well is news");
        assert!(!traffic.is_news(whom, true, at(10)));
        assert!(traffic.is_news(whom, true, at(11)));
        assert!(traffic.is_news((AccountId(1), SourceId(3)), true, at(11)));
    }
}
