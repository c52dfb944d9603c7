//! What a plugin remembers for a source, from one call to the next: read before a call, written in the transaction that
//! keeps what came of it.

use gassync_domain::Timestamp;
use gassync_runtime::{Memory, MemoryChanges};

use crate::{
    app::App,
    plugins::Plugin,
    store::{self, Tx, plugin_state, sources::Source},
    vault::{DecryptError, Vault},
};

/// Why a memory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PluginStateError {
    /// The database.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
    /// It was sealed with another key.
    #[error("the source's memory: {0}")]
    Sealed(#[from] DecryptError),
}

/// What a source remembers; nothing is read for plugins that never ask.
pub async fn load(app: &App, plugin: &Plugin, source: &Source) -> Result<Memory, PluginStateError> {
    if !plugin.keeps_state() {
        return Ok(Memory::new());
    }
    let mut tx = app.db.read(source.account).await?;
    let mut memory = Memory::new();
    for (key, sealed) in plugin_state::all(&mut tx, source.account, source.id).await? {
        let value = app.vault.decrypt_for(source.account, &place(source, &key), &sealed)?;
        memory.insert(key, value);
    }
    Ok(memory)
}

/// Keeps what a call has changed.
pub async fn save(
    vault: &Vault,
    tx: &mut Tx,
    source: &Source,
    changes: MemoryChanges,
    now: Timestamp,
) -> store::Result<()> {
    for (key, value) in changes {
        match value {
            Some(value) => {
                let sealed = vault.encrypt_for(source.account, &place(source, &key), &value);
                let sealed = sealed.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
                plugin_state::set(tx, source.account, source.id, (&key, &sealed), now).await?;
            }
            None => plugin_state::forget(tx, source.account, source.id, &key).await?,
        }
    }
    Ok(())
}

fn place(source: &Source, key: &str) -> String {
    format!("memory/{}/{key}", source.id)
}
