//! `gassync source status`, `push` and `push-settings`.

use clap::{Args, ValueEnum};
use gassync_domain::{Amount, BookingsPushed, BreakerState, PushSettings, Rounding, SyncStatus};

use super::{client::Client, print, say, table::print_row};
use gassync::admin::{
    BookingSyncResponse, NewPush, OutboundAgeResponse, PushResponse, RejectedNightsResponse, SourceResponse, paths,
};

/// Maximum number of pending bookings shown per source.
const BOOKINGS: usize = 20;

/// Arguments of `source push-settings`; omitted settings stay.
#[derive(Debug, Args)]
pub struct PushSettingsArgs {
    /// Source name or number
    name: String,
    /// Whether anything is pushed
    #[arg(long)]
    enabled: Option<bool>,
    /// Bookings to push: none, direct (not sold by another channel), all
    #[arg(long)]
    bookings: Option<Bookings>,
    /// Whether availability is pushed
    #[arg(long)]
    availability: Option<bool>,
    /// Whether prices and stay rules are pushed
    #[arg(long)]
    prices: Option<bool>,
    /// Price mark-up in percent, negative for a discount; 0 for none
    #[arg(long, allow_hyphen_values = true, conflicts_with = "amount")]
    percent: Option<Amount>,
    /// Price mark-up as an amount, negative for a discount; 0 for none
    #[arg(long, allow_hyphen_values = true)]
    amount: Option<Amount>,
    /// Price rounding: none, up, down, nearest
    #[arg(long)]
    round: Option<Round>,
    /// Round to multiples of this
    #[arg(long)]
    step: Option<Amount>,
    /// Currency at the channel (ISO 4217)
    #[arg(long, requires = "rate")]
    currency: Option<String>,
    /// Exchange rate: channel currency per unit of core currency
    #[arg(long, requires = "currency")]
    rate: Option<Amount>,
    /// Units of each room type held back from the channel
    #[arg(long)]
    safety_stock: Option<u32>,
    /// Number of nights pushed, from today
    #[arg(long)]
    horizon_days: Option<u32>,
    /// Whether pushes are confirmed only by a read-back
    #[arg(long)]
    read_back: Option<bool>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bookings {
    None,
    Direct,
    All,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Round {
    None,
    Up,
    Down,
    Nearest,
}

impl PushSettingsArgs {
    /// Changes the given settings and prints all of them.
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = paths::source_pushing(&self.name);
        let before: PushSettings = client.get(&path).await?;
        let json = self.json;
        let after = self.over(before.clone());
        if after != before {
            client.post::<()>(&path, &after).await?;
        }
        let shown = if json { serde_json::to_string(&after)? } else { serde_json::to_string_pretty(&after)? };
        print(&shown);
        Ok(())
    }

    fn over(self, mut rules: PushSettings) -> PushSettings {
        let some = |amount: Amount| Some(amount).filter(|amount| amount.ten_thousandths() != 0);
        rules.enabled = self.enabled.unwrap_or(rules.enabled);
        rules.availability = self.availability.unwrap_or(rules.availability);
        rules.prices = self.prices.unwrap_or(rules.prices);
        rules.safety_stock = self.safety_stock.unwrap_or(rules.safety_stock);
        rules.horizon_days = self.horizon_days.unwrap_or(rules.horizon_days);
        rules.read_back = self.read_back.unwrap_or(rules.read_back);
        if let Some(bookings) = self.bookings {
            rules.bookings = match bookings {
                Bookings::None => BookingsPushed::None,
                Bookings::Direct => BookingsPushed::Direct,
                Bookings::All => BookingsPushed::All,
            };
        }
        let adjustment = &mut rules.price_adjustment;
        if let Some(percent) = self.percent {
            (adjustment.percent, adjustment.amount) = (some(percent), None);
        }
        if let Some(amount) = self.amount {
            (adjustment.percent, adjustment.amount) = (None, some(amount));
        }
        if let Some(round) = self.round {
            adjustment.rounding = match round {
                Round::None => Rounding::None,
                Round::Up => Rounding::Up,
                Round::Down => Rounding::Down,
                Round::Nearest => Rounding::Nearest,
            };
            if adjustment.rounding == Rounding::None {
                adjustment.step = None;
            }
        }
        adjustment.step = self.step.or(adjustment.step);
        if self.currency.is_some() {
            (rules.currency, rules.rate) = (self.currency, self.rate);
        }
        rules
    }
}

/// Prints how up to date a channel is, or all channels.
pub async fn status(client: &Client, name: Option<String>, json: bool) -> anyhow::Result<()> {
    let names = match name {
        Some(name) => vec![name],
        None => {
            let sources: Vec<SourceResponse> = client.get(paths::SOURCES).await?;
            sources.into_iter().map(|source| source.id.to_string()).collect()
        }
    };
    for name in names {
        let source: SourceResponse = client.get(&paths::source(&name)).await?;
        let age: OutboundAgeResponse = client.get(&paths::source_age(&name)).await?;
        let bookings: Vec<BookingSyncResponse> = client.get(&paths::source_bookings(&name)).await?;
        let open: Vec<&BookingSyncResponse> =
            bookings.iter().filter(|booking| booking.state != SyncStatus::Confirmed).take(BOOKINGS).collect();
        if json {
            print(&serde_json::json!({ "source": source, "age": age, "bookings": open }).to_string());
            continue;
        }
        print_row(&[&source.id, &source.name, &source.channel, &source.status]);
        if source.listening {
            print(&format!("      listening only: nothing is pushed before `gassync source go-live {name} --plan`"));
        }
        print_age(&age);
        for booking in open {
            let why = booking.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            print(&format!("      booking {} {} since {:.0}{why}", booking.gas_id, booking.state, booking.since));
        }
    }
    Ok(())
}

fn print_age(age: &OutboundAgeResponse) {
    match (age.oldest_missing, age.missing_for_seconds) {
        (Some(at), Some(seconds)) => {
            print(&format!("      oldest pending change: {at:.0}, {seconds} s ago"));
        }
        _ => print("      no pending changes"),
    }
    if let Some(at) = age.newest_confirmed {
        print(&format!("      last confirmed: {at:.0}"));
    }
    print(&format!(
        "      nights: {} confirmed, {} pending, {} unconfirmed, {} rejected",
        age.nights_confirmed, age.nights_pending, age.nights_unconfirmed, age.nights_rejected
    ));
    print(&format!(
        "      bookings: {} confirmed, {} pending or unconfirmed, {} rejected",
        age.bookings_confirmed, age.bookings_pending, age.bookings_rejected
    ));
    for refused in &age.rejected {
        let why = refused.why.as_deref().unwrap_or("no reason given");
        print(&format!(
            "      rejected: {} nights of {} from {} to {}: {why}",
            refused.nights, refused.room_type_id, refused.from, refused.to
        ));
    }
    let by_hand = |what: &str, spans: &[RejectedNightsResponse]| {
        for RejectedNightsResponse { nights, room_type_id, from, to, why, .. } in spans {
            let why = why.as_deref().unwrap_or_default();
            print(&format!("      {what} manually: {nights} nights of {room_type_id} from {from} to {to}: {why}"));
        }
    };
    by_hand("changed", &age.differing);
    by_hand("closed", &age.closed_by_hand);
    if let (BreakerState::Open, Some(until)) = (age.breaker, age.paused_until) {
        print(&format!("      circuit breaker open until {until:.0}"));
    }
}

/// Pushes pending changes, or everything.
pub async fn push(client: &Client, name: &str, all: bool, json: bool) -> anyhow::Result<()> {
    let begun: PushResponse = client.post(&paths::source_push(&name), &NewPush { all }).await?;
    if json {
        print(&serde_json::to_string(&begun)?);
        return Ok(());
    }
    let what = if all { "All nights within the horizon are" } else { "Pending changes are" };
    say(&format!("{what} pushed to {name}. `gassync source status {name}` shows the progress."));
    Ok(())
}
