//! Recently used keys and their holders.

use std::{collections::HashMap, sync::Arc};

use gassync_domain::Timestamp;
use jiff::SignedDuration;
use parking_lot::Mutex;

use crate::store::keys::KeyHolder;

/// How long a key is cached; other processes see its changes after this time.
const CACHE_TTL: SignedDuration = SignedDuration::from_secs(1);
/// Maximum cached keys.
const CACHE_CAPACITY: usize = 10_000;

/// Cache of recently used API keys.
#[derive(Debug, Default)]
pub(super) struct KeyCache(Mutex<HashMap<String, Cached>>);

#[derive(Debug)]
struct Cached {
    at: Timestamp,
    /// Number of key changes when it was read.
    changes: u64,
    holder: Arc<KeyHolder>,
}

impl KeyCache {
    /// The cached holder of a key, unless it has expired or keys have changed.
    pub(super) fn get(&self, hash: &str, changes: u64, now: Timestamp) -> Option<Arc<KeyHolder>> {
        let known = self.0.lock();
        let cached = known.get(hash)?;
        let counts = cached.changes == changes && now.duration_since(cached.at) < CACHE_TTL;
        counts.then(|| Arc::clone(&cached.holder))
    }

    /// Caches the holder of a key.
    pub(super) fn put(&self, hash: String, (changes, at): (u64, Timestamp), holder: Arc<KeyHolder>) {
        let mut known = self.0.lock();
        if known.len() >= CACHE_CAPACITY {
            known.clear();
        }
        known.insert(hash, Cached { at, changes, holder });
    }
}
