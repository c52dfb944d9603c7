use gassync_domain::{Query, Timestamp};
use jiff::SignedDuration;

use super::job::{Job, JobContext, RunningJob, done};
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::poll_run,
    schedule::{self, JobOutcome, RunPoll},
    store::sources::Source,
};

impl Job for RunPoll {
    const RECURS: bool = true;

    /// Fetches changes since the last poll.
    async fn run(context: JobContext<'_>, jobs: &[RunningJob<'_, Self>]) -> Result<Vec<JobOutcome>, ChannelCallError> {
        for job in jobs {
            run(context, job).await?;
        }
        done(jobs)
    }

    fn next_time(&self, app: &App, source: &Source, now: Timestamp) -> Option<Timestamp> {
        let plugin = app.plugins.get(&source.source_type)?;
        let poll = self.find(plugin.manifest())?;
        let regular = schedule::poll_interval_seconds(source.poll_minutes, poll);
        let seconds = match app.config.workers.poll_seconds {
            0 => regular,
            shorter => i64::try_from(shorter).unwrap_or(i64::MAX).min(regular),
        };
        now.checked_add(SignedDuration::from_secs(seconds)).ok()
    }
}

async fn run(
    JobContext { app, source, .. }: JobContext<'_>,
    RunningJob { args, claimed }: &RunningJob<'_, RunPoll>,
) -> Result<(), ChannelCallError> {
    let plugin = app.plugins.require(&source.source_type)?;
    let Some(poll) = args.find(plugin.manifest()) else {
        // The plugin no longer polls this.
        let name = poll_run::poll_name(args.entity, args.stream.as_deref());
        return Ok(poll_run::record_end(app, source, &name).await?);
    };
    if !source.direction.is_inward() {
        return Ok(());
    }
    let selection = poll_run::selection(app, source, poll).await?;
    let query = Query::new(poll.entity, selection);
    let tally = poll_run::run(app, source, (poll, Some(claimed)), query).await?;
    tracing::debug!(source = %source.id, entity = poll.entity.as_str(), ?tally, "poll finished");
    Ok(())
}
