use gassync_domain::{Occupancy, Question, StayQuery};

use super::{
    Converted, bad,
    values::{exactly, extra, json, span},
    wit,
};

pub(in crate::v1_0) fn question(question: wit::Question) -> Converted<Question> {
    Ok(match question {
        wit::Question::Available(stay) => Question::Available { stay: stay_query(stay)? },
        wit::Question::Quote(stay) => Question::Quote { stay: stay_query(stay)? },
        wit::Question::Hold(hold) => {
            Question::Hold { reference: hold.reference, stay: stay_query(hold.query)?, minutes: hold.minutes }
        }
        wit::Question::Release(reference) => Question::Release { reference },
        wit::Question::BookingsSince(since) => {
            Question::BookingsSince { since: exactly("ask.bookings-since", &since)? }
        }
        wit::Question::Other((kind, value)) => Question::Other { kind, value: json("ask.other", &value)? },
    })
}

pub(in crate::v1_0) fn stay_query(query: wit::StayQuery) -> Converted<StayQuery> {
    let (check_in, check_out) = span("stay", query.stay)?;
    let occupancy = query.occupancy.map(|wit::Occupancy { adults, children, infants, pets }| Occupancy {
        adults,
        children,
        infants,
        pets,
    });
    if query.property_id.is_none() && query.replaces.is_none() {
        return bad("property-id", "is missing, and replaces names no reservation whose property could be meant");
    }
    Ok(StayQuery {
        property_id: query.property_id,
        room_type_id: query.room_type_id,
        rate_plan_id: query.rate_plan_id,
        check_in,
        check_out,
        occupancy,
        replaces: query.replaces,
        extra: extra(query.extra)?,
    })
}
