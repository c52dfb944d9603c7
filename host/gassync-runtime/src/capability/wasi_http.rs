//! `wasi:http` for guests, through the same gate as the contract's own `http`. The library's default sender is not
//! built in.

use std::future::Future;

use bytes::Bytes;
use gassync_domain::{HttpRequest, HttpResponse};
use http_body_util::{BodyExt, Full, Limited};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::http::{HttpGate, HttpRefusal};
use crate::placeholder;

/// Remaining I/O after the response; always empty here.
type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answered = Result<(http::Response<WasiBody>, Rest), Error>;

/// Header that declares the secrets of a request; it is not sent.
const SECRETS_HEADER: &str = "gassync-secrets";

fn words(names: &str) -> Vec<String> {
    names.split(',').map(|name| name.trim().to_owned()).collect()
}

/// Routes `wasi:http` requests through the gate.
pub(crate) struct GatedHttp(pub HttpGate);

impl WasiHttpHooks for GatedHttp {
    fn set_host_header(&mut self) -> bool {
        // The sender sets the Host header; the gate refuses one written by the guest.
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Answered> + Send> {
        let gate = self.0.clone();
        Box::new(async move {
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, gate.body_bytes).collect().await;
            let body = body.map_err(|_| Error::HttpRequestBodySize(Some(gate.body_bytes as u64)))?.to_bytes();
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let mut headers: Vec<(String, String)> =
                parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            let named = headers.extract_if(.., |(name, _)| name == SECRETS_HEADER);
            let declared: Vec<String> = named.flat_map(|(_, names)| words(&names)).collect();
            let url = parts.uri.to_string();
            // The guest's URL parser has escaped the placeholders.
            let url = if declared.is_empty() { url } else { placeholder::unescaped(&url) };
            let body = (!body.is_empty()).then(|| body.to_vec());
            let request = HttpRequest { method: parts.method.to_string(), url, headers, body };
            let answer = match gate.send(request, declared, Vec::new()).await {
                // WASI has no error code for this, so return the usual HTTP response.
                Err(HttpRefusal::RateLimited(seconds)) => HttpResponse {
                    status: 429,
                    headers: vec![("retry-after".to_owned(), seconds.to_string())],
                    body: Vec::new(),
                },
                Err(HttpRefusal::CircuitOpen(seconds)) => HttpResponse {
                    status: 503,
                    headers: vec![("retry-after".to_owned(), seconds.to_string())],
                    body: Vec::new(),
                },
                other => other.map_err(word)?,
            };
            let mut response = http::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            let body = Full::new(Bytes::from(answer.body)).map_err(|never| match never {}).boxed_unsync();
            let response = response.body(body).map_err(|error| Error::InternalError(Some(error.to_string())))?;
            Ok((response, Box::new(async { Ok(()) }) as Rest))
        })
    }
}

fn word(refusal: HttpRefusal) -> Error {
    match refusal {
        HttpRefusal::NotGranted(why) | HttpRefusal::BadRequest(why) | HttpRefusal::Credential(why) => {
            Error::InternalError(Some(why))
        }
        HttpRefusal::AddressRefused(_) => Error::DestinationIpProhibited,
        HttpRefusal::RateLimited(_) | HttpRefusal::TooMany => Error::HttpRequestDenied,
        HttpRefusal::TimedOut => Error::ConnectionTimeout,
        HttpRefusal::TooLarge(limit) => Error::HttpResponseBodySize(Some(limit)),
        HttpRefusal::CircuitOpen(_) | HttpRefusal::Connect(_) => Error::DestinationUnavailable,
        HttpRefusal::Tls(_) => Error::TlsProtocolError,
    }
}
