//! Cache of compiled components. Entries are native code, so each is loaded only if its keyed MAC is valid.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::{Engine, component::Component};

/// Length of the MAC, which precedes the code.
const MARK_BYTES: usize = 32;

/// Number of files written by this process, for unique names.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A folder of compiled components. Hosts may share it: files are renamed once complete.
#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
}

impl Cache {
    /// Creates the folder with mode 0700.
    pub fn open(dir: &Path, key: [u8; 32]) -> std::io::Result<Self> {
        if !dir.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        Ok(Self { dir: dir.to_owned(), key })
    }

    /// Loads a compiled component with a valid MAC.
    pub fn load(&self, engine: &Engine, hash: &str) -> Option<Component> {
        let file = fs::read(self.path(engine, hash)).ok()?;
        let (mark, code) = file.split_first_chunk::<MARK_BYTES>()?;
        self.mac(engine, hash, code).verify_slice(mark).ok()?;
        #[expect(unsafe_code, reason = "the bytes bear this host's MAC: this host compiled them with this engine")]
        // SAFETY: `deserialize` requires unaltered output of `precompile_component`; the MAC verified above over these
        // same bytes in memory proves it.
        let component = unsafe { Component::deserialize(engine, code) };
        component.ok()
    }

    /// Stores a compiled component. Failures are logged only: the cache is optional.
    pub fn store(&self, engine: &Engine, hash: &str, code: &[u8]) {
        let mark = self.mac(engine, hash, code).finalize().into_bytes();
        let path = self.path(engine, hash);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let half = path.with_extension(format!("{}-{number}.half", std::process::id()));
        let written = fs::File::create(&half).and_then(|mut file| {
            file.write_all(&mark)?;
            file.write_all(code)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&half, &path)) {
            tracing::warn!(%error, "compiled plugin not cached");
        }
    }

    fn path(&self, engine: &Engine, hash: &str) -> PathBuf {
        self.dir.join(format!("{hash}-{:016x}.compiled", compatibility(engine)))
    }

    fn mac(&self, engine: &Engine, hash: &str, code: &[u8]) -> Hmac<Sha256> {
        // HMAC accepts keys of any length.
        #[expect(clippy::expect_used, reason = "see above")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length");
        mac.update(hash.as_bytes());
        mac.update(&compatibility(engine).to_le_bytes());
        mac.update(code);
        mac
    }
}

fn compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signed_cache_entries_are_loaded() {
        let dir = std::env::temp_dir().join(format!("gassync-cache-{}", std::process::id()));
        let engine = Engine::default();
        let code = engine.precompile_component(br#"(component)"#).or_else(|_| {
            // An empty component in binary form, for builds without the text format.
            engine.precompile_component(b"\0asm\x0d\0\x01\0")
        });
        let code = code.expect("compiled");
        let cache = Cache::open(&dir, [1; 32]).expect("a folder");
        cache.store(&engine, "abc", &code);
        assert!(cache.load(&engine, "abc").is_some());
        assert!(cache.load(&engine, "abd").is_none(), "another plugin");
        let stranger = Cache::open(&dir, [2; 32]).expect("a folder");
        assert!(stranger.load(&engine, "abc").is_none(), "another key");
        let path = cache.path(&engine, "abc");
        let mut bytes = fs::read(&path).expect("the file");
        *bytes.last_mut().expect("bytes") ^= 1;
        fs::write(&path, bytes).expect("forged");
        assert!(cache.load(&engine, "abc").is_none(), "one bit changed");
        fs::remove_dir_all(dir).expect("removed");
    }
}
