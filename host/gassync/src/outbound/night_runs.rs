//! Consecutive nights that are pushed together, and what came of it.

use gassync_domain::{
    Calendar, CalendarParts, CalendarUpdate, Date, Outcome, PushSettings, SyncEvent, SyncState, SyncStatus,
};
use jiff::SignedDuration;

use super::{
    describe_errors, describe_unclear,
    push_tally::{PushTally, RecordResult},
};
use crate::{
    reconcile::desired,
    store::{
        link_health::LinkOutcome,
        mappings,
        outbound::{
            nights::{NightKey, NightState, OutgoingNight, PushedNight},
            targets::PushTarget,
        },
        sources::Source,
        sync_log::{self, LogAction, LogStatus},
    },
};

/// Consecutive nights with the same desired values.
pub(super) struct NightRun {
    pub(super) target: PushTarget,
    pub(super) parts: CalendarParts,
    pub(super) nights: Vec<NightState>,
}

/// Results of the runs of one call.
#[derive(Default)]
pub(super) struct BatchOutcome<'a> {
    /// The source trusts acknowledgements.
    pub(super) is_trusted: bool,
    pub(super) results: Vec<RunResult<'a>>,
    /// Something must be pushed again: the channel's delay if it gave one, and the reason.
    pub(super) later: Option<(Option<SignedDuration>, String)>,
}

/// The result of pushing a run.
pub(super) struct RunResult<'a> {
    run: &'a NightRun,
    event: SyncEvent,
    /// Where its nights stand at the channel now, whatever they were before.
    reached: SyncStatus,
    /// The channel's error or warning.
    error: Option<String>,
}

impl<'a> BatchOutcome<'a> {
    /// Nights that the channel surely sells now: no closing word of ours is left there, though no reading shows it.
    pub(super) fn opened(&self) -> impl Iterator<Item = &'a NightKey> {
        let confirmed = self.results.iter().filter(|result| result.reached == SyncStatus::Confirmed);
        let nights = confirmed.filter(|result| result.run.says_sale()).flat_map(|result| &result.run.nights);
        nights.filter(|night| is_for_sale(night)).map(|night| &night.key)
    }

    pub(super) fn is_to_be_read_back(&self) -> bool {
        self.results.iter().any(|result| result.reached == SyncStatus::Unconfirmed)
    }

    pub(super) fn add(&mut self, run: &'a NightRun, outcome: &Outcome) {
        let (event, error) = match outcome {
            Outcome::Accepted { confirmed, warnings, .. } => {
                let warned = (!warnings.is_empty()).then(|| warnings.join("; "));
                (SyncEvent::Acknowledged { is_stored: *confirmed, is_trusted: self.is_trusted }, warned)
            }
            // A value replaces the one before: whatever is there, this one is not.
            Outcome::Refused(errors) => (SyncEvent::Refused { may_be_there: false }, Some(describe_errors(errors))),
            Outcome::Retry(seconds) => {
                let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
                return self.retry(wait, "the channel asked for a retry".to_owned());
            }
            outcome @ (Outcome::Unknown | Outcome::Other { .. }) => {
                self.retry(None, describe_unclear(outcome));
                (SyncEvent::Unclear, None)
            }
        };
        self.results.push(RunResult { run, event, reached: SyncState::NEW.after(event).status, error });
    }

    /// Counts results, and returns the health of the room types' links.
    pub(super) fn link_results(&self, tally: &mut PushTally, runs: &'a [NightRun]) -> Vec<LinkOutcome<'a>> {
        let nights: usize = runs.iter().map(|run| run.nights.len()).sum();
        let links = self.results.iter().map(|RunResult { run, reached, error, .. }| {
            tally.count(RecordResult::from(*reached), run.nights.len());
            let why = error.clone().unwrap_or_else(|| "in doubt: the channel may have it".to_owned());
            let stands_against = matches!(reached, SyncStatus::Rejected | SyncStatus::Pending).then_some(why);
            LinkOutcome { kind: mappings::EntityKind::RoomType, id: &run.target.room_type_id, error: stands_against }
        });
        let links: Vec<LinkOutcome<'a>> = links.collect();
        let answered: usize = self.results.iter().map(|result| result.run.nights.len()).sum();
        // Nights to be retried were sent, too.
        tally.count(RecordResult::InDoubt, nights.saturating_sub(answered));
        links
    }

    fn retry(&mut self, wait: Option<SignedDuration>, why: String) {
        let longest = self.later.take().and_then(|(wait, _)| wait).max(wait);
        self.later = Some((longest, why));
    }
}

impl RunResult<'_> {
    pub(super) fn pushed(&self) -> impl Iterator<Item = PushedNight<'_>> {
        let (event, error) = (self.event, self.error.as_deref());
        self.run.nights.iter().map(move |night| PushedNight { night, event, error })
    }

    /// Audit trail line.
    pub(super) fn line(&self, source: &Source) -> Option<sync_log::NewSyncLogLine<'_>> {
        let (first, last) = self.run.span()?;
        let nights = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let (status, message) = match (self.reached, &self.error) {
            (SyncStatus::Confirmed, None) => (LogStatus::Success, nights),
            (SyncStatus::Confirmed, Some(warning)) => (LogStatus::Success, format!("{nights}: {warning}")),
            (SyncStatus::Unconfirmed, None) => (LogStatus::Pending, format!("{nights}: awaiting read-back")),
            (SyncStatus::Unconfirmed, Some(warning)) => {
                (LogStatus::Pending, format!("{nights}: awaiting read-back; {warning}"))
            }
            (SyncStatus::Rejected, why) => {
                (LogStatus::Failed, format!("{nights}: {}", why.as_deref().unwrap_or("refused")))
            }
            (SyncStatus::Pending, _) => (LogStatus::Pending, format!("{nights}: in doubt")),
        };
        Some(sync_log::NewSyncLogLine {
            source: source.id,
            entity_type: "availability",
            entity_id: &self.run.target.room_type_id,
            action: LogAction::Push,
            status,
            message: Some(message),
        })
    }
}

impl NightRun {
    pub(super) fn continues(&self, next: &NightState) -> bool {
        let follows = |last: &NightState| last.key.night.tomorrow().is_ok_and(|day| day == next.key.night);
        self.nights.last().is_some_and(|last| follows(last) && last.wanted == next.wanted)
    }

    pub(super) fn update(&self) -> CalendarUpdate {
        let night = |known: &NightState| Some(desired::parse(&known.wanted)?.into_calendar_night(known.key.night));
        CalendarUpdate {
            calendar: Calendar {
                property_id: self.target.property_id.clone(),
                room_type_id: self.target.room_type_id.clone(),
                rate_plan_id: Some(self.target.rate_plan_id.clone()).filter(|id| !id.is_empty()),
                nights: self.nights.iter().filter_map(night).collect(),
            },
            changed: self.parts,
        }
    }

    /// True if pushing this run may open nights closed at the channel.
    pub(super) fn may_open(&self) -> bool {
        self.says_sale() && self.nights.iter().any(is_for_sale)
    }

    /// True if the push changes availability. Rules count, because some channels use one flag for both.
    fn says_sale(&self) -> bool {
        self.parts.availability || self.parts.rules
    }

    pub(super) fn outgoing(&self) -> impl Iterator<Item = OutgoingNight<'_>> {
        self.nights.iter().map(|known| {
            let closes = self.says_sale() && !is_for_sale(known);
            OutgoingNight { night: known, closes }
        })
    }

    pub(super) fn span(&self) -> Option<(Date, Date)> {
        Some((self.nights.first()?.key.night, self.nights.last()?.key.night))
    }
}

/// True if units are for sale on a night as the core wants it.
pub(crate) fn is_for_sale(known: &NightState) -> bool {
    desired::parse(&known.wanted).is_some_and(|night| night.sellable() > 0)
}

/// The changed parts of a night; all parts if the channel's state is in doubt. For a night closed there by hand, only
/// the price.
pub(super) fn parts(known: &NightState, pushing: &PushSettings, is_closed: bool) -> CalendarParts {
    let is_sure = !known.state.in_doubt
        && known.state.mismatch_count == 0
        && (known.sent.is_none() || known.sent == known.confirmed);
    let has = known.confirmed.as_deref().filter(|_| is_sure).and_then(desired::parse);
    let all = CalendarParts::default();
    let wanted = desired::parse(&known.wanted);
    let new = wanted.as_ref().map_or(all, |wanted| wanted.diff(has.as_ref()));
    let new_parts = desired::intersect(new, desired::pushed_parts(pushing));
    if is_closed {
        return desired::without_sale_and_rules(new_parts);
    }
    // A forced push: send all parts, even unchanged.
    if desired::any_part(new_parts) { new_parts } else { desired::intersect(all, desired::pushed_parts(pushing)) }
}
