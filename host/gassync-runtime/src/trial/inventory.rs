use std::collections::BTreeMap;

use async_trait::async_trait;
use gassync_domain::{
    Booked, Calendar, Date, Property, Quoted, RatePlan, Refusal, Refused, Reservation, RoomType, StayQuery, Timestamp,
    quote,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{Inventory, Unreadable};

/// A core as a file has it, in the standard schema's forms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct FileInventory {
    properties: Vec<Property>,
    room_types: Vec<RoomType>,
    rate_plans: Vec<RatePlan>,
    calendar: Vec<Calendar>,
    /// Our reference is the reservation's `id`, and it changed when it was `modifiedAt`, else when it was `bookedAt`.
    reservations: Vec<Reservation>,
    /// By property.
    content: BTreeMap<String, Value>,
}

impl FileInventory {
    fn booked(&self) -> impl Iterator<Item = Booked> {
        self.reservations.iter().map(|reservation| Booked {
            reference: reservation.id.clone(),
            changed_at: reservation.modified_at.or(reservation.booked_at).unwrap_or(Timestamp::UNIX_EPOCH),
            reservation: reservation.clone(),
        })
    }
}

#[async_trait]
impl Inventory for FileInventory {
    async fn properties(&self, _: Option<String>) -> Result<(Vec<Property>, Option<String>), Unreadable> {
        Ok((self.properties.clone(), None))
    }

    async fn room_types(&self, property_id: &str) -> Result<Vec<RoomType>, Unreadable> {
        Ok(self.room_types.iter().filter(|record| record.property_id == property_id).cloned().collect())
    }

    async fn rate_plans(&self, property_id: &str) -> Result<Vec<RatePlan>, Unreadable> {
        Ok(self.rate_plans.iter().filter(|record| record.property_id == property_id).cloned().collect())
    }

    async fn calendar(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Calendar>, Unreadable> {
        let of = self.calendar.iter().filter(|calendar| calendar.room_type_id == room_type_id).cloned();
        Ok(of
            .map(|mut calendar| {
                calendar.nights.retain(|night| night.date >= start && night.date < until);
                calendar
            })
            .collect())
    }

    async fn reservations(
        &self,
        changed_since: Option<Timestamp>,
        _: Option<String>,
    ) -> Result<(Vec<Booked>, Option<String>), Unreadable> {
        let newer = |booked: &Booked| changed_since.is_none_or(|since| booked.changed_at > since);
        let mut booked: Vec<Booked> = self.booked().filter(newer).collect();
        booked.sort_by_key(|booked| booked.changed_at);
        Ok((booked, None))
    }

    async fn find_reservation(&self, id: &str) -> Result<Option<Booked>, Unreadable> {
        Ok(self.booked().find(|booked| booked.reference == id))
    }

    async fn changed_at(&self, property_id: &str) -> Result<Option<Timestamp>, Unreadable> {
        let of = self.booked().filter(|booked| booked.reservation.property_id.as_deref() == Some(property_id));
        Ok(of.map(|booked| booked.changed_at).max())
    }

    async fn quote(&self, query: StayQuery) -> Result<Result<Quoted, Vec<Refused>>, Unreadable> {
        let refused = |why, text: &str| Ok(Err(vec![Refused { why, path: None, text: text.to_owned() }]));
        let Some(property) = self.properties.iter().find(|property| property.id == query.property_id) else {
            return refused(Refusal::UnknownProperty, "nobody knows the property");
        };
        // A property that sells by one room type need not have it named.
        let of_property = |calendar: &&Calendar| match &query.room_type_id {
            Some(room_type_id) => calendar.room_type_id == *room_type_id,
            None => calendar.property_id.as_ref().is_none_or(|id| *id == query.property_id),
        };
        let plan = |calendar: &&Calendar| query.rate_plan_id.is_none() || calendar.rate_plan_id == query.rate_plan_id;
        let Some(calendar) = self.calendar.iter().filter(of_property).find(plan) else {
            return refused(Refusal::UnknownRoomType, "nobody knows the room type");
        };
        let people = query.party.adults + query.party.children;
        Ok(quote(&calendar.nights, (query.check_in, query.check_out), people, property.currency.as_deref()))
    }

    async fn content(&self, property_id: &str) -> Result<Option<Value>, Unreadable> {
        Ok(self.content.get(property_id).cloned())
    }
}
