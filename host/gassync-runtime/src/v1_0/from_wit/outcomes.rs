use gassync_domain::{AcknowledgementOutcome, Chunk, FieldError, Outcome, Report, Subscribed};

use super::{
    Converted, bad,
    values::{self, json},
    wit,
};

/// Checks that the plugin returned one outcome per item.
pub(in crate::v1_0) fn as_many<T>(outcomes: Vec<T>, given: usize) -> Converted<Vec<T>> {
    if outcomes.len() == given {
        Ok(outcomes)
    } else {
        bad("outcomes", format!("has {} entries for {given} items", outcomes.len()))
    }
}

pub(in crate::v1_0) fn outcomes(outcomes: Vec<wit::Outcome>, given: usize) -> Converted<Vec<Outcome>> {
    as_many(outcomes, given)?.into_iter().map(outcome).collect()
}

fn outcome(outcome: wit::Outcome) -> Converted<Outcome> {
    Ok(match outcome {
        wit::Outcome::Accepted(accepted) => Outcome::Accepted {
            id: accepted.channel_id,
            replaces: accepted.replaces,
            confirmed: accepted.confirmed,
            warnings: accepted.warnings,
        },
        wit::Outcome::Refused(errors) => Outcome::Refused(errors.into_iter().map(field_error).collect()),
        wit::Outcome::Retry(seconds) => Outcome::Retry(seconds),
        wit::Outcome::Unknown => Outcome::Unknown,
        wit::Outcome::Other((kind, value)) => Outcome::Other { kind, value: json("outcome.other", &value)? },
    })
}

pub(in crate::v1_0) fn acknowledgement_outcomes(
    outcomes: Vec<wit::AcknowledgementOutcome>,
    given: usize,
) -> Converted<Vec<AcknowledgementOutcome>> {
    let outcome = |outcome| match outcome {
        wit::AcknowledgementOutcome::Accepted => AcknowledgementOutcome::Accepted,
        wit::AcknowledgementOutcome::Retry(seconds) => AcknowledgementOutcome::Retry(seconds),
        wit::AcknowledgementOutcome::Outdated(why) => AcknowledgementOutcome::Outdated(why),
        wit::AcknowledgementOutcome::Refused(why) => AcknowledgementOutcome::Refused(why),
    };
    Ok(as_many(outcomes, given)?.into_iter().map(outcome).collect())
}

pub(in crate::v1_0) fn field_error(error: wit::FieldError) -> FieldError {
    FieldError::new(error.path, error.problem)
}

pub(in crate::v1_0) fn chunk(chunk: wit::Chunk) -> Converted<Chunk> {
    let wit::Chunk { status, headers, body, next } = chunk;
    Ok(Chunk { status: super::status(status)?, headers: super::headers(headers), body, next })
}

pub(in crate::v1_0) fn report(report: wit::Report) -> Converted<Report> {
    let wit::Report { account, scopes, missing, extra } = report;
    Ok(Report { account, scopes, missing, extra: values::extra(extra)? })
}

pub(in crate::v1_0) fn subscribed(subscribed: wit::Subscribed) -> Subscribed {
    let wit::Subscribed { ids, steps } = subscribed;
    Subscribed { ids, steps }
}
