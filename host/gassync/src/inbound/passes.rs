//! Whether the pages of a fetch are all there is.
//!
//! A record that is deleted between two pages shifts the rest, and one of them is on no page that was read. So a list of several
//! pages that is not asked for again is read once more, until a pass brings no record that the run did not have.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use gassync_domain::{Change, ChangeKind, Entity, EntityRef, Page, Query, Selection, Timestamp};

use super::apply::external_id;

/// Most passes over a list; where the last still brought something new the next poll begins where this one did.
const MAX_PASSES: u32 = 3;
/// Most pages of a pass.
const MAX_PAGES: u32 = 10_000;
/// Pages in a row that bring nothing that the pass did not have.
const MAX_KNOWN_PAGES: u32 = 3;
/// Pages in a row that bring nothing at all.
const MAX_EMPTY_PAGES: u32 = 100;
/// Records of a run that are remembered; a longer list is read once.
const MAX_RECORDS: usize = 1_000_000;

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// The next page.
    NextPage,
    /// The first page, once more.
    NextPass,
    /// Nothing: the list was read.
    Whole,
    /// Nothing: every pass brought something new.
    Unsettled,
    /// Nothing: the rest waits for the next run.
    Cut,
}

/// A list that does not end, and how that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndlessFetch(pub String);

/// What the pages of a run have brought so far.
#[derive(Debug)]
pub struct Passes {
    /// Whether a list of several pages is read again.
    rereads: bool,
    /// Every word counts, also a second one of a record.
    counts_every_record: bool,
    /// What was read is gone from there.
    is_queue: bool,
    began: Timestamp,
    run: HashSet<u64>,
    pass: HashSet<u64>,
    passes: u32,
    pages: u32,
    known_pages: u32,
    empty_pages: u32,
    any_new: bool,
}

impl Passes {
    /// Of a run that began at this time.
    pub fn new(query: &Query, began: Timestamp) -> Self {
        let moves_on = match query.selection {
            Selection::Everything | Selection::ChangedSince(_) => true,
            // Nights are polled again as a whole; what a backfill reads of bookings is not.
            Selection::Within { .. } => query.entity != Entity::Calendar,
            Selection::After(_) | Selection::Some(_) | Selection::Queue(_) => false,
        };
        Self {
            rereads: moves_on,
            counts_every_record: matches!(query.selection, Selection::After(_) | Selection::Queue(_)),
            is_queue: matches!(query.selection, Selection::Queue(_)),
            began,
            run: HashSet::new(),
            pass: HashSet::new(),
            passes: 1,
            pages: 0,
            known_pages: 0,
            empty_pages: 0,
            any_new: false,
        }
    }

    /// Takes a page into account, and leaves in it what the passes before this one did not have.
    pub fn take(&mut self, page: &mut Page) -> Result<NextStep, EndlessFetch> {
        self.pages += 1;
        let keys: Vec<u64> = page.changes.iter().map(|change| self.key(change)).collect();
        self.check_end(&keys, page.next.is_some())?;
        let before = self.passes > 1;
        let mut keys_of = keys.iter();
        let (run, began) = (&self.run, self.began);
        let mut any_new = self.any_new;
        page.changes.retain(|change| {
            let is_new = keys_of.next().is_some_and(|key| !run.contains(key));
            any_new |= before && is_new && !is_asked_for_again(change, began);
            is_new || !before
        });
        self.any_new = any_new;
        self.pass.extend(keys);
        if page.next.is_some() {
            return match self.pages {
                MAX_PAGES if self.is_queue => Ok(NextStep::Cut),
                MAX_PAGES => Err(EndlessFetch(format!("{MAX_PAGES} pages and there are more"))),
                _ => Ok(NextStep::NextPage),
            };
        }
        Ok(self.end_pass())
    }

    fn end_pass(&mut self) -> NextStep {
        let is_over = if self.passes == 1 { self.pages == 1 || !self.rereads } else { !self.any_new };
        self.run.extend(self.pass.drain());
        if is_over || self.run.len() > MAX_RECORDS {
            return NextStep::Whole;
        }
        if self.passes == MAX_PASSES {
            return NextStep::Unsettled;
        }
        self.passes += 1;
        (self.pages, self.known_pages, self.empty_pages, self.any_new) = (0, 0, 0, false);
        NextStep::NextPass
    }

    fn check_end(&mut self, keys: &[u64], another: bool) -> Result<(), EndlessFetch> {
        let is_known = !keys.is_empty() && keys.iter().all(|key| self.pass.contains(key));
        self.known_pages = if is_known { self.known_pages + 1 } else { 0 };
        self.empty_pages = if keys.is_empty() { self.empty_pages + 1 } else { 0 };
        if another && self.known_pages >= MAX_KNOWN_PAGES {
            return Err(EndlessFetch(format!("{MAX_KNOWN_PAGES} pages brought only what came before")));
        }
        if another && self.empty_pages >= MAX_EMPTY_PAGES {
            return Err(EndlessFetch(format!("{MAX_EMPTY_PAGES} pages brought nothing")));
        }
        Ok(())
    }

    /// A record is what its id says; of a stream, and of what has no id of its own, every word counts.
    fn key(&self, change: &Change) -> u64 {
        let mut hasher = DefaultHasher::new();
        let id = match &change.data {
            ChangeKind::Calendar(_) => None,
            ChangeKind::Removed(EntityRef { id, .. }) => Some(id.as_str()),
            ChangeKind::Unreadable(unreadable) => unreadable.id.as_deref(),
            _ => external_id(change),
        };
        match id.filter(|_| !self.counts_every_record) {
            Some(id) => (std::mem::discriminant(&change.data), id).hash(&mut hasher),
            None => {
                // A form that cannot be written is equal to any other such: at worst a list is read once.
                serde_json::to_vec(&change.data).unwrap_or_default().hash(&mut hasher);
                let unreadable = match &change.data {
                    ChangeKind::Unreadable(unreadable) => unreadable.raw.as_deref(),
                    _ => None,
                };
                unreadable.hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

/// Whether the next run asks for it in any case: it was changed after this one began.
fn is_asked_for_again(change: &Change, began: Timestamp) -> bool {
    match &change.data {
        ChangeKind::Reservation(reservation) => reservation.modified_at.is_some_and(|at| at >= began),
        ChangeKind::Block(block) => block.modified_at.is_some_and(|at| at >= began),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use gassync_domain::{Calendar, Date, Reservation, Scope};
    use serde_json::json;

    use super::*;

    const BEGAN: &str = "2027-03-01T12:00:00Z";

    fn reservation(id: &str) -> Reservation {
        let record = json!({ "id": id, "status": "confirmed" });
        serde_json::from_value(record).expect("a reservation")
    }

    fn booking(id: &str) -> Change {
        Change::new(ChangeKind::Reservation(Box::new(reservation(id))), None)
    }

    fn page(changes: Vec<Change>, another: bool) -> Page {
        let next = another.then(|| "on".to_owned());
        Page { changes, next, resume: None, scope: Scope::Delta, wait_seconds: None }
    }

    fn bookings(ids: &[&str], another: bool) -> Page {
        page(ids.iter().map(|id| booking(id)).collect(), another)
    }

    fn run(selection: Selection) -> Passes {
        Passes::new(&Query::new(Entity::Reservation, selection), BEGAN.parse().expect("a time"))
    }

    fn left(page: &Page) -> Vec<&str> {
        page.changes.iter().filter_map(external_id).collect()
    }

    #[test]
    fn one_page_is_read_once() {
        let mut run = run(Selection::Everything);
        assert_eq!(run.take(&mut bookings(&["1", "2"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn several_pages_are_reread_until_stable() {
        let mut run = run(Selection::Everything);
        assert_eq!(run.take(&mut bookings(&["1", "2"], true)), Ok(NextStep::NextPage));
        // 1 was deleted: 3 has moved to the page that was read.
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::NextPass));
        let mut first = bookings(&["2", "3"], true);
        assert_eq!(run.take(&mut first), Ok(NextStep::NextPage));
        assert_eq!(left(&first), ["3"]);
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::NextPass));
        assert_eq!(run.take(&mut bookings(&["2", "3"], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["4"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn a_list_that_never_settles_is_given_up() {
        let mut run = run(Selection::Everything);
        for pass in 0..3 {
            let ids = [format!("{pass}a"), format!("{pass}b")];
            assert_eq!(run.take(&mut bookings(&[&ids[0]], true)), Ok(NextStep::NextPage));
            let after = run.take(&mut bookings(&[&ids[1]], false)).expect("a page");
            assert_eq!(after, if pass == 2 { NextStep::Unsettled } else { NextStep::NextPass });
        }
    }

    #[test]
    fn later_changes_are_left_to_the_next_run() {
        let mut run = run(Selection::Everything);
        let late = || {
            let modified_at = Some(BEGAN.parse().expect("a time"));
            let reservation = Reservation { modified_at, ..reservation("9") };
            Change::new(ChangeKind::Reservation(Box::new(reservation)), None)
        };
        assert_eq!(run.take(&mut bookings(&["1"], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["2"], false)), Ok(NextStep::NextPass));
        assert_eq!(run.take(&mut page(vec![booking("1"), late()], true)), Ok(NextStep::NextPage));
        assert_eq!(run.take(&mut bookings(&["2"], false)), Ok(NextStep::Whole));
    }

    #[test]
    fn pages_that_repeat_end_the_run() {
        for selection in [Selection::Everything, Selection::Queue("new".to_owned())] {
            let mut run = run(selection);
            assert_eq!(run.take(&mut bookings(&["1", "2"], true)), Ok(NextStep::NextPage));
            let mut pages = 1;
            while run.take(&mut bookings(&["1", "2"], true)).is_ok() {
                pages += 1;
                assert!(pages < 10, "it has no end");
            }
            assert_eq!(pages, 3);
        }
        let mut run = run(Selection::Everything);
        assert!((0..100).any(|_| run.take(&mut bookings(&[], true)).is_err()));
    }

    #[test]
    fn a_room_may_appear_on_several_calendar_pages() {
        let start = Date::constant(2027, 6, 1);
        let until = Date::constant(2027, 7, 1);
        let mut run = Passes::new(
            &Query::new(Entity::Calendar, Selection::Within { start, until }),
            BEGAN.parse().expect("a time"),
        );
        for day in 1..=20 {
            let night = json!({ "date": Date::constant(2027, 6, day), "available": true });
            let nights = vec![serde_json::from_value(night).expect("a night")];
            let calendar = Calendar { property_id: None, room_type_id: "7".to_owned(), rate_plan_id: None, nights };
            let after = run.take(&mut page(vec![Change::new(ChangeKind::Calendar(calendar), None)], day < 20));
            assert_eq!(after, Ok(if day < 20 { NextStep::NextPage } else { NextStep::Whole }));
        }
    }
}
