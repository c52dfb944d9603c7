//! The operator API: sources, plugins, keys, jobs and a status page. The command line uses the same endpoints, over
//! HTTP if a host runs and in its own process otherwise.

mod alarms;
mod backfills;
mod channel_down;
mod dismissal;
mod find;
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
pub mod paths;
mod plugin_calls;
mod plugins;
mod set_aside;
mod source_removal;
mod source_steering;
mod sources;
mod status;
mod sync_now;
mod time_zones;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};

pub use alarms::{Alarm, AlarmKind};
pub use backfills::{BackfillResponse, NewBackfill};
pub use dismissal::Dismissal;
pub use go_live::{GoLive, GoLivePlan, NightsCount};
pub use jobs::{JobDetail, JobFilter, JobResponse, JobRun, JobStatus, NewJobRun, RunPlan};
pub use keys::{CreatedKey, KeyResponse, KeyRotation, NewKey};
pub use ledger::LedgerDifference;
pub use link_switches::LinkAct;
pub use map_import::{
    EntityImportResult, ImportedEntity, ImportedLine, ImportedLink, LineCount, LineProblem, MapImportRequest,
    MapImportResponse,
};
pub use maps::{LinkPlan, LinkRef, LinkResponse, NewLink};
pub use messages::{CountResponse, MessageDetail, MessageResponse};
pub use outbound::{BookingSyncResponse, NewPush, OutboundAgeResponse, PushResponse, RejectedNightsResponse};
pub use parked::{DecideParkedRequest, DecisionPlan, ParkedRecordResponse, SuggestionResponse};
pub use plugin_calls::PluginCall;
pub use plugins::{
    Grants, InstalledPlugin, PermissionList, PluginAct, PluginDetail, PluginResponse, PluginState,
    PluginVersionResponse, VersionState,
};
pub use set_aside::{SetAsideDetail, SetAsideResponse};
pub use source_removal::{NewRemoval, RemovalResponse};
pub use source_steering::{
    MAX_POLL_MINUTES, NewPoll, NewSettings, NewSwitches, SettingsChange, SourceRun, StatusChange, Switches,
};
pub use sources::{
    ConnectResponse, CreatedSource, CredentialResponse, DisconnectResponse, FailingPollResponse,
    InboundWebhookResponse, NewCredentials, NewSourceRequest, SourceDetail, SourceResponse,
};
pub use status::{HostStatus, SyncLogLineResponse};
pub use sync_now::{PendingSync, SyncOptions, SyncResponse};
pub use time_zones::{NewTimeZone, TimeZoneResponse};
pub use webhooks::WebhookListItem;

use crate::app::App;

/// All routes.
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
        .merge(sync_now::router())
        .merge(time_zones::router())
        .merge(webhooks::router())
        .layer(changed)
}

/// Clears the key cache after every change, so that it takes effect at once.
async fn changed(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let only_looks = request.method().is_safe();
    let response = next.run(request).await;
    if !only_looks {
        app.keys_changed();
    }
    response
}
