//! Expedia, as far as it shows that the contract fits: bookings told by SOAP with a password inside, the same fetched and
//! confirmed as XML with ours inside, and a newer interface with a token.
//!
//! [`notification`] reads and answers what is told, [`eqc`] fetches and confirms, [`price`] is of both; [`graphql`] looks at
//! one property.

#[path = "../../vrbo/src/decimal.rs"]
pub mod decimal;
mod eqc;
mod graphql;
mod notification;
mod price;
#[cfg(test)]
mod tests;
#[path = "../../vrbo/src/xml.rs"]
pub mod xml;

use gassync_plugin::{
    Adapter, Answer, Change, ChannelError, Decoded, Entity, Fate, HttpRequest, HttpResponse, Inbound, Page, Pull,
    Query, Receipt, ReceiptOutcome, Receipts, Selection, http,
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
        notification::decode(request.bytes())
    }
}

impl Answer for Expedia {
    fn respond(request: HttpRequest, _: Vec<Change>, fates: Vec<Fate>) -> Result<HttpResponse, ChannelError> {
        notification::respond(request.bytes(), fates.first())
    }

    fn unable(request: HttpRequest, why: ChannelError) -> Result<HttpResponse, ChannelError> {
        notification::unable(request.bytes(), why)
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
    fn acknowledge(receipts: Vec<Receipt>) -> Result<Vec<ReceiptOutcome>, ChannelError> {
        eqc::confirm(&receipts)
    }
}

fn send(request: http::Request) -> Result<http::Response, ChannelError> {
    let answer = request.send()?;
    if (200..300).contains(&answer.status()) { Ok(answer) } else { Err(answer.refusal(None)) }
}
