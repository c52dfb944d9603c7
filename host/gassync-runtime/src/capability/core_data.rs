use async_trait::async_trait;
use gassync_domain::{
    Block, Booked, Calendar, Date, EntityRef, Property, Quoted, RatePlan, Refusal, Refused, RoomType, StayQuery,
    Timestamp,
};
use serde_json::Value;

/// What the core holds for one source, in the channel's own ids. Reading only.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Mapped properties, a page at a time, and where the next page begins.
    async fn properties(&self, cursor: Option<String>) -> Result<(Vec<Property>, Option<String>), Unreadable>;

    /// Mapped room types of a property.
    async fn room_types(&self, property_id: &str) -> Result<Vec<RoomType>, Unreadable>;

    /// Mapped rate plans of a property.
    async fn rate_plans(&self, property_id: &str) -> Result<Vec<RatePlan>, Unreadable>;

    /// Nights of a room type from `start` up to, and without, `until`; one calendar for each rate plan.
    async fn calendar(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Calendar>, Unreadable>;

    /// Reservations in the order of their changes, a page at a time.
    async fn reservations(
        &self,
        changed_since: Option<Timestamp>,
        cursor: Option<String>,
    ) -> Result<(Vec<Booked>, Option<String>), Unreadable>;

    /// Reservations that hold nights of a room type from `start` up to, and without, `until`, by their arrival.
    async fn stays(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Booked>, Unreadable>;

    /// What else takes nights of a room type out of sale, from `start` up to, and without, `until`.
    async fn blocks(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Block>, Unreadable>;

    /// By our reference, or by the channel's id.
    async fn find_reservation(&self, id: &str) -> Result<Option<Booked>, Unreadable>;

    /// When anything of a property last changed.
    async fn changed_at(&self, property_id: &str) -> Result<Option<Timestamp>, Unreadable>;

    /// What a stay costs, or why it cannot be had.
    async fn quote(&self, query: StayQuery) -> Result<Result<Quoted, Vec<Refused>>, Unreadable>;

    /// Content of a property, a room type or a rate plan, by the contract's `content.schema.json`.
    async fn content(&self, of: &EntityRef) -> Result<Option<Value>, Unreadable>;
}

/// The core cannot be read now: the call ends, and none of it is the plugin's fault.
#[derive(Debug, thiserror::Error)]
#[error("the inventory cannot be read: {0}")]
pub struct Unreadable(pub String);

/// Holds nothing: for calls that have no business with it.
#[derive(Debug, Clone, Copy)]
pub struct NoInventory;

#[async_trait]
impl Inventory for NoInventory {
    async fn properties(&self, _: Option<String>) -> Result<(Vec<Property>, Option<String>), Unreadable> {
        Ok((Vec::new(), None))
    }

    async fn room_types(&self, _: &str) -> Result<Vec<RoomType>, Unreadable> {
        Ok(Vec::new())
    }

    async fn rate_plans(&self, _: &str) -> Result<Vec<RatePlan>, Unreadable> {
        Ok(Vec::new())
    }

    async fn calendar(&self, _: &str, _: Date, _: Date) -> Result<Vec<Calendar>, Unreadable> {
        Ok(Vec::new())
    }

    async fn reservations(
        &self,
        _: Option<Timestamp>,
        _: Option<String>,
    ) -> Result<(Vec<Booked>, Option<String>), Unreadable> {
        Ok((Vec::new(), None))
    }

    async fn stays(&self, _: &str, _: Date, _: Date) -> Result<Vec<Booked>, Unreadable> {
        Ok(Vec::new())
    }

    async fn blocks(&self, _: &str, _: Date, _: Date) -> Result<Vec<Block>, Unreadable> {
        Ok(Vec::new())
    }

    async fn find_reservation(&self, _: &str) -> Result<Option<Booked>, Unreadable> {
        Ok(None)
    }

    async fn changed_at(&self, _: &str) -> Result<Option<Timestamp>, Unreadable> {
        Ok(None)
    }

    async fn quote(&self, _: StayQuery) -> Result<Result<Quoted, Vec<Refused>>, Unreadable> {
        let text = "there is no inventory in this call".to_owned();
        Ok(Err(vec![Refused { why: Refusal::UnknownProperty, path: None, text }]))
    }

    async fn content(&self, _: &EntityRef) -> Result<Option<Value>, Unreadable> {
        Ok(None)
    }
}
