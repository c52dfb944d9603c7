use std::sync::Arc;

use gassync_domain::{Query, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{app::App, channel::ChannelCallError, inbound::poll_run, schedule, store::sources::Source};

/// Fetches changes since the last poll. The retry policy schedules the next one.
pub(super) async fn run(app: &Arc<App>, source: &Source, payload: &Value) -> Result<(), ChannelCallError> {
    let plugin = app.plugins.require(&source.source_type)?;
    let Some(poll) = schedule::poll_named(plugin.manifest(), payload) else {
        // The plugin no longer polls this.
        if let Ok(entity) = serde_json::from_value(payload.get("entity").cloned().unwrap_or_default()) {
            let queue = payload.get("stream").and_then(Value::as_str);
            poll_run::record_end(app, source, &poll_run::poll_name(entity, queue)).await?;
        }
        return Ok(());
    };
    if !source.direction.is_inward() {
        return Ok(());
    }
    let selection = poll_run::selection(app, source, poll).await?;
    let tally = poll_run::run(app, source, poll, Query::new(poll.entity, selection)).await?;
    tracing::debug!(source = %source.id, entity = poll.entity.as_str(), ?tally, "poll finished");
    Ok(())
}

/// Time of the next poll.
pub(super) fn next_time(app: &App, source: &Source, payload: &Value, now: Timestamp) -> Option<Timestamp> {
    let plugin = app.plugins.get(&source.source_type)?;
    let poll = schedule::poll_named(plugin.manifest(), payload)?;
    let regular = schedule::poll_interval_seconds(source.poll_minutes, poll);
    let seconds = match app.config.workers.poll_seconds {
        0 => regular,
        shorter => i64::try_from(shorter).unwrap_or(i64::MAX).min(regular),
    };
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}
