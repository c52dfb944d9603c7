//! Recounts the ledger from bookings, links and maintenance and returns the differences.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::paths;
use crate::{
    app::App,
    http::{ApiError, Operator, Params, Problem},
    store::{accounts, ledger},
};

/// Maximum differences shown per account.
const MAX_SHOWN: usize = 1_000;

/// A night whose ledger entry does not match the bookings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerDifference {
    /// Account name.
    pub account: String,
    /// The unit's id in the core.
    pub unit_id: i64,
    /// The night.
    pub night: Date,
    /// Difference.
    pub what: String,
}

/// Account to check; default: all accounts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerQuery {
    account: Option<String>,
}

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route(paths::LEDGER_DIFFERENCES, get(differences))
}

async fn differences(
    State(app): State<Arc<App>>,
    _: Operator,
    Params(LedgerQuery { account }): Params<LedgerQuery>,
) -> Result<Json<Vec<LedgerDifference>>, ApiError> {
    let mut tx = app.db.platform_read().await?;
    let mut accounts = accounts::all(&mut tx).await?;
    drop(tx);
    if let Some(wanted) = account {
        accounts.retain(|(_, name)| *name == wanted);
        if accounts.is_empty() {
            return Err(Problem::NotFound.into());
        }
    }
    let mut found = Vec::new();
    for (account, name) in accounts {
        let mut tx = app.db.read(account).await?;
        for difference in ledger::differences(&mut tx, account, app.now()).await?.into_iter().take(MAX_SHOWN) {
            found.push(LedgerDifference {
                account: name.clone(),
                unit_id: difference.unit_id,
                night: difference.night.0,
                what: difference.what,
            });
        }
    }
    Ok(Json(found))
}
