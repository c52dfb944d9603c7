//! Message bodies are stored encrypted with a key of their account.

use gassync_domain::{AccountId, ConnectionId, HttpRequest};

use crate::{
    store::{
        Lease, Result, Tx,
        inbox::{self, InboxMessage, MessageKind},
    },
    vault::{DecryptError, Vault},
};

/// Stores a message with its body encrypted; see [`inbox::keep`].
pub async fn keep(
    vault: &Vault,
    tx: &mut Tx,
    (account, connection): (AccountId, ConnectionId),
    kind: MessageKind,
    request: &HttpRequest,
    lease: Lease,
) -> Result<i64> {
    let mut kept = request.clone();
    let mut key_id = None;
    if let Some(body) = kept.body.as_mut().filter(|body| !body.is_empty()) {
        let sealed = vault.encrypt_for(account, &place(connection), body);
        *body = sealed.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        key_id = Some(vault.key_id());
    }
    inbox::keep(tx, account, connection, kind, (&kept, key_id), lease).await
}

/// Decrypts a message.
pub fn decrypt(vault: &Vault, message: &InboxMessage) -> std::result::Result<HttpRequest, DecryptError> {
    let mut request = message.request.clone();
    if let (Some(body), Some(_)) = (&mut request.body, &message.key_id) {
        *body = vault.decrypt_for(message.account, &place(message.connection), body)?;
    }
    Ok(request)
}

fn place(connection: ConnectionId) -> String {
    format!("inbox/{connection}")
}
