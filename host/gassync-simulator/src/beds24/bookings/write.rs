//! `POST /bookings`: an array whose items create, change and cancel, independently of each other.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use jiff::{Span, Timestamp};
use serde_json::{Map, Value, json};

use super::super::{
    Account, Admitted, Beds24, Settings,
    answer::{self, Malformed, refused},
    booking::BookingRecord,
    fields::{self, Wrote},
    webhook::Event,
};

/// Maximum nights of a stay.
const LONGEST_STAY_DAYS: i64 = 1_000;
const CREATES: &str = "new booking";
const CHANGES: &str = "modify booking";

pub(super) async fn write(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    body: Bytes,
) -> Result<Response, Malformed> {
    let items = answer::items(&body)?;
    Ok(simulator.write(&call, |account, settings, now| {
        let mut write = Write { account, settings, now, group: None };
        items.iter().map(|item| write.item(item)).collect()
    }))
}

struct Write<'a> {
    account: &'a mut Account,
    settings: &'a Settings,
    now: Timestamp,
    /// First booking of the group to create.
    group: Option<u64>,
}

impl Write<'_> {
    fn item(&mut self, item: &Value) -> Value {
        let Some(keys) = item.as_object() else { return refused(CREATES, &[("", "invalid")]) };
        match keys.get("id") {
            None => self.create(keys),
            Some(id) => {
                let known = fields::whole(id).and_then(|id| self.account.book.get(id)).cloned();
                known.map_or_else(|| refused(CHANGES, &[("id", "not found")]), |booking| self.change(booking, keys))
            }
        }
    }

    fn create(&mut self, keys: &Map<String, Value>) -> Value {
        let missing: Vec<_> = ["roomId", "arrival", "departure"]
            .into_iter()
            .filter(|key| keys.get(*key).is_none_or(Value::is_null))
            .map(|key| (key, "required"))
            .collect();
        if !missing.is_empty() {
            return refused(CREATES, &missing);
        }
        let book = &self.account.book;
        let nothing = jiff::civil::Date::default();
        let mut booking = BookingRecord::new(book.next_id(), 0, 0, (nothing, nothing), self.now);
        booking.keys.insert("referer".to_owned(), json!("API"));
        booking.written = Some(self.now);
        let bad = self.write_keys(&mut booking, keys);
        if !bad.is_empty() {
            return refused(CREATES, &bad);
        }
        let e = &booking.entry;
        let acts = |action: &str| keys.get("actions").is_some_and(|actions| actions[action] == json!(true));
        let left = self.account.book.free(e.room_id, (e.arrival, e.departure), None);
        if acts("checkAvailability") && left < i64::from(e.room_qty) {
            // The refusal has a warning only, no error.
            return json!({ "success": false,
                "warnings": [{ "action": CREATES, "field": "roomId", "message": "no availability" }] });
        }
        if acts("makeGroup") {
            booking.entry.master_id = self.group;
            self.group = self.group.or(Some(booking.entry.id));
        }
        let (id, room_id) = (booking.entry.id, booking.entry.room_id);
        let new = json!({ "id": id, "roomId": room_id, "status": booking.entry.status,
            "arrival": booking.entry.arrival.to_string(), "departure": booking.entry.departure.to_string(),
            "numAdult": booking.entry.num_adult, "numChild": booking.entry.num_child });
        self.account.book.made_by_api.push((id, booking.entry.reference.clone()));
        self.account.book.add(booking);
        if acts("allowWebhooks") {
            self.account.notify_booking(self.settings, id, Event::New, self.now);
        }
        self.account.notify_room(self.settings, room_id, self.now);
        json!({ "success": true, "new": new,
            "info": [{ "action": CREATES, "id": id, "message": "added new booking" }] })
    }

    fn change(&mut self, before: BookingRecord, keys: &Map<String, Value>) -> Value {
        let mut booking = before.clone();
        let bad = self.write_keys(&mut booking, keys);
        if !bad.is_empty() && !self.settings.refused_changes_apply_in_part {
            return refused(CHANGES, &bad);
        }
        let id = booking.entry.id;
        let touches = booking.differs_for_webhooks(&before);
        let rooms = [before.entry.room_id, booking.entry.room_id];
        let cancels = before.is_active() && !booking.is_active();
        booking.written = Some(self.now);
        self.account.book.replace(booking, self.now);
        let notifies = keys.get("actions").is_some_and(|actions| actions["allowWebhooks"] == json!(true));
        if touches && notifies {
            let event = if cancels { Event::Cancel } else { Event::Modify };
            self.account.notify_booking(self.settings, id, event, self.now);
        }
        if touches {
            self.account.notify_room(self.settings, rooms[0], self.now);
            if rooms[0] != rooms[1] {
                self.account.notify_room(self.settings, rooms[1], self.now);
            }
        }
        if !bad.is_empty() {
            return refused(CHANGES, &bad);
        }
        if self.settings.bare_answers {
            return json!({ "success": true });
        }
        let mut modified = keys.clone();
        modified.remove("actions");
        json!({ "success": true, "modified": modified })
    }

    /// Writes valid keys and reports the others.
    fn write_keys<'k>(
        &mut self,
        booking: &mut BookingRecord,
        keys: &'k Map<String, Value>,
    ) -> Vec<(&'k str, &'static str)> {
        let mut bad = Vec::new();
        let (was, id) = ((booking.entry.arrival, booking.entry.departure), booking.entry.id);
        let book = &mut self.account.book;
        // Write the room first, because it determines the valid units.
        let room_first = keys.iter().filter(|(key, _)| *key == "roomId");
        for (key, value) in room_first.chain(keys.iter().filter(|(key, _)| *key != "roomId")) {
            let good = match key.as_str() {
                "id" | "actions" => true,
                "masterId" if value.is_null() => {
                    booking.entry.master_id = None;
                    true
                }
                "masterId" => {
                    let master = fields::whole(value).filter(|id| book.get(*id).is_some());
                    booking.entry.master_id = master.or(booking.entry.master_id);
                    master.is_some()
                }
                "invoiceItems" => booking.invoice_items.write(value, id, &mut book.last_item_id, self.now),
                "infoItems" => booking.info_items.write(value, id, &mut book.last_item_id, self.now),
                _ => !matches!(fields::write(booking, key, value, &book.properties), Wrote::Invalid),
            };
            if !good {
                bad.push((key.as_str(), "invalid"));
            }
        }
        let entry = &mut booking.entry;
        let longest = entry.arrival.saturating_add(Span::new().days(LONGEST_STAY_DAYS));
        if entry.departure <= entry.arrival || entry.departure > longest {
            (entry.arrival, entry.departure) = was;
            if !bad.iter().any(|(key, _)| ["arrival", "departure"].contains(key)) {
                bad.push(("departure", "invalid"));
            }
        }
        bad
    }
}
