//! What operators do: sources, plugins, keys, and a page that shows where things stand. The command line uses these same
//! endpoints, over the wire when a host runs and in its own process when none does.

mod keys;
mod maps;
mod messages;
mod plugins;
mod sources;
mod status;

use std::sync::Arc;

use axum::Router;

pub use keys::{KeyMade, KeyShown, NewKey, Rotation};
pub use maps::{KnownLink, LinkPlan, LinkShown, NewLink, SuggestionShown, WaitingShown};
pub use messages::{MessageShown, MessageWhole};
pub use plugins::PluginShown;
pub use sources::{NewSource, SourceMade, SourceShown};
pub use status::{Line, Status};

use crate::app::App;

/// All of it.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .merge(keys::router())
        .merge(maps::router())
        .merge(messages::router())
        .merge(plugins::router())
        .merge(sources::router())
        .merge(status::router())
}
