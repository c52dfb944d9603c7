use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};

use super::sources::account_of;
use crate::{
    api::{ApiError, Operator, Problem},
    app::App,
    inbound::verify::hash,
    store::{keys, sources},
    vault,
};

/// Characters of a key that are kept in the clear, so that people can tell keys apart.
const PREFIX_CHARS: usize = 12;

/// A key to be made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The account; made when there is none of this name.
    pub account: String,
    /// What people call the key; without `source` also the name of the partner source it writes as.
    pub name: String,
    /// The source it writes as.
    pub source: Option<String>,
}

/// A key that was made. It is shown this once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyMade {
    /// For `Authorization: Bearer …`.
    pub key: String,
    /// The source it writes as.
    pub source: String,
    /// Whether that source creates core entities or only links them.
    pub creates: bool,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/admin/v1/keys", post(create))
}

async fn create(
    State(app): State<Arc<App>>,
    _: Operator,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Json<KeyMade>), ApiError> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    let account = account_of(&mut tx, &new.account, now).await?;
    let name = new.source.as_deref().unwrap_or(&new.name);
    let known = sources::named(&mut tx, name).await?.into_iter().find(|source| source.account == account);
    let (source, creates) = match (known, &new.source) {
        (Some(source), _) => (source.id, source.creates),
        (None, Some(name)) => return Err(Problem::Malformed(format!("there is no source named {name}")).into()),
        (None, None) => {
            let creates = !sources::has_creating(&mut tx, account).await?;
            let config = serde_json::json!({});
            let source =
                sources::NewSource { connection: None, source_type: "partner", name, config: &config, creates };
            (sources::create(&mut tx, account, &source, now).await?, creates)
        }
    };
    let key = vault::token(&app.random, "gsk_");
    keys::create(&mut tx, account, source, &new.name, (&key[..PREFIX_CHARS], &hash(&key)), now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(KeyMade { key, source: name.to_owned(), creates })))
}
