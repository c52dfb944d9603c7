use async_trait::async_trait;
use gassync_domain::{
    Block, Calendar, CoreBooking, Date, EntityRef, Property, Quote, RatePlan, Refusal, RefusalReason, RoomType,
    StayQuery, Timestamp,
};
use serde_json::Value;

/// Read-only access to what the core stores for one source, in the channel's own ids.
#[async_trait]
pub trait CoreData: Send + Sync {
    /// Returns one page of mapped properties, and the cursor of the next page.
    async fn properties(&self, cursor: Option<String>) -> Result<(Vec<Property>, Option<String>), CoreDataError>;

    /// Returns the mapped room types of a property.
    async fn room_types(&self, property_id: &str) -> Result<Vec<RoomType>, CoreDataError>;

    /// Returns the mapped rate plans of a property.
    async fn rate_plans(&self, property_id: &str) -> Result<Vec<RatePlan>, CoreDataError>;

    /// Returns the nights of a room type from `start` to before `until`, one calendar per rate plan.
    async fn calendar(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Calendar>, CoreDataError>;

    /// Returns one page of reservations, ordered by modification.
    async fn reservations(
        &self,
        changed_since: Option<Timestamp>,
        cursor: Option<String>,
    ) -> Result<(Vec<CoreBooking>, Option<String>), CoreDataError>;

    /// Returns the reservations that occupy nights of a room type from `start` to before `until`, ordered by arrival.
    async fn stays(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<CoreBooking>, CoreDataError>;

    /// Returns the other blocks that close nights of a room type from `start` to before `until`.
    async fn blocks(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Block>, CoreDataError>;

    /// Finds a reservation by our reference or the channel's id.
    async fn find_reservation(&self, id: &str) -> Result<Option<CoreBooking>, CoreDataError>;

    /// Returns the time of the last change to any data of a property.
    async fn changed_at(&self, property_id: &str) -> Result<Option<Timestamp>, CoreDataError>;

    /// Returns the price of a stay, or the reasons for refusing it.
    async fn quote(&self, query: StayQuery) -> Result<Result<Quote, Vec<Refusal>>, CoreDataError>;

    /// Returns the content of a property, room type or rate plan, as in the contract's `content.schema.json`.
    async fn content(&self, of: &EntityRef) -> Result<Option<Value>, CoreDataError>;
}

/// The core is unreadable at present. It ends the call and is not the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the core's data cannot be read: {0}")]
pub struct CoreDataError(pub String);

/// Empty core data, for calls that need none.
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
