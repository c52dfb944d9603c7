//! Expedia, as far as it shows that the contract fits: bookings told by SOAP with a password inside, the same fetched and
//! confirmed as XML with ours inside, and a newer interface with a token.
//!
//! [`notification`] reads and answers what is told, [`eqc`] fetches and confirms, [`graphql`] looks at one property.

mod eqc;
mod graphql;
mod notification;
#[cfg(test)]
mod tests;
#[path = "../../vrbo/src/xml.rs"]
pub mod xml;

use gassync_plugin::{
    Adapter, Answer, Change, ChannelError, Decoded, Entity, Fate, HttpRequest, HttpResponse, Inbound, Page, Pull,
    Query, Receipt, Receipts, Selection, http,
};

/// The sketch.
pub struct Expedia;

gassync_plugin::export!(crate::Expedia: Inbound, Answer, Pull, Receipts);

impl Adapter for Expedia {
    fn manifest() -> String {
        include_str!("manifest.json").to_owned()
    }
}

impl Inbound for Expedia {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        notification::decode(request.body.as_deref().unwrap_or_default())
    }
}

impl Answer for Expedia {
    fn respond(request: HttpRequest, _: Vec<Change>, fates: Vec<Fate>) -> Result<HttpResponse, ChannelError> {
        notification::respond(request.body.as_deref().unwrap_or_default(), fates.first())
    }
}

impl Pull for Expedia {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        match (query.entity, &query.selection, &query.property_id) {
            // Whole properties are looked through in the newer interface: the older one forgets after 30 days.
            (Entity::Reservation, Selection::Everything, Some(property)) => {
                graphql::fetch(property, query.cursor.as_deref())
            }
            (Entity::Reservation, _, _) => eqc::fetch(&query),
            _ => Err(ChannelError::Unsupported),
        }
    }
}

impl Receipts for Expedia {
    fn acknowledge(receipts: Vec<Receipt>) -> Result<Vec<Option<String>>, ChannelError> {
        eqc::confirm(&receipts)
    }
}

fn send(request: http::Request) -> Result<http::Response, ChannelError> {
    let answer = request.send()?;
    match answer.status() {
        200..=299 => Ok(answer),
        401 | 403 => Err(ChannelError::Unauthorized(format!("status {}", answer.status()))),
        429 => Err(ChannelError::RateLimited(answer.retry_after())),
        status => Err(ChannelError::Unavailable(format!("status {status}"))),
    }
}
