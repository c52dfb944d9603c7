use gassync_domain::{Entity, Query, Selection};
use jiff::Span;

use super::job::{Job, JobContext, RunningJob, done};
use crate::{
    app::App,
    channel::ChannelCallError,
    inbound::{look_up, poll_run},
    schedule::{JobOutcome, JobSpec, Refetch},
    store::{queue::BatchPolicy, sources::Source},
};

/// Calendar nights fetched if the plugin's manifest defines no window.
const DAYS_AHEAD: i64 = 365;

impl Job for Refetch {
    /// Up to the size of a query.
    const BATCH: BatchPolicy = BatchPolicy { kinds: &[Self::NAME], max: 20, independent: false };

    /// Fetches records that the channel announced, as few queries as possible.
    async fn run(
        JobContext { app, source, .. }: JobContext<'_>,
        jobs: &[RunningJob<'_, Self>],
    ) -> Result<Vec<JobOutcome>, ChannelCallError> {
        let mut queries: Vec<Query> = Vec::new();
        for job in jobs {
            add(&mut queries, query(app, source, &job.args).await?);
        }
        for query in queries {
            look_up::run(app, source, query).await?;
        }
        done(jobs)
    }
}

/// Merges ids of one entity into one query, without duplicates.
fn add(queries: &mut Vec<Query>, query: Query) {
    if let Selection::Some(more) = &query.selection {
        let same = |known: &&mut Query| known.entity == query.entity;
        if let Some(Query { selection: Selection::Some(ids), .. }) = queries.iter_mut().find(same) {
            ids.extend(more.iter().filter(|id| !ids.contains(id)).cloned().collect::<Vec<_>>());
            return;
        }
    }
    if !queries.contains(&query) {
        queries.push(query);
    }
}

/// Room types and rate plans are fetched with their property, as channels return them.
async fn query(app: &App, source: &Source, refetch: &Refetch) -> Result<Query, ChannelCallError> {
    let entity = refetch.entity;
    if refetch.whole && entity != Entity::Calendar {
        return Ok(Query::new(entity, Selection::Everything));
    }
    Ok(match (entity, refetch.id.clone()) {
        (Entity::Reservation | Entity::Guest | Entity::Block, Some(id)) => {
            Query::new(entity, Selection::Some(vec![id]))
        }
        (Entity::Calendar, room_type_id) => {
            Query { room_type_id, ..Query::new(entity, of_its_kind(app, source, entity).await?) }
        }
        (Entity::Property | Entity::RoomType | Entity::RatePlan, Some(_)) => Query::new(entity, Selection::Everything),
        (_, None) => Query::new(entity, of_its_kind(app, source, entity).await?),
    })
}

/// The selection of the plugin's poll for this entity, if it has one.
async fn of_its_kind(app: &App, source: &Source, entity: Entity) -> Result<Selection, ChannelCallError> {
    let plugin = app.plugins.get(&source.source_type);
    let polls = plugin.as_ref().map(|plugin| plugin.manifest().polls.as_slice()).unwrap_or_default();
    match polls.iter().find(|poll| poll.entity == entity) {
        Some(poll) => Ok(poll_run::selection(app, source, poll).await?),
        None if entity == Entity::Calendar => {
            let start = poll_run::today(app, source).await?;
            Ok(Selection::Within { start, until: start.saturating_add(Span::new().days(DAYS_AHEAD)) })
        }
        None => Ok(Selection::Everything),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_merged_into_one_query_without_duplicates() {
        let some = |entity, id: &str| Query::new(entity, Selection::Some(vec![id.to_owned()]));
        let mut queries = Vec::new();
        let calendar = Query::new(Entity::Calendar, Selection::Everything);
        let of_room = Query { room_type_id: Some("7".to_owned()), ..calendar.clone() };
        for query in [
            some(Entity::Reservation, "1"),
            calendar.clone(),
            some(Entity::Reservation, "2"),
            some(Entity::Guest, "1"),
            calendar.clone(),
            some(Entity::Reservation, "1"),
            of_room.clone(),
        ] {
            add(&mut queries, query);
        }
        let both = Query::new(Entity::Reservation, Selection::Some(vec!["1".to_owned(), "2".to_owned()]));
        assert_eq!(queries, [both, calendar, some(Entity::Guest, "1"), of_room]);
    }
}
