use crate::{Change, Decoded, Entity, EntityRef, HttpResponse, News, Page, Route, Scope};

impl Change {
    /// News for whichever source of the connection they fit.
    pub fn new(news: News) -> Self {
        Self { route: Route { property_id: None, account: None }, news }
    }

    /// Something happened to this record: the host fetches it.
    pub fn look_again(entity: Entity, id: impl Into<String>) -> Self {
        Self::new(News::LookAgain(EntityRef { entity, id: id.into() }))
    }

    /// This record is gone, and only its id is known.
    pub fn removed(entity: Entity, id: impl Into<String>) -> Self {
        Self::new(News::Removed(EntityRef { entity, id: id.into() }))
    }

    /// For the source that holds this property.
    #[must_use]
    pub fn for_property(mut self, property_id: Option<String>) -> Self {
        self.route.property_id = property_id;
        self
    }

    /// For the source of this account at the channel.
    #[must_use]
    pub fn for_account(mut self, account: Option<String>) -> Self {
        self.route.account = account;
        self
    }
}

impl Decoded {
    /// Changes, and a plain 200: right for a channel that wants to know only that we have its message.
    pub fn ok(changes: Vec<Change>) -> Self {
        Self { event_id: None, changes, reply: Some(HttpResponse::text(200, "OK")) }
    }

    /// With the channel's id of the message. Give one only if a retry of the message has the same, and no other has.
    #[must_use]
    pub fn with_event_id(mut self, id: impl Into<String>) -> Self {
        self.event_id = Some(id.into());
        self
    }
}

impl Page {
    /// The only page, of which nothing follows from what is missing.
    pub fn of(changes: Vec<Change>) -> Self {
        Self { changes, next: None, resume: None, scope: Scope::Delta, wait_seconds: None }
    }
}
