//! Finds out which nights were accepted. A response says that something was rejected, but not what, so a batch that is
//! not wholly accepted is halved until each row has its own response. Repeating accepted rows is harmless.

use std::collections::BTreeMap;

use gassync_plugin::{Accepted, CalendarNights, ChannelError, FieldError, Outcome, accepted, http, xml::Element};

use crate::{AVAILABILITY, calendar, send, support_id};

/// Maximum requests per call.
const MAX_REQUESTS: u32 = 20;
/// Requests per delivery: availability and rates.
const OF_ONE: u32 = 2;

/// One outcome per row.
pub fn push(rows: &[CalendarNights]) -> Result<Vec<Outcome>, ChannelError> {
    let mut delivery = Delivery { rows, left: MAX_REQUESTS, outcomes: rows.iter().map(|_| Outcome::Unknown).collect() };
    // A request may concern one property only.
    let mut of_property: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        match (calendar::problem(row), &row.property_id) {
            (None, Some(property)) => of_property.entry(property).or_default().push(index),
            (problem, _) => delivery.outcomes[index] = Outcome::Refused(vec![error(problem.unwrap_or_default())]),
        }
    }
    for (property, which) in of_property {
        delivery.deliver(property, &which)?;
    }
    Ok(delivery.outcomes)
}

struct Delivery<'a> {
    rows: &'a [CalendarNights],
    left: u32,
    outcomes: Vec<Outcome>,
}

/// The result of the requests of a delivery.
#[derive(Default)]
struct Heard {
    problems: Vec<FieldError>,
    /// The delay in seconds, if the channel gave one.
    later: Option<Option<u32>>,
}

impl Delivery<'_> {
    fn deliver(&mut self, property: &str, which: &[usize]) -> Result<(), ChannelError> {
        if self.left < OF_ONE {
            return self.all(which, || Outcome::Retry(None));
        }
        let rows: Vec<&CalendarNights> = which.iter().map(|index| &self.rows[*index]).collect();
        let mut heard = Heard::default();
        for (name, message) in [
            ("OTA_HotelAvailNotif", calendar::availability(&rows)?),
            ("OTA_HotelRateAmountNotif", calendar::rates(property, &rows)?),
        ] {
            if let Some(message) = message {
                self.left -= 1;
                heard.post(name, &message)?;
            }
        }
        let Heard { problems, later } = heard;
        match (later, problems.is_empty(), which) {
            (Some(seconds), _, _) => self.all(which, || Outcome::Retry(seconds)),
            (None, true, _) => self.all(which, || accepted(None)),
            (None, false, [_]) => self.all(which, || Outcome::Refused(problems.clone())),
            // The rejected rows are unknown; a read-back shows which ones were accepted.
            (None, false, _) if self.left < 2 * OF_ONE => {
                let warnings: Vec<String> = problems.iter().map(|error| error.problem.clone()).collect();
                let unsure = |warnings| Accepted { channel_id: None, replaces: None, confirmed: false, warnings };
                self.all(which, || Outcome::Accepted(unsure(warnings.clone())))
            }
            (None, false, _) => {
                let (first, second) = which.split_at(which.len() / 2);
                self.deliver(property, first)?;
                self.deliver(property, second)
            }
        }
    }

    fn all(&mut self, which: &[usize], outcome: impl Fn() -> Outcome) -> Result<(), ChannelError> {
        for index in which {
            self.outcomes[*index] = outcome();
        }
        Ok(())
    }
}

impl Heard {
    fn post(&mut self, name: &str, message: &Element) -> Result<(), ChannelError> {
        let answer = match send(http::Request::post_xml(format!("{AVAILABILITY}{name}"), message.document())) {
            Ok(answer) => answer,
            // An error here must not discard earlier results.
            Err(ChannelError::RateLimited(seconds)) => return self.wait(seconds),
            Err(ChannelError::Unavailable(_)) => return self.wait(None),
            Err(other) => return Err(other),
        };
        let Ok(root) = Element::parse(answer.body()) else {
            self.problems.push(error(&format!("status {} and no XML", answer.status())));
            return Ok(());
        };
        let support = support_id(answer.body()).unwrap_or_default();
        let said = root.all("Errors/Error").into_iter().chain(root.all("Warnings/Warning"));
        let before = self.problems.len();
        self.problems.extend(said.map(|said| {
            let text = said.attribute("ShortText").or(said.text()).unwrap_or("not said why");
            let code = said.attribute("Code").unwrap_or_default();
            FieldError::new(
                format_args!("xml:{}/{}", root.name(), said.name()),
                format_args!("{code} {text} ({support})"),
            )
        }));
        // A response with neither success nor errors is a failure.
        if self.problems.len() == before && root.find("Success").is_none() {
            self.problems.push(error(&format!("status {} and neither success nor error", answer.status())));
        }
        Ok(())
    }

    fn wait(&mut self, seconds: Option<u32>) -> Result<(), ChannelError> {
        self.later = Some(self.later.flatten().max(seconds));
        Ok(())
    }
}

fn error(problem: &str) -> FieldError {
    FieldError::new("", problem)
}
