//! Finds what an operator names.

use gassync_domain::{AccountId, SourceId, Timestamp};

use crate::{
    app::App,
    http::{ApiError, Problem},
    plugins::NotLoaded,
    store::{
        self, Tx, accounts,
        sources::{self, Source},
    },
};

/// Default time zone of an account.
const DEFAULT_TIME_ZONE: &str = "UTC";

impl From<NotLoaded> for ApiError {
    fn from(error: NotLoaded) -> Self {
        Problem::Malformed(error.to_string()).into()
    }
}

/// Finds a source by name, or by id if several accounts use the name.
pub(super) async fn find_source(app: &App, name: &str) -> Result<Source, ApiError> {
    let mut tx = app.db.platform_read().await?;
    if let Ok(id) = name.parse::<i64>()
        && let Some(source) = sources::by_id(&mut tx, SourceId(id)).await?
    {
        return Ok(source);
    }
    let mut named = sources::named(&mut tx, name).await?;
    match (named.pop(), named.len()) {
        (Some(source), 0) => Ok(source),
        (None, _) => Err(Problem::NotFound.into()),
        (Some(_), _) => {
            Err(Problem::Conflict(format!("several accounts have a source named {name}: use its number")).into())
        }
    }
}

/// Finds or creates an account.
pub(super) async fn account_of(tx: &mut Tx, name: &str, now: Timestamp) -> store::Result<AccountId> {
    match accounts::find(tx, name).await? {
        Some(account) => Ok(account),
        None => accounts::create(tx, name, DEFAULT_TIME_ZONE, now).await,
    }
}

/// Checks that an operator may fetch from or push to a channel now.
pub(super) fn ensure_may_sync(source: &Source, asks: bool) -> Result<(), Problem> {
    let name = &source.name;
    if source.status.is_stopped() {
        return Err(Problem::Conflict(format!("{name} is {}: resume it first", source.status)));
    }
    if !source.sync_enabled {
        return Err(Problem::Conflict(format!("{name} is switched off: run `source switch {name} --on` first")));
    }
    let goes = if asks { source.direction.is_inward() } else { source.direction.is_outward() };
    if goes { Ok(()) } else { Err(Problem::Conflict(format!("{name} is {}", source.direction))) }
}
