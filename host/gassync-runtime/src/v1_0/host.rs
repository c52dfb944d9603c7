//! Implements the imports of a guest.

use wasmtime::component::{HasSelf, Linker};

use super::{
    bindings::gassync::channel::{core_data, http, log, settings, signing, state, types},
    from_wit, to_wit,
};
use crate::{
    CallError, CoreDataError, LogLine, MAX_MEMORY_BYTES,
    capability::{
        self,
        http::{HttpRefusal, SecretCapture},
        state::Full,
    },
    sandbox::GuestState,
};

pub(super) fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    http::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    signing::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    settings::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    state::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    core_data::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasSelf<GuestState>>(linker, |guest| guest)
}

impl types::Host for GuestState {}

impl http::Host for GuestState {
    async fn send(
        &mut self,
        request: types::HttpRequest,
        secrets: Vec<String>,
        captures: Vec<http::Capture>,
    ) -> wasmtime::Result<Result<types::HttpResponse, http::HttpError>> {
        let captures = captures.into_iter().map(|c| SecretCapture {
            slot: c.slot,
            field: c.field,
            place: c.place,
            lifetime_seconds: c.lifetime_seconds,
        });
        let answer = self.http.send(from_wit::request(request), secrets, captures.collect()).await;
        if let Err(HttpRefusal::TooMany) = answer {
            // The gate records the reason.
            return Err(wasmtime::Error::msg("too many requests"));
        }
        Ok(answer.map(to_wit::response).map_err(word))
    }
}

fn word(refusal: HttpRefusal) -> http::HttpError {
    match refusal {
        HttpRefusal::NotGranted(why) => http::HttpError::NotGranted(why),
        HttpRefusal::BadRequest(why) => http::HttpError::BadRequest(why),
        HttpRefusal::TooMany => http::HttpError::RateLimited(None),
        HttpRefusal::AddressRefused(host) => http::HttpError::AddressRefused(host),
        HttpRefusal::RateLimited(seconds) => http::HttpError::RateLimited(Some(seconds)),
        HttpRefusal::CircuitOpen(seconds) => http::HttpError::CircuitOpen(Some(seconds)),
        HttpRefusal::TimedOut => http::HttpError::TimedOut,
        HttpRefusal::TooLarge(limit) => http::HttpError::TooLarge(limit),
        HttpRefusal::Connect(why) => http::HttpError::Connect(why),
        HttpRefusal::Tls(why) => http::HttpError::Tls(why),
        HttpRefusal::Credential(why) => http::HttpError::Credential(why),
    }
}

impl signing::Host for GuestState {
    async fn sign(
        &mut self,
        slot: String,
        field: String,
        algorithm: String,
        text: Vec<u8>,
        secrets: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(capability::signing::sign(&*self.http.credentials, (&slot, &field), &algorithm, text, &secrets).await)
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
        Ok(capability::signing::verify(&*self.http.credentials, (&slot, &field), &algorithm, text, &signature).await)
    }
}

impl settings::Host for GuestState {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.clone())
    }
}

impl state::Host for GuestState {
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

impl core_data::Host for GuestState {
    async fn properties(&mut self, cursor: Option<String>) -> wasmtime::Result<core_data::PageOfProperties> {
        let (items, next) = self.core_data.properties(cursor).await.map_err(core_data_error)?;
        Ok(core_data::PageOfProperties { items: items.into_iter().map(to_wit::property).collect(), next })
    }

    async fn room_types(&mut self, property_id: String) -> wasmtime::Result<Vec<types::RoomType>> {
        let items = self.core_data.room_types(&property_id).await.map_err(core_data_error)?;
        Ok(items.into_iter().map(to_wit::room_type).collect())
    }

    async fn rate_plans(&mut self, property_id: String) -> wasmtime::Result<Vec<types::RatePlan>> {
        let items = self.core_data.rate_plans(&property_id).await.map_err(core_data_error)?;
        Ok(items.into_iter().map(to_wit::rate_plan).collect())
    }

    async fn calendar(
        &mut self,
        room_type_id: String,
        span: types::Nights,
    ) -> wasmtime::Result<Vec<types::CalendarNights>> {
        let (start, until) = from_wit::span("span", span).map_err(asked_wrongly)?;
        let calendars = self.core_data.calendar(&room_type_id, start, until).await.map_err(core_data_error)?;
        Ok(calendars.into_iter().flat_map(to_wit::calendar_as_it_is).collect())
    }

    async fn reservations(
        &mut self,
        changed_since: Option<String>,
        cursor: Option<String>,
    ) -> wasmtime::Result<core_data::PageOfReservations> {
        let since = from_wit::instant("changed-since", changed_since).map_err(asked_wrongly)?;
        let (items, next) = self.core_data.reservations(since, cursor).await.map_err(core_data_error)?;
        Ok(core_data::PageOfReservations { items: items.into_iter().map(to_wit::core_booking).collect(), next })
    }

    async fn stays(&mut self, room_type_id: String, span: types::Nights) -> wasmtime::Result<Vec<types::CoreBooking>> {
        let (start, until) = from_wit::span("span", span).map_err(asked_wrongly)?;
        let stays = self.core_data.stays(&room_type_id, start, until).await.map_err(core_data_error)?;
        Ok(stays.into_iter().map(to_wit::core_booking).collect())
    }

    async fn blocks(&mut self, room_type_id: String, span: types::Nights) -> wasmtime::Result<Vec<types::Block>> {
        let (start, until) = from_wit::span("span", span).map_err(asked_wrongly)?;
        let blocks = self.core_data.blocks(&room_type_id, start, until).await.map_err(core_data_error)?;
        Ok(blocks.into_iter().map(to_wit::block).collect())
    }

    async fn find_reservation(&mut self, id: String) -> wasmtime::Result<Option<types::CoreBooking>> {
        Ok(self.core_data.find_reservation(&id).await.map_err(core_data_error)?.map(to_wit::core_booking))
    }

    async fn changed_at(&mut self, property_id: String) -> wasmtime::Result<Option<String>> {
        Ok(self.core_data.changed_at(&property_id).await.map_err(core_data_error)?.map(to_wit::instant))
    }

    async fn quote_stay(
        &mut self,
        query: types::StayQuery,
    ) -> wasmtime::Result<Result<types::Quote, Vec<types::Refusal>>> {
        let query = from_wit::stay_query(query).map_err(asked_wrongly)?;
        let answer = self.core_data.quote(query).await.map_err(core_data_error)?;
        Ok(answer.map(to_wit::quote).map_err(|reasons| reasons.into_iter().map(to_wit::refusal).collect()))
    }

    async fn content(&mut self, of: types::EntityRef) -> wasmtime::Result<Option<String>> {
        Ok(self
            .core_data
            .content(&from_wit::entity_ref(of))
            .await
            .map_err(core_data_error)?
            .map(|content| content.to_string()))
    }
}

/// Ends the call without blaming the plugin.
fn core_data_error(error: CoreDataError) -> wasmtime::Error {
    wasmtime::Error::new(error)
}

/// Ends the call because the plugin passed an invalid date.
fn asked_wrongly(error: CallError) -> wasmtime::Error {
    wasmtime::Error::msg(error.to_string())
}

impl log::Host for GuestState {
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
