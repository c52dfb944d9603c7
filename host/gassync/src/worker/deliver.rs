use super::job::{Job, JobContext, RunningJob, each};
use crate::{
    channel::ChannelCallError,
    schedule::{Deliver, JobOutcome, JobSpec},
    store::queue::BatchPolicy,
};

impl Job for Deliver {
    /// A subscription's share.
    const BATCH: BatchPolicy = BatchPolicy { kinds: &[Self::NAME], max: 64, independent: true };

    /// A subscription's queue is delivered as a whole, by `webhooks`; anywhere else a delivery has no subscription.
    async fn run(_: JobContext<'_>, jobs: &[RunningJob<'_, Self>]) -> Result<Vec<JobOutcome>, ChannelCallError> {
        Ok(each(jobs, || JobOutcome::Discard("it waits in no subscriber's queue".to_owned())))
    }
}
