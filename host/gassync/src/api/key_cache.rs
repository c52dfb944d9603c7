//! Whose keys were seen just now.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use gassync_domain::Timestamp;
use jiff::SignedDuration;

use crate::store::keys::KeyHolder;

/// How long it is believed whose key it is, in a process that does not hear of a change made in another.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(1);
/// Keys remembered at once.
const CACHE_CAPACITY: usize = 10_000;

/// Whose keys were seen just now.
#[derive(Debug, Default)]
pub(super) struct KeyCache(Mutex<HashMap<String, Cached>>);

#[derive(Debug)]
struct Cached {
    at: Timestamp,
    /// How often keys had changed when it was read.
    changes: u64,
    holder: Arc<KeyHolder>,
}

impl KeyCache {
    /// Whose key it is, where that was read a moment ago and nothing has changed since.
    pub(super) fn get(&self, hash: &str, changes: u64, now: Timestamp) -> Option<Arc<KeyHolder>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cached = known.get(hash)?;
        let counts = cached.changes == changes && now.duration_since(cached.at) < CACHE_TTL;
        counts.then(|| Arc::clone(&cached.holder))
    }

    /// Remembers whose key it is.
    pub(super) fn put(&self, hash: String, (changes, at): (u64, Timestamp), holder: Arc<KeyHolder>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHE_CAPACITY {
            known.clear();
        }
        known.insert(hash, Cached { at, changes, holder });
    }
}
