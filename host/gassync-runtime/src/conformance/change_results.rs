//! Generated results for a channel's changes: all accepted, all refused (once per reason), and mixed.

use gassync_domain::{
    Amount, Change, ChangeKind, ChangeResult, CoreBooking, PriceKind, PriceLine, Question, Quote, Refusal,
    RefusalReason, Timestamp, Verdict,
};
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;

use super::generated::{self, SampleIds};

/// Our reference of an accepted change.
pub(super) const REFERENCE: &str = "GAS-CHECK-1";
/// Contains characters that every text format escapes.
const WHY: &str = "No \"double\" room & <no> balcony: 2 nights, at least";
const VERDICTS: [Verdict; 6] = [
    Verdict::Created,
    Verdict::Updated,
    Verdict::Unchanged,
    Verdict::Duplicate,
    Verdict::Parked,
    Verdict::AwaitingReview,
];
const REFUSALS: [RefusalReason; 17] = [
    RefusalReason::SoldOut,
    RefusalReason::Closed,
    RefusalReason::MinStay,
    RefusalReason::MaxStay,
    RefusalReason::ExactStay,
    RefusalReason::ClosedToArrival,
    RefusalReason::ClosedToDeparture,
    RefusalReason::Occupancy,
    RefusalReason::AdvanceNotice,
    RefusalReason::NoRate,
    RefusalReason::Pets,
    RefusalReason::UnknownProperty,
    RefusalReason::UnknownRoomType,
    RefusalReason::UnknownRatePlan,
    RefusalReason::UnknownReservation,
    RefusalReason::Invalid,
    RefusalReason::Other,
];

/// Results of all changes of a call.
pub(super) struct OutcomeCase {
    /// Description, in terms of the contract.
    pub how: String,
    /// One result per change.
    pub results: Vec<ChangeResult>,
    /// True if everything requested was done; the channel must then get a reply.
    pub is_taken: bool,
}

/// Returns every combination of results tested for these changes.
pub(super) fn outcomes(changes: &[Change], now: Timestamp) -> Vec<OutcomeCase> {
    let each = |result: &dyn Fn(&Change) -> ChangeResult| changes.iter().map(result).collect::<Vec<_>>();
    if changes.is_empty() {
        return vec![OutcomeCase { how: "nothing to tell of".to_owned(), results: Vec::new(), is_taken: true }];
    }
    let has_records = changes.iter().any(|change| !matches!(change.data, ChangeKind::Ask(_)));
    let verdicts = if has_records { &VERDICTS[..] } else { &VERDICTS[..1] };
    let mut outcomes: Vec<OutcomeCase> = Vec::new();
    for verdict in verdicts {
        outcomes.push(OutcomeCase {
            how: if has_records { format!("all {}", contract_name(verdict)) } else { "all as asked".to_owned() },
            results: each(&|change| taken(change, *verdict, now)),
            is_taken: !matches!(verdict, Verdict::Parked | Verdict::AwaitingReview),
        });
    }
    for why in REFUSALS {
        let how = format!("all refused: {}", contract_name(&why));
        outcomes.push(OutcomeCase { how, results: each(&|_| refused(why)), is_taken: false });
    }
    if changes.len() > 1 {
        let mut results = each(&|change| taken(change, Verdict::Created, now));
        results.iter_mut().skip(1).step_by(2).for_each(|result| *result = refused(RefusalReason::SoldOut));
        outcomes.push(OutcomeCase { how: "every second one refused".to_owned(), results, is_taken: false });
    }
    outcomes
}

/// Returns the host's result for an accepted change.
fn taken(change: &Change, verdict: Verdict, now: Timestamp) -> ChangeResult {
    let reference = REFERENCE.to_owned();
    let ChangeKind::Ask(question) = &change.data else { return ChangeResult::Applied { verdict, reference, at: now } };
    match question {
        Question::Available { .. } => ChangeResult::Available,
        Question::Quote { .. } => ChangeResult::Quote(quoted()),
        Question::Hold { minutes, .. } => {
            let until = now.saturating_add(SignedDuration::from_mins(i64::from(*minutes))).unwrap_or(now);
            ChangeResult::Held { reference, until }
        }
        Question::Release { .. } => ChangeResult::Released,
        Question::BookingsSince { .. } => {
            let reservation = generated::reservation(&SampleIds::of(std::iter::empty()), now);
            ChangeResult::Bookings { bookings: vec![CoreBooking { reference, changed_at: now, reservation }] }
        }
        Question::Other { kind, .. } => ChangeResult::Other { kind: kind.clone(), value: Value::Null },
    }
}

fn refused(why: RefusalReason) -> ChangeResult {
    let path = (why == RefusalReason::Invalid).then(|| "/rooms/0/checkIn".to_owned());
    ChangeResult::Refused { reasons: vec![Refusal { reason: why, path, text: WHY.to_owned() }] }
}

fn quoted() -> Quote {
    let amount = |units: i64| Amount::from_ten_thousandths(units * gassync_domain::TEN_THOUSANDTHS);
    let line =
        |kind, name: &str, units| PriceLine { kind, name: name.to_owned(), amount: amount(units).written_in("EUR") };
    Quote {
        lines: vec![
            line(PriceKind::Stay, "Nights", 240),
            line(PriceKind::Cleaning, "Cleaning & linen", 40),
            line(PriceKind::Discount, "Early bird", -20),
        ],
        total: amount(260).written_in("EUR"),
        currency: "EUR".to_owned(),
        extra: Default::default(),
    }
}

/// Returns the value's name in the contract.
fn contract_name<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|contract_name| contract_name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use gassync_domain::{Reservation, Status, StayQuery};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn change(data: ChangeKind) -> Change {
        Change::new(data, None)
    }

    fn stay() -> StayQuery {
        let day = |text: &str| text.parse().expect("a day");
        StayQuery {
            property_id: None,
            room_type_id: None,
            rate_plan_id: None,
            check_in: day("2027-06-01"),
            check_out: day("2027-06-03"),
            occupancy: None,
            replaces: None,
            extra: Default::default(),
        }
    }

    #[test]
    fn every_question_and_refusal_is_generated_once() {
        let questions = [
            Question::Available { stay: stay() },
            Question::Quote { stay: stay() },
            Question::Hold { reference: "H".to_owned(), stay: stay(), minutes: 15 },
            Question::Release { reference: "H".to_owned() },
            Question::BookingsSince { since: NOW },
            Question::Other { kind: "pets-welcome".to_owned(), value: Value::Null },
        ];
        let changes: Vec<Change> = questions.into_iter().map(|question| change(ChangeKind::Ask(question))).collect();
        let all = outcomes(&changes, NOW);
        let [available, quote, held, released, bookings, other] = all[0].results.as_slice() else { panic!() };
        assert!(matches!(
            (available, quote, released),
            (ChangeResult::Available, ChangeResult::Quote(_), ChangeResult::Released)
        ));
        assert!(matches!(held, ChangeResult::Held { until, .. } if until.as_second() == 15 * 60), "{held:?}");
        assert!(matches!(bookings, ChangeResult::Bookings { bookings } if bookings.len() == 1), "{bookings:?}");
        assert!(matches!(other, ChangeResult::Other { kind, .. } if kind == "pets-welcome"), "{other:?}");
        // One accepted case, one per refusal reason, and one mixed case.
        assert_eq!(all.len(), 1 + REFUSALS.len() + 1);
        assert!(all.iter().all(|outcome| outcome.results.len() == changes.len()));
        let mut named: Vec<&str> = all.iter().map(|outcome| outcome.how.as_str()).collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), all.len(), "{named:?}");
        assert_eq!(all.iter().filter(|outcome| outcome.is_taken).count(), 1);
    }

    #[test]
    fn parked_records_do_not_count_as_applied() {
        let booking = change(ChangeKind::Reservation(Box::new(Reservation::new("R", Status::Confirmed))));
        let all = outcomes(&[booking], NOW);
        let taken: Vec<&str> = all.iter().filter(|one| one.is_taken).map(|one| one.how.as_str()).collect();
        assert_eq!(taken, ["all created", "all updated", "all unchanged", "all duplicate"]);
        assert_eq!(all.len(), VERDICTS.len() + REFUSALS.len());
        assert_eq!(outcomes(&[], NOW).len(), 1, "a call of which nothing comes is answered too");
    }
}
