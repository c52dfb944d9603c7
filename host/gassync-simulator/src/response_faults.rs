//! Faults of responses: timeouts and broken connections.

use std::{io, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, StatusCode, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::InjectedFault;

/// Maximum size of a response that can be cut in two.
const LARGEST_ANSWER_BYTES: usize = 64 << 20;
/// Delay before the connection breaks, so that the first half is sent.
const BREAK_AFTER: Duration = Duration::from_millis(50);

/// Applies a fault to a response.
pub(crate) async fn apply(
    answer: Response,
    fault: Option<InjectedFault>,
    hold: Duration,
    shutdown: &CancellationToken,
) -> Response {
    match fault {
        Some(InjectedFault::TimeoutAfterWork) => {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(hold) => {}
            }
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Some(InjectedFault::HalfAnswer) => half(answer).await,
        _ => answer,
    }
}

/// Sends the full content length, but only half of the body, then breaks the connection.
async fn half(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let Ok(whole) = to_bytes(body, LARGEST_ANSWER_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let first = whole.slice(..whole.len() / 2);
    let broken = async {
        tokio::time::sleep(BREAK_AFTER).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let body = stream::once(async { Ok(first) }).chain(stream::once(broken));
    Response::from_parts(head, Body::from_stream(body))
}
