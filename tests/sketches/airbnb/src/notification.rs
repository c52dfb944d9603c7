//! Airbnb's notifications. The response never depends on the result, so it is always the same.

use gassync_plugin::{
    Change, ChangeKind, ChannelError, ConnectionEvent, Decoded, HttpRequest, Lenient, Route, change, malformed,
    read_json,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{answer, reservation};

/// Actions that change nothing stored here.
const OF_NO_CONCERN: [&str; 4] =
    ["test_notification", "payout_notification", "message_added", "listing_approval_status_changed"];

#[derive(Deserialize, Default)]
#[serde(default)]
struct Notification {
    action: String,
    host_id: Lenient,
    reservation: Option<Box<RawValue>>,
    listing_ids: Vec<Lenient>,
    mappings: Vec<Mapping>,
    updates: Vec<Update>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mapping {
    listing_id: Lenient,
    updated_listing_id: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Update {
    listing_id: Lenient,
    synchronization_category: Option<String>,
}

pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let said: Notification = read_json(request.bytes(), "")?;
    let mut event_id = None;
    let changes = match (said.action.as_str(), &said.reservation) {
        ("", _) => return Err(malformed("/action", "is missing")),
        (action, Some(raw)) if action.starts_with("reservation_") => {
            let reported = reservation::read(raw, "/reservation")?;
            // The same action on the same state is the same message.
            event_id = reported.modified_at.as_ref().map(|at| format!("{action}/{}/{at}", reported.id));
            let listing = reported.property_id.clone();
            if reservation::is_test(&reported) {
                Vec::new()
            } else {
                vec![change(listing.as_deref(), ChangeKind::Reservation(reported))]
            }
        }
        (action, None) if action.starts_with("reservation_") => return Err(malformed("/reservation", "is missing")),
        ("authorization_revoked", _) => vec![event(&said, ConnectionEvent::Revoked)],
        ("listings_unlinked", _) => vec![event(&said, ConnectionEvent::Unlinked(ids(&said.listing_ids)))],
        ("listings_mapped", _) => said.mappings.iter().filter_map(|pair| Some(event(&said, mapped(pair)?))).collect(),
        ("listing_synchronization_settings_updated", _) => synchronised(&said),
        (action, _) if OF_NO_CONCERN.contains(&action) => Vec::new(),
        (action, _) => {
            // Parsed and serialised again: data that is too deep or too large for the host is malformed, which is not
            // the plugin's fault.
            let whole: Value = read_json(request.bytes(), "")?;
            vec![change(None, ChangeKind::Other((action.to_owned(), whole.to_string())))]
        }
    };
    Ok(Decoded { event_id, changes, reply: Some(answer(request, true)) })
}

/// A notification may concern many listings, so it is routed by the host's account at Airbnb.
fn event(said: &Notification, event: ConnectionEvent) -> Change {
    let route = Route { property_id: None, account: said.host_id.text() };
    Change { route, ..change(None, ChangeKind::Connection(event)) }
}

fn mapped(pair: &Mapping) -> Option<ConnectionEvent> {
    let id = pair.listing_id.text()?;
    Some(match pair.updated_listing_id.text() {
        Some(updated) if updated != id => ConnectionEvent::Remapped((id, updated)),
        _ => ConnectionEvent::Linked(vec![id]),
    })
}

/// A listing without a synchronisation category was unlinked; an undecided one is neither linked nor unlinked.
fn synchronised(said: &Notification) -> Vec<Change> {
    let with = |is_meant: fn(Option<&str>) -> bool| -> Vec<String> {
        let meant = said.updates.iter().filter(|update| is_meant(update.synchronization_category.as_deref()));
        meant.filter_map(|update| update.listing_id.text()).collect()
    };
    let unlinked = with(|category| category.is_none());
    let linked = with(|category| category.is_some_and(|category| category != "sync_undecided"));
    let events = [(unlinked, ConnectionEvent::Unlinked as fn(_) -> _), (linked, ConnectionEvent::Linked)];
    let reported = events.into_iter().filter(|(ids, _)| !ids.is_empty());
    reported.map(|(ids, word)| event(said, word(ids))).collect()
}

fn ids(listings: &[Lenient]) -> Vec<String> {
    listings.iter().filter_map(Lenient::text).collect()
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::post;

    use super::*;

    #[test]
    fn news_of_a_connection_are_for_the_hosts_account_there() {
        let body = include_bytes!("../../../fixtures/airbnb/notification-authorization-revoked.json");
        let reported = decode(&post("/notifications", body)).expect("decoded");
        let Change { route, data, .. } = &reported.changes[0];
        assert_eq!((route.account.as_deref(), route.property_id.as_deref()), (Some("66200"), None));
        assert!(matches!(data, ChangeKind::Connection(ConnectionEvent::Revoked)));
    }
}
