//! Compares the core with both simulated accounts.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use gassync_domain::{Amount, SourceId, SourceKey, Status};
use gassync_simulator::{SimulatedReservation, SimulatedStatus, Simulator};
use serde_json::Value;

use super::{
    Client,
    context::{LOOK, SETTLE},
    engine::{self, BookingEngine},
    follow::Follower,
    odd, print,
    stage::Stage,
};
use gassync::{app::App, store};

/// Number of nights compared.
const DAYS: i64 = 300;

/// Waits until the core equals both accounts, or until the time limit.
pub async fn settle(
    app: &Arc<App>,
    client: &Client,
    stage: &Stage,
    engine: &mut BookingEngine<'_>,
    follower: &mut Follower<'_>,
) -> anyhow::Result<Vec<String>> {
    let until = Instant::now() + SETTLE;
    loop {
        follower.look().await?;
        engine.look();
        let waiting = odd::waiting(client).await?;
        let mut differences = Vec::new();
        for seller in stage.both() {
            differences.extend(bookings_differ(app, stage, seller, &waiting).await?);
        }
        differences.extend(nights_differ(app, stage).await?);
        differences.extend(engine.differences());
        let pending = stage.first.webhooks_pending() + stage.second.webhooks_pending();
        let quiet =
            differences.is_empty() && pending == 0 && engine.is_settled() && is_fully_delivered(app, stage).await?;
        if quiet || Instant::now() >= until {
            differences.extend(engine.doubled());
            return Ok(differences);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the core has nothing pending for either source.
async fn is_fully_delivered(app: &App, stage: &Stage) -> anyhow::Result<bool> {
    let mut tx = app.db.read(stage.account).await?;
    for source in [stage.sources.0, stage.sources.1] {
        if store::outbound::ages::of_source(&mut tx, SourceKey { account: stage.account, source })
            .await?
            .oldest_missing
            .is_some()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Nights that are sellable in the core but not at the second account, or the reverse.
async fn nights_differ(app: &App, stage: &Stage) -> anyhow::Result<Vec<String>> {
    let mut differences = Vec::new();
    for room in &stage.rooms {
        let free = engine::free(app, stage, room, DAYS).await?;
        let (Some((first, _)), Some((last, _))) = (free.first(), free.last()) else { continue };
        let shown = stage.second.calendar(&room.id, *first, *last);
        for ((night, free), shown) in free.iter().zip(&shown) {
            // The channel decrements its own availability: a sold-out night needs no write.
            if (*free <= 0 && !shown.is_closed && shown.available > 0) || (*free > 0 && shown.is_closed) {
                differences
                    .push(format!("room {} on {night}: the core has {free} left, demo-second {shown:?}", room.id));
            }
        }
    }
    Ok(differences)
}

/// Differences between the bookings of the core and those of a channel.
async fn bookings_differ(
    app: &App,
    stage: &Stage,
    (name, channel, source): (&str, &dyn Simulator, SourceId),
    waiting: &[Value],
) -> anyhow::Result<Vec<String>> {
    let core = bookings(app, stage, source).await?;
    let mut differences = Vec::new();
    let book = booked(channel);
    for entry in &book {
        let found: Vec<_> = core.iter().filter(|(id, _)| *id == entry.id).collect();
        if odd::is_named(name, entry, waiting) {
            continue;
        }
        // A booking cancelled before it was ever sent need not be in the core.
        if found.is_empty() && entry.odd.is_some() && entry.status == SimulatedStatus::Cancelled {
            continue;
        }
        let [(_, facts)] = found.as_slice() else {
            differences.push(format!("{name}: booking {} is in the core {} times", entry.id, found.len()));
            continue;
        };
        let status = match entry.status {
            SimulatedStatus::Pending => "pending",
            SimulatedStatus::Confirmed => "confirmed",
            SimulatedStatus::Cancelled => "cancelled",
            SimulatedStatus::Block | SimulatedStatus::Other => entry.status_word.as_str(),
        };
        let price = facts.total_price.map(|price| Amount::from(price).ten_thousandths());
        let theirs = (status, entry.check_in, entry.check_out, entry.adults.map(i64::from));
        let ours = (facts.status.as_str(), facts.check_in.0, facts.check_out.0, facts.adults);
        let owed = entry.total_ten_thousandths;
        if theirs != ours || price != owed {
            let said = entry.odd.as_ref().map(|odd| format!(", odd form: {}", odd.kind)).unwrap_or_default();
            let (theirs, ours) = ((theirs, owed), (ours, price));
            differences.push(format!("{name}: booking {}: it has {theirs:?}, the core {ours:?}{said}", entry.id));
        }
    }
    let removed = channel.removed();
    for (id, facts) in &core {
        // It was cancelled before it was deleted, so it holds no nights.
        let is_removed = facts.status == Status::Cancelled && removed.contains(id);
        if !is_removed && !book.iter().any(|entry| entry.id == *id) {
            differences.push(format!("{name}: booking {id} is in the core but not at the channel"));
        }
    }
    Ok(differences)
}

/// The reservations of a channel, without blocks.
fn booked(channel: &dyn Simulator) -> Vec<SimulatedReservation> {
    let all = channel.reservations().into_iter();
    all.filter(|entry| entry.status != SimulatedStatus::Block).collect()
}

async fn bookings(
    app: &App,
    stage: &Stage,
    source: SourceId,
) -> anyhow::Result<Vec<(String, store::core::bookings::BookingFacts)>> {
    let mut tx = app.db.platform_read().await?;
    Ok(store::core::bookings::bookings_of_source(&mut tx, SourceKey { account: stage.account, source }).await?)
}

pub async fn summary(
    app: &App,
    client: &Client,
    stage: &Stage,
    engine: &BookingEngine<'_>,
    differences: &[String],
) -> anyhow::Result<ExitCode> {
    for (name, channel, source) in stage.both() {
        let core = bookings(app, stage, source).await?;
        let cancelled = core.iter().filter(|(_, facts)| facts.status == Status::Cancelled).count();
        let booked = booked(channel).len();
        let blocks = channel.reservations().len() - booked;
        print(&format!("{name}: bookings in the core   {} ({cancelled} cancelled)", core.len()));
        print(&format!("{name}: bookings at the channel {booked} (and {blocks} blocks)"));
        print(&format!("{name}: webhooks delivered     {}", channel.webhooks_acknowledged()));
    }
    let mut times = engine.times.clone();
    times.sort_unstable();
    if let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) {
        let millis = |time: &Duration| time.as_millis();
        print(&format!(
            "direct bookings reached both accounts after {} ms (median), {} ms (maximum), of {}",
            millis(median),
            millis(longest),
            times.len()
        ));
    }
    odd::list(client, &stage.both()).await?;
    for difference in differences {
        print(&format!("DIFFERENCE  {difference}"));
    }
    if differences.is_empty() {
        print("The core matches both accounts, and both calendars match the core.");
        Ok(ExitCode::SUCCESS)
    } else {
        print(&format!("{} differences", differences.len()));
        Ok(ExitCode::FAILURE)
    }
}
