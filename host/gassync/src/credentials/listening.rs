//! Credentials that change may show another account's rooms: their source listens until what they show is known.

use gassync_domain::Entity;

use crate::{
    app::App,
    store::{
        self,
        sources::{self, Source},
    },
};

/// A source that listens since its credentials change, unless it did before.
#[must_use]
pub struct Listening<'a> {
    source: &'a Source,
}

impl<'a> Listening<'a> {
    /// Before the new credentials are used.
    pub async fn begin(app: &App, source: &'a Source) -> store::Result<Self> {
        if source.listening_since.is_none() && source.connection.is_some() {
            let mut tx = app.db.write(source.account).await?;
            sources::listen(&mut tx, source.account, source.id, app.now()).await?;
            // All rooms are to be seen, not those alone that have changed.
            sources::forget_resume_point(&mut tx, source.account, source.id, Entity::Property.as_str()).await?;
            tx.commit().await?;
        }
        Ok(Self { source })
    }

    /// They did not change: it goes on as it was.
    pub async fn end(self, app: &App) -> store::Result<()> {
        if self.source.listening_since.is_none() && self.source.connection.is_some() {
            let mut tx = app.db.write(self.source.account).await?;
            sources::go_live(&mut tx, self.source.account, self.source.id).await?;
            crate::outbound::fan_out::source(
                &mut tx,
                (self.source.account, self.source.id),
                (store::outbound::invalidations::FIRST, false),
                app.now(),
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
