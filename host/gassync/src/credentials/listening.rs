//! After a change of credentials a source only listens until its rooms were read, since it may see another account.

use gassync_domain::{Entity, Timestamp};

use crate::{
    app::App,
    schedule,
    store::{
        self, Tx,
        outbound::invalidations,
        sources::{self, Source},
        sync_log,
    },
};

/// A source set to listening while its credentials change.
#[must_use]
pub struct Listening<'a> {
    source: &'a Source,
}

impl<'a> Listening<'a> {
    /// Call before the new credentials are used.
    pub async fn begin(app: &App, source: &'a Source) -> store::Result<Self> {
        if source.listening_since.is_none() && source.connection.is_some() {
            let mut tx = app.db.write(source.account).await?;
            sources::listen(&mut tx, source.key(), app.now()).await?;
            // Request all rooms, not only those changed since the last read.
            sources::forget_resume_point(&mut tx, source.key(), Entity::Property.as_str()).await?;
            tx.commit().await?;
        }
        Ok(Self { source })
    }

    /// Call if the credentials did not change: restores the previous state.
    pub async fn end(self, app: &App) -> store::Result<()> {
        if self.source.listening_since.is_none() && self.source.connection.is_some() {
            let mut tx = app.db.write(self.source.account).await?;
            sources::go_live(&mut tx, self.source.key()).await?;
            schedule::invalidate_source(&mut tx, self.source.key(), (invalidations::FIRST, false), app.now()).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Lets a source whose credentials changed go live again automatically if they show exactly the rooms that it had. Its
/// properties were read from `began` on.
pub async fn go_live_again(tx: &mut Tx, source: &Source, began: Timestamp, now: Timestamp) -> store::Result<()> {
    let key = source.key();
    let Some(shows_its_rooms) = sources::shows_its_rooms(tx, key, began).await? else { return Ok(()) };
    let (action, message) = if shows_its_rooms {
        sources::go_live(tx, key).await?;
        schedule::invalidate_source(tx, key, (invalidations::FIRST, false), now).await?;
        schedule::push_due_bookings(tx, key, now).await?;
        (sync_log::LogAction::GoLive, "the new credentials show the same rooms: the source is live again")
    } else {
        sources::stay_listening(tx, key).await?;
        (
            sync_log::LogAction::Listen,
            "the new credentials show other rooms: the source listens until somebody takes it live",
        )
    };
    let line = sync_log::NewSyncLogLine {
        source: source.id,
        entity_type: "source",
        entity_id: &source.name,
        action,
        status: sync_log::LogStatus::Success,
        message: Some(message.to_owned()),
    };
    sync_log::outbound(tx, source.account, &[line], now).await
}
