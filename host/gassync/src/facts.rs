//! What consumes the facts of the outbox. The relay runs a list of consumers.

use async_trait::async_trait;

use crate::{
    app::App,
    store::{Result, Tx, outbound::invalidations::SequenceRanges, queue::NewJob},
};

/// A consumer of the outbox: channels, subscribers, or anything else that follows the core.
#[async_trait]
pub(crate) trait FactConsumer: Sync {
    /// Takes the facts in these sequence ranges, in the transaction that numbered them; returns the jobs to enqueue.
    async fn facts(&self, app: &App, tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<NewJob>>;
}
