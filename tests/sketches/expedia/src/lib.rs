//! A sketch for Expedia that tests whether the contract fits: bookings received by SOAP with a password inside, the
//! same bookings fetched and confirmed as XML with our password inside, and a newer interface with a token.
//!
//! [`notification`] decodes and answers notifications, [`eqc`] fetches and confirms, [`price`] serves both; [`graphql`]
//! lists the reservations of a property.

mod eqc;
mod graphql;
mod notification;
mod price;
#[cfg(test)]
mod tests;

use gassync_plugin::{
    Acknowledgement, AcknowledgementOutcome, Acknowledgements, Adapter, Change, ChangeResult, ChannelError, Decoded,
    Entity, HttpRequest, HttpResponse, Inbound, Page, Pull, Query, Reply, Selection, http,
};

/// The adapter.
pub struct Expedia;

gassync_plugin::export!(crate::Expedia: Inbound, Reply, Pull, Acknowledgements);

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

impl Reply for Expedia {
    fn respond(request: HttpRequest, _: Vec<Change>, results: Vec<ChangeResult>) -> Result<HttpResponse, ChannelError> {
        notification::respond(request.bytes(), results.first())
    }

    fn on_error(request: HttpRequest, why: ChannelError) -> Result<HttpResponse, ChannelError> {
        notification::on_error(request.bytes(), why)
    }
}

impl Pull for Expedia {
    fn fetch(query: Query) -> Result<Page, ChannelError> {
        match (query.entity, &query.selection, &query.property_id) {
            // Full lists use the newer interface, since the older one is limited to 30 days.
            (Entity::Reservation, Selection::Everything, Some(property)) => {
                graphql::fetch(property, query.cursor.as_deref())
            }
            (Entity::Reservation, _, _) => eqc::fetch(&query),
            _ => Err(ChannelError::Unsupported),
        }
    }
}

impl Acknowledgements for Expedia {
    fn acknowledge(acknowledgements: Vec<Acknowledgement>) -> Result<Vec<AcknowledgementOutcome>, ChannelError> {
        eqc::confirm(&acknowledgements)
    }
}

fn send(request: http::Request) -> Result<http::Response, ChannelError> {
    let answer = request.send()?;
    if (200..300).contains(&answer.status()) { Ok(answer) } else { Err(answer.refusal(None)) }
}
