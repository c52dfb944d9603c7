//! State that a plugin keeps for a source between calls: read before a call, and written in the transaction that stores
//! the call's results.

use gassync_domain::Timestamp;
use gassync_runtime::{Memory, MemoryChanges};

use crate::{
    app::App,
    plugins::Plugin,
    store::{self, Tx, plugin_state, sources::Source},
    vault::{DecryptError, Vault},
};

/// Why plugin state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PluginStateError {
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
    /// The state was encrypted with another key.
    #[error("the plugin's state: {0}")]
    Sealed(#[from] DecryptError),
}

/// Loads the plugin state of a source; reads nothing for plugins that do not use state.
pub async fn load(app: &App, plugin: &Plugin, source: &Source) -> Result<Memory, PluginStateError> {
    if !plugin.keeps_state() {
        return Ok(Memory::new());
    }
    let mut tx = app.db.read(source.account).await?;
    let mut memory = Memory::new();
    for (key, sealed) in plugin_state::all(&mut tx, source.key()).await? {
        let value = app.vault.decrypt_for(source.account, &place(source, &key), &sealed)?;
        memory.insert(key, value);
    }
    Ok(memory)
}

/// Stores the changes that a call made.
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
                plugin_state::set(tx, source.key(), (&key, &sealed), now).await?;
            }
            None => plugin_state::forget(tx, source.key(), &key).await?,
        }
    }
    Ok(())
}

fn place(source: &Source, key: &str) -> String {
    format!("memory/{}/{key}", source.id)
}
