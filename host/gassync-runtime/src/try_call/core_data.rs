use async_trait::async_trait;
use gassync_domain::{
    Block, Calendar, CoreBooking, Date, EntityRef, Property, Quote, QuoteRequest, RatePlan, Refusal, RefusalReason,
    Reservation, RoomStay, RoomType, StayQuery, Timestamp, quote,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{CoreData, CoreDataError};

/// Core data read from a file, in the format of the standard schema.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct FileCoreData {
    properties: Vec<Property>,
    room_types: Vec<RoomType>,
    rate_plans: Vec<RatePlan>,
    calendar: Vec<Calendar>,
    /// The reservation's `id` is our reference. Its modification time is `modifiedAt`, or else `bookedAt`.
    reservations: Vec<Reservation>,
    blocks: Vec<Block>,
    content: Vec<Content>,
    /// Date of the stay query.
    #[serde(skip)]
    today: Date,
}

#[derive(Debug, Clone, Deserialize)]
struct Content {
    #[serde(flatten)]
    of: EntityRef,
    content: Value,
}

impl FileCoreData {
    /// Sets the date of stay queries.
    #[must_use]
    pub(super) fn on(mut self, today: Date) -> Self {
        self.today = today;
        self
    }

    fn property_of(&self, reservation: &str) -> Option<String> {
        self.bookings().find(|booking| booking.reference == reservation)?.reservation.property_id
    }

    fn bookings(&self) -> impl Iterator<Item = CoreBooking> {
        self.reservations.iter().map(|reservation| CoreBooking {
            reference: reservation.id.clone(),
            changed_at: reservation.modified_at.or(reservation.booked_at).unwrap_or(Timestamp::UNIX_EPOCH),
            reservation: reservation.clone(),
        })
    }
}

#[async_trait]
impl CoreData for FileCoreData {
    async fn properties(&self, _: Option<String>) -> Result<(Vec<Property>, Option<String>), CoreDataError> {
        Ok((self.properties.clone(), None))
    }

    async fn room_types(&self, property_id: &str) -> Result<Vec<RoomType>, CoreDataError> {
        Ok(self.room_types.iter().filter(|record| record.property_id == property_id).cloned().collect())
    }

    async fn rate_plans(&self, property_id: &str) -> Result<Vec<RatePlan>, CoreDataError> {
        Ok(self.rate_plans.iter().filter(|record| record.property_id == property_id).cloned().collect())
    }

    async fn calendar(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Calendar>, CoreDataError> {
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
    ) -> Result<(Vec<CoreBooking>, Option<String>), CoreDataError> {
        let newer = |booking: &CoreBooking| changed_since.is_none_or(|since| booking.changed_at > since);
        let mut bookings: Vec<CoreBooking> = self.bookings().filter(newer).collect();
        bookings.sort_by_key(|booking| booking.changed_at);
        Ok((bookings, None))
    }

    async fn stays(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<CoreBooking>, CoreDataError> {
        let holds = |booking: &CoreBooking| {
            let reservation = &booking.reservation;
            let inside = |room: &RoomStay| {
                room.room_type_id.as_deref() == Some(room_type_id)
                    && room.check_in.is_some_and(|day| day < until)
                    && room.check_out.is_some_and(|day| day > start)
            };
            reservation.status.holds_nights() && reservation.rooms.iter().any(inside)
        };
        let whole = |mut booking: CoreBooking| {
            booking.reservation.normalise();
            booking
        };
        let mut stays: Vec<CoreBooking> = self.bookings().map(whole).filter(holds).collect();
        stays.sort_by_key(|booking| booking.reservation.check_in);
        Ok(stays)
    }

    async fn blocks(&self, room_type_id: &str, start: Date, until: Date) -> Result<Vec<Block>, CoreDataError> {
        let of_type = self.room_types.iter().find(|record| record.id == room_type_id);
        let inside = |block: &&Block| {
            let is_named = block.room_types().any(|id| id == room_type_id);
            let whole_property = block.room_types().next().is_none()
                && of_type.is_none_or(|record| block.property_id.as_ref() == Some(&record.property_id));
            (is_named || whole_property) && block.check_in < until && block.check_out > start
        };
        Ok(self.blocks.iter().filter(inside).cloned().collect())
    }

    async fn find_reservation(&self, id: &str) -> Result<Option<CoreBooking>, CoreDataError> {
        Ok(self.bookings().find(|booking| booking.reference == id))
    }

    async fn changed_at(&self, property_id: &str) -> Result<Option<Timestamp>, CoreDataError> {
        let of = self.bookings().filter(|booking| booking.reservation.property_id.as_deref() == Some(property_id));
        Ok(of.map(|booking| booking.changed_at).max())
    }

    async fn quote(&self, query: StayQuery) -> Result<Result<Quote, Vec<Refusal>>, CoreDataError> {
        let refused = |why, text: &str| Ok(Err(vec![Refusal { reason: why, path: None, text: text.to_owned() }]));
        let property_id = match (&query.property_id, &query.replaces) {
            (None, Some(replaced)) => match self.property_of(replaced) {
                None => return refused(RefusalReason::UnknownReservation, "nobody knows the reservation"),
                known => known,
            },
            (named, _) => named.clone(),
        };
        let is_meant = |property: &&Property| Some(&property.id) == property_id.as_ref();
        let Some(property) = self.properties.iter().find(is_meant) else {
            return refused(RefusalReason::UnknownProperty, "nobody knows the property");
        };
        // A property with a single room type may be queried without naming it.
        let of_property = |calendar: &&Calendar| match &query.room_type_id {
            Some(room_type_id) => calendar.room_type_id == *room_type_id,
            None => calendar.property_id.as_ref().is_none_or(|id| *id == property.id),
        };
        let plan = |calendar: &&Calendar| query.rate_plan_id.is_none() || calendar.rate_plan_id == query.rate_plan_id;
        if !self.calendar.iter().any(|calendar| of_property(&calendar)) {
            return refused(RefusalReason::UnknownRoomType, "nobody knows the room type");
        }
        let Some(calendar) = self.calendar.iter().filter(of_property).find(plan) else {
            return refused(RefusalReason::UnknownRatePlan, "nobody knows the rate plan");
        };
        let people = query.occupancy.map(|occupancy| occupancy.adults + occupancy.children);
        let StayQuery { check_in, check_out, .. } = query;
        let asked = QuoteRequest { check_in, check_out, people, today: self.today };
        Ok(quote(&calendar.nights, asked, property.currency.as_deref()))
    }

    async fn content(&self, of: &EntityRef) -> Result<Option<Value>, CoreDataError> {
        Ok(self.content.iter().find(|content| content.of == *of).map(|content| content.content.clone()))
    }
}
