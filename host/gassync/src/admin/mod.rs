//! What operators do: sources, plugins, keys, and a page that shows where things stand. The command line uses these same
//! endpoints, over the wire when a host runs and in its own process when none does.

mod alarms;
mod backfills;
mod channel_down;
mod dismissal;
mod go_live;
mod jobs;
mod keys;
mod ledger;
mod link_switches;
mod map_import;
mod maps;
mod messages;
mod outbound;
mod parked;
mod plugin_calls;
mod plugins;
mod set_aside;
mod source_removal;
mod source_steering;
mod sources;
mod status;
mod time_zones;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};

pub use alarms::Alarm;
pub use backfills::{BackfillShown, NewBackfill};
pub use dismissal::Dismissal;
pub use go_live::{GoLive, GoLivePlan, NightsCounted};
pub use jobs::{JobFilter, JobRun, JobShown, JobWhole, NewJobRun, RunPlan};
pub use keys::{KeyMade, KeyShown, NewApiKey, Rotation};
pub use ledger::LedgerDifference;
pub use map_import::{EntityImported, LineProblem, LineShown, Lines, MapImport, MapImported, NewImport};
pub use maps::{KnownLink, LinkPlan, LinkShown, NewLink};
pub use messages::{Counted, MessageShown, MessageWhole};
pub use outbound::{AgeShown, BookingShown, NewPush, PushBegun, RefusedShown};
pub use parked::{DecisionPlan, NewDecision, SuggestionShown, WaitingShown};
pub use plugin_calls::PluginCall;
pub use plugins::{Asked, Grants, PluginInstalled, PluginShown, PluginWhole, VersionShown};
pub use set_aside::{SetAsideShown, SetAsideWhole};
pub use source_removal::{NewRemoval, SourceRemoved};
pub use source_steering::{
    MAX_POLL_MINUTES, NewPoll, NewSettings, NewSwitches, SettingsChanged, SourceRun, Steered, Switches,
};
pub use sources::{
    Connected, CredentialShown, Disconnected, FailingPoll, NewCredentials, NewSourceRecord, SourceMade, SourceShown,
    SourceWhole, WebhookShown,
};
pub use status::{Line, Status};
pub use time_zones::{NewTimeZone, TimeZoneSet};
pub use webhooks::WebhookListed;

use crate::app::App;

/// All of it.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let changed = middleware::from_fn_with_state(Arc::clone(app), changed);
    Router::new()
        .merge(alarms::router())
        .merge(backfills::router())
        .merge(go_live::router())
        .merge(jobs::router())
        .merge(keys::router())
        .merge(ledger::router())
        .merge(map_import::router())
        .merge(maps::router())
        .merge(messages::router())
        .merge(outbound::router())
        .merge(parked::router())
        .merge(plugin_calls::router())
        .merge(plugins::router())
        .merge(set_aside::router())
        .merge(source_removal::router())
        .merge(source_steering::router())
        .merge(sources::router())
        .merge(status::router())
        .merge(time_zones::router())
        .merge(webhooks::router())
        .layer(changed)
}

/// Whatever an operator does here counts at once.
async fn changed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let only_looks = request.method().is_safe();
    let response = next.run(request).await;
    if !only_looks {
        app.keys_changed();
    }
    response
}
