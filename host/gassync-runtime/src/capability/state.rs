use std::collections::BTreeMap;

/// The plugin state of a source, by key.
pub type Memory = BTreeMap<String, Vec<u8>>;
/// Changes made by a call: the new value, or `None` for a deleted key.
pub type MemoryChanges = BTreeMap<String, Option<Vec<u8>>>;

/// Maximum plugin state of a source, in bytes: the sum of keys and values.
pub const MAX_MEMORY_BYTES: usize = 1024 * 1024;

/// Plugin state as seen by a call: the stored values overlaid with the call's changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    memory: Memory,
    changes: MemoryChanges,
    used_bytes: usize,
}

/// The plugin state exceeds its maximum size.
#[derive(Debug)]
pub(crate) struct Full;

impl State {
    pub fn new(memory: Memory) -> Self {
        let used_bytes = memory.iter().map(|(key, value)| key.len() + value.len()).sum();
        Self { memory, changes: MemoryChanges::new(), used_bytes }
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.memory.get(key).cloned()
    }

    pub fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Full> {
        let former = self.memory.get(&key).map_or(0, |value| key.len() + value.len());
        let used = self.used_bytes - former + key.len() + value.len();
        if used > MAX_MEMORY_BYTES {
            return Err(Full);
        }
        self.used_bytes = used;
        self.changes.insert(key.clone(), Some(value.clone()));
        self.memory.insert(key, value);
        Ok(())
    }

    pub fn delete(&mut self, key: String) {
        if let Some(value) = self.memory.remove(&key) {
            self.used_bytes -= key.len() + value.len();
            self.changes.insert(key, None);
        }
    }

    pub fn list(&self, prefix: &str) -> Vec<String> {
        let from = self.memory.range(prefix.to_owned()..);
        from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub fn into_changes(self) -> MemoryChanges {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_limited_and_reports_changes() {
        let mut state = State::new(Memory::from([("a".to_owned(), vec![1]), ("b1".to_owned(), vec![2])]));
        state.set("b2".to_owned(), vec![3]).expect("room");
        state.delete("a".to_owned());
        state.delete("nothing".to_owned());
        assert_eq!((state.get("a"), state.list("b")), (None, vec!["b1".to_owned(), "b2".to_owned()]));
        let most = vec![0; MAX_MEMORY_BYTES - "b1b2c".len() - 2];
        assert!(state.set("c".to_owned(), most.clone()).is_ok());
        assert!(state.set("c".to_owned(), most).is_ok(), "a value takes the place of the former one");
        assert!(state.set("d".to_owned(), Vec::new()).is_err());
        let changed: Vec<(String, bool)> = state.into_changes().into_iter().map(|(k, v)| (k, v.is_some())).collect();
        assert_eq!(changed, [("a".to_owned(), false), ("b2".to_owned(), true), ("c".to_owned(), true)]);
    }
}
