//! The host's side of what a guest imports.

use gassync_domain::{HttpRequest, HttpResponse};
use wasmtime::component::{HasSelf, Linker};

use super::bindings::gassync::channel::{http, log, settings, types};
use crate::{
    LogLine,
    capability::http::{Capture, Refusal},
    sandbox::Guest,
};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    http::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    settings::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

impl types::Host for Guest {}

impl http::Host for Guest {
    async fn send(
        &mut self,
        request: types::HttpRequest,
        capture: Vec<http::Capture>,
    ) -> wasmtime::Result<Result<types::HttpResponse, http::HttpError>> {
        let headers = request.headers.into_iter().map(|h| (h.name, h.value)).collect();
        let request = HttpRequest { method: request.method, url: request.url, headers, body: request.body };
        let capture =
            capture.into_iter().map(|c| Capture { slot: c.slot, field: c.field, pointer: c.pointer }).collect();
        let answer = self.http.send(request, capture).await;
        if let Err(Refusal::TooMany) = answer {
            self.over = Some(("requests", format!("{} in one call", self.http.requests.len())));
            return Err(wasmtime::Error::msg("too many requests"));
        }
        Ok(answer
            .map(|HttpResponse { status, headers, body }| types::HttpResponse {
                status,
                headers: headers.into_iter().map(|(name, value)| types::Header { name, value }).collect(),
                body,
            })
            .map_err(word))
    }
}

fn word(refusal: Refusal) -> http::HttpError {
    match refusal {
        Refusal::NotGranted(why) => http::HttpError::NotGranted(why),
        Refusal::TooMany => http::HttpError::RateLimited(None),
        Refusal::AddressRefused(host) => http::HttpError::AddressRefused(host),
        Refusal::TimedOut => http::HttpError::TimedOut,
        Refusal::TooLarge(limit) => http::HttpError::TooLarge(limit),
        Refusal::Connect(why) => http::HttpError::Connect(why),
        Refusal::Tls(why) => http::HttpError::Tls(why),
        Refusal::Credential(why) => http::HttpError::Credential(why),
    }
}

impl settings::Host for Guest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.settings.clone())
    }
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
