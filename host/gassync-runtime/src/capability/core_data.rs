use async_trait::async_trait;
use gassync_domain::{
    Block, Calendar, CoreBooking, Date, EntityRef, Property, Quote, RatePlan, Refusal, RefusalReason, RoomType,
    StayQuery, Timestamp,
};
use serde_json::Value;

/// Read-only access to what the core stores for one source, in the channel's own ids.
#[async_trait]
pub trait CoreData: Send + Sync {
    /// Mapped properties, a page at a time, and where the next page begins.
    async fn properties(&self, cursor: Option<String>) -> Result<(Vec<Property>, Option<String>), CoreDataError>;

    /// Mapped room types of a property.
    async fn room_types(&self, property_id: &str) -> Result<Vec<RoomType>, CoreDataError>;

    /// Mapped rate plans of a property.
    async fn rate_plans(&self, property_id: &str) -> Result<Vec<RatePlan>, CoreDataError>;

    /// Nights of a room type from `start` up to, and without, `until`; one calendar for each rate plan.
    async fn calendar(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Calendar>, CoreDataError>;

    /// Reservations in the order of their changes, a page at a time.
    async fn reservations(
        &self,
        changed_since: Option<Timestamp>,
        cursor: Option<String>,
    ) -> Result<(Vec<CoreBooking>, Option<String>), CoreDataError>;

    /// Reservations that occupy nights of a room type from `start` up to, and without, `until`, by arrival.
    async fn stays(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<CoreBooking>, CoreDataError>;

    /// What else takes nights of a room type out of sale, from `start` up to, and without, `until`.
    async fn blocks(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Block>, CoreDataError>;

    /// By our reference, or by the channel's id.
    async fn find_reservation(&self, id: &str) -> Result<Option<CoreBooking>, CoreDataError>;

    /// When anything of a property last changed.
    async fn changed_at(&self, property_id: &str) -> Result<Option<Timestamp>, CoreDataError>;

    /// The price of a stay, or the reasons of a refusal.
    async fn quote(&self, query: StayQuery) -> Result<Result<Quote, Vec<Refusal>>, CoreDataError>;

    /// Content of a property, a room type or a rate plan, by the contract's `content.schema.json`.
    async fn content(&self, of: &EntityRef) -> Result<Option<Value>, CoreDataError>;
}

/// The core cannot be read now: the call ends, and none of it is the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the core's data cannot be read: {0}")]
pub struct CoreDataError(pub String);

/// Contains nothing: for calls that do not need it.
#[derive(Debug, Clone, Copy)]
pub struct NoCoreData;

#[async_trait]
impl CoreData for NoCoreData {
    async fn properties(&self, _: Option<String>) -> Result<(Vec<Property>, Option<String>), CoreDataError> {
        Ok((Vec::new(), None))
    }

    async fn room_types(&self, _: &str) -> Result<Vec<RoomType>, CoreDataError> {
        Ok(Vec::new())
    }

    async fn rate_plans(&self, _: &str) -> Result<Vec<RatePlan>, CoreDataError> {
        Ok(Vec::new())
    }

    async fn calendar(&self, _: &str, _: Date, _: Date) -> Result<Vec<Calendar>, CoreDataError> {
        Ok(Vec::new())
    }

    async fn reservations(
        &self,
        _: Option<Timestamp>,
        _: Option<String>,
    ) -> Result<(Vec<CoreBooking>, Option<String>), CoreDataError> {
        Ok((Vec::new(), None))
    }

    async fn stays(&self, _: &str, _: Date, _: Date) -> Result<Vec<CoreBooking>, CoreDataError> {
        Ok(Vec::new())
    }

    async fn blocks(&self, _: &str, _: Date, _: Date) -> Result<Vec<Block>, CoreDataError> {
        Ok(Vec::new())
    }

    async fn find_reservation(&self, _: &str) -> Result<Option<CoreBooking>, CoreDataError> {
        Ok(None)
    }

    async fn changed_at(&self, _: &str) -> Result<Option<Timestamp>, CoreDataError> {
        Ok(None)
    }

    async fn quote(&self, _: StayQuery) -> Result<Result<Quote, Vec<Refusal>>, CoreDataError> {
        let text = "there is no core data in this call".to_owned();
        Ok(Err(vec![Refusal { reason: RefusalReason::UnknownProperty, path: None, text }]))
    }

    async fn content(&self, _: &EntityRef) -> Result<Option<Value>, CoreDataError> {
        Ok(None)
    }
}
