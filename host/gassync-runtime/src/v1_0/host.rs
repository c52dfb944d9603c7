//! The host's side of what a guest imports.

use wasmtime::component::{HasSelf, Linker};

use super::{
    bindings::gassync::channel::{http, inventory, keys, log, settings, state, types},
    inward, outward,
};
use crate::{
    CallError, LogLine, MAX_MEMORY_BYTES, Unreadable,
    capability::{
        self,
        http::{Capture, Refusal},
        state::Full,
    },
    sandbox::Guest,
};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    http::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    keys::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    settings::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    state::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    inventory::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

impl types::Host for Guest {}

impl http::Host for Guest {
    async fn send(
        &mut self,
        request: types::HttpRequest,
        secrets: Vec<String>,
        captures: Vec<http::Capture>,
    ) -> wasmtime::Result<Result<types::HttpResponse, http::HttpError>> {
        let captures = captures.into_iter().map(|c| Capture {
            slot: c.slot,
            field: c.field,
            place: c.place,
            good_for_seconds: c.good_for_seconds,
        });
        let answer = self.http.send(inward::request(request), secrets, captures.collect()).await;
        if let Err(Refusal::TooMany) = answer {
            // The gate remembers why.
            return Err(wasmtime::Error::msg("too many requests"));
        }
        Ok(answer.map(outward::response).map_err(word))
    }
}

fn word(refusal: Refusal) -> http::HttpError {
    match refusal {
        Refusal::NotGranted(why) => http::HttpError::NotGranted(why),
        Refusal::BadRequest(why) => http::HttpError::BadRequest(why),
        Refusal::TooMany => http::HttpError::RateLimited(None),
        Refusal::AddressRefused(host) => http::HttpError::AddressRefused(host),
        Refusal::RateLimited(seconds) => http::HttpError::RateLimited(Some(seconds)),
        Refusal::CircuitOpen(seconds) => http::HttpError::CircuitOpen(Some(seconds)),
        Refusal::TimedOut => http::HttpError::TimedOut,
        Refusal::TooLarge(limit) => http::HttpError::TooLarge(limit),
        Refusal::Connect(why) => http::HttpError::Connect(why),
        Refusal::Tls(why) => http::HttpError::Tls(why),
        Refusal::Credential(why) => http::HttpError::Credential(why),
    }
}

impl keys::Host for Guest {
    async fn sign(
        &mut self,
        slot: String,
        field: String,
        algorithm: String,
        text: Vec<u8>,
        secrets: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(capability::keys::sign(&*self.http.credentials, (&slot, &field), &algorithm, text, &secrets).await)
    }

    async fn verify(
        &mut self,
        slot: String,
        field: String,
        algorithm: String,
        text: Vec<u8>,
        secrets: Vec<String>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, String>> {
        let text = (text, &*secrets);
        Ok(capability::keys::verify(&*self.http.credentials, (&slot, &field), &algorithm, text, &signature).await)
    }
}

impl settings::Host for Guest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.clone())
    }
}

impl state::Host for Guest {
    async fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.state.get(&key))
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<()> {
        self.state.set(key, value).map_err(|Full| self.end("state", format!("{MAX_MEMORY_BYTES} bytes")))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.state.delete(key);
        Ok(())
    }

    async fn list_keys(&mut self, prefix: String) -> wasmtime::Result<Vec<String>> {
        Ok(self.state.list(&prefix))
    }
}

impl inventory::Host for Guest {
    async fn properties(&mut self, cursor: Option<String>) -> wasmtime::Result<inventory::PageOfProperties> {
        let (items, next) = self.inventory.properties(cursor).await.map_err(unreadable)?;
        Ok(inventory::PageOfProperties { items: items.into_iter().map(outward::property).collect(), next })
    }

    async fn room_types(&mut self, property_id: String) -> wasmtime::Result<Vec<types::RoomType>> {
        let items = self.inventory.room_types(&property_id).await.map_err(unreadable)?;
        Ok(items.into_iter().map(outward::room_type).collect())
    }

    async fn rate_plans(&mut self, property_id: String) -> wasmtime::Result<Vec<types::RatePlan>> {
        let items = self.inventory.rate_plans(&property_id).await.map_err(unreadable)?;
        Ok(items.into_iter().map(outward::rate_plan).collect())
    }

    async fn calendar(
        &mut self,
        room_type_id: String,
        span: types::Nights,
    ) -> wasmtime::Result<Vec<types::CalendarNights>> {
        let (start, until) = inward::span("span", span).map_err(asked_wrongly)?;
        let calendars = self.inventory.calendar(&room_type_id, start, until).await.map_err(unreadable)?;
        Ok(calendars.into_iter().flat_map(outward::calendar_as_it_is).collect())
    }

    async fn reservations(
        &mut self,
        changed_since: Option<String>,
        cursor: Option<String>,
    ) -> wasmtime::Result<inventory::PageOfReservations> {
        let since = inward::instant("changed-since", changed_since).map_err(asked_wrongly)?;
        let (items, next) = self.inventory.reservations(since, cursor).await.map_err(unreadable)?;
        Ok(inventory::PageOfReservations { items: items.into_iter().map(outward::booked).collect(), next })
    }

    async fn stays(&mut self, room_type_id: String, span: types::Nights) -> wasmtime::Result<Vec<types::Booked>> {
        let (start, until) = inward::span("span", span).map_err(asked_wrongly)?;
        let stays = self.inventory.stays(&room_type_id, start, until).await.map_err(unreadable)?;
        Ok(stays.into_iter().map(outward::booked).collect())
    }

    async fn blocks(&mut self, room_type_id: String, span: types::Nights) -> wasmtime::Result<Vec<types::Block>> {
        let (start, until) = inward::span("span", span).map_err(asked_wrongly)?;
        let blocks = self.inventory.blocks(&room_type_id, start, until).await.map_err(unreadable)?;
        Ok(blocks.into_iter().map(outward::block).collect())
    }

    async fn find_reservation(&mut self, id: String) -> wasmtime::Result<Option<types::Booked>> {
        Ok(self.inventory.find_reservation(&id).await.map_err(unreadable)?.map(outward::booked))
    }

    async fn changed_at(&mut self, property_id: String) -> wasmtime::Result<Option<String>> {
        Ok(self.inventory.changed_at(&property_id).await.map_err(unreadable)?.map(outward::instant))
    }

    async fn quote(&mut self, query: types::StayQuery) -> wasmtime::Result<Result<types::Quoted, Vec<types::Refused>>> {
        let query = inward::stay_query(query).map_err(asked_wrongly)?;
        let answer = self.inventory.quote(query).await.map_err(unreadable)?;
        Ok(answer.map(outward::quoted).map_err(|reasons| reasons.into_iter().map(outward::refused).collect()))
    }

    async fn content(&mut self, of: types::EntityRef) -> wasmtime::Result<Option<String>> {
        Ok(self
            .inventory
            .content(&inward::entity_ref(of))
            .await
            .map_err(unreadable)?
            .map(|content| content.to_string()))
    }
}

/// The call ends, and the plugin is not to blame.
fn unreadable(error: Unreadable) -> wasmtime::Error {
    wasmtime::Error::new(error)
}

/// A date that is none: the plugin is to blame.
fn asked_wrongly(error: CallError) -> wasmtime::Error {
    wasmtime::Error::msg(error.to_string())
}

impl log::Host for Guest {
    async fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.log.write(LogLine { level: level.to_owned(), message, fields });
        Ok(())
    }
}
