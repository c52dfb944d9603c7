//! The alarm for channels that are down, by the open circuit breakers of this process.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use jiff::SignedDuration;

use crate::{
    app::App,
    store::{self, Tx, alarms::Found, sources},
};

/// How long a channel may be down before an alarm is raised.
const MAY_BE_DOWN: SignedDuration = SignedDuration::from_mins(5);

/// One alarm per source whose channel has been down for a while. Breakers of other processes are not visible here.
pub(super) async fn found(app: &App, tx: &mut Tx, now: Timestamp) -> store::Result<Vec<Found>> {
    let mut found = Vec::new();
    for (connection, since) in app.breakers.open_breakers().await {
        let Some((account, id)) = numbers(&connection).filter(|_| now.duration_since(since) > MAY_BE_DOWN) else {
            continue;
        };
        for source in sources::of_connection(tx, account, id).await? {
            found.push(Found {
                count: 1,
                detail: Some(format!("{} is unreachable, times out or returns server errors", source.source_type)),
                since: Some(since.into()),
                source_name: Some(source.name),
                ..Found::default()
            });
        }
    }
    Ok(found)
}

/// Parses the account and connection from a breaker's name.
fn numbers(name: &str) -> Option<(AccountId, ConnectionId)> {
    let (account, connection) = name.split_once('/')?;
    Some((AccountId(account.parse().ok()?), ConnectionId(connection.parse().ok()?)))
}
