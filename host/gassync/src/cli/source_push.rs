//! How a source's channel stands to the core, and how it is told.

use clap::{Args, ValueEnum};
use gassync_domain::{Amount, BookingsPushed, BreakerState, Pushing, Rounding};

use super::{client::Client, print, say};
use crate::admin::{AgeShown, BookingShown, NewPush, PushBegun, RefusedShown, SourceShown};

/// Bookings shown with a source that are not there.
const BOOKINGS: usize = 20;

/// What is to be changed of how a source is told; what is not said stays.
#[derive(Debug, Args)]
pub struct PushSettingsArgs {
    /// The source's name, or its number
    name: String,
    /// Whether it is told anything
    #[arg(long)]
    enabled: Option<bool>,
    /// Which bookings: none, direct (those of no other channel), all
    #[arg(long)]
    bookings: Option<Bookings>,
    /// Whether it is told what can be sold
    #[arg(long)]
    availability: Option<bool>,
    /// Whether it is told prices and rules of stay
    #[arg(long)]
    prices: Option<bool>,
    /// Percent added to prices, below zero taken off; 0 for none
    #[arg(long, allow_hyphen_values = true, conflicts_with = "amount")]
    percent: Option<Amount>,
    /// Money added to prices, below zero taken off; 0 for none
    #[arg(long, allow_hyphen_values = true)]
    amount: Option<Amount>,
    /// Prices are rounded: none, up, down, nearest
    #[arg(long)]
    round: Option<Round>,
    /// To multiples of this
    #[arg(long)]
    step: Option<Amount>,
    /// ISO 4217: what the channel's prices are in
    #[arg(long, requires = "rate")]
    currency: Option<String>,
    /// How much of it one of the core's is
    #[arg(long, requires = "currency")]
    rate: Option<Amount>,
    /// Units of each room type that are not offered there
    #[arg(long)]
    safety_stock: Option<u32>,
    /// Nights from today on that it is told of
    #[arg(long)]
    horizon_days: Option<u32>,
    /// Whether what it says it took counts only after it was read there
    #[arg(long)]
    read_back: Option<bool>,
    /// One JSON document
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
    /// Changes what is said, and shows the whole.
    pub async fn run(self, client: &Client) -> anyhow::Result<()> {
        let path = format!("/admin/v1/sources/{}/pushing", self.name);
        let before: Pushing = client.get(&path).await?;
        let json = self.json;
        let after = self.over(before.clone());
        if after != before {
            let _: serde_json::Value = client.post(&path, &after).await?;
        }
        let shown = if json { serde_json::to_string(&after)? } else { serde_json::to_string_pretty(&after)? };
        print(&shown);
        Ok(())
    }

    fn over(self, mut rules: Pushing) -> Pushing {
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

/// How old what a channel has is; of all channels, where none is named.
pub async fn status(client: &Client, name: Option<String>, json: bool) -> anyhow::Result<()> {
    let names = match name {
        Some(name) => vec![name],
        None => {
            let sources: Vec<SourceShown> = client.get("/admin/v1/sources").await?;
            sources.into_iter().map(|source| source.id.to_string()).collect()
        }
    };
    for name in names {
        let source: SourceShown = client.get(&format!("/admin/v1/sources/{name}")).await?;
        let age: AgeShown = client.get(&format!("/admin/v1/sources/{name}/age")).await?;
        let bookings: Vec<BookingShown> = client.get(&format!("/admin/v1/sources/{name}/bookings")).await?;
        let open: Vec<&BookingShown> =
            bookings.iter().filter(|booking| booking.state != "confirmed").take(BOOKINGS).collect();
        if json {
            print(&serde_json::json!({ "source": source, "age": age, "bookings": open }).to_string());
            continue;
        }
        print(&format!("{:<5} {:<20} {:<12} {}", source.id, source.name, source.channel, source.status));
        if source.listening {
            print(&format!("      it listens: nothing is told to it before `gassync source go-live {name} --plan`"));
        }
        print_age(&age);
        for booking in open {
            let why = booking.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            print(&format!("      booking {} {} since {:.0}{why}", booking.gas_id, booking.state, booking.since));
        }
    }
    Ok(())
}

fn print_age(age: &AgeShown) {
    match (age.oldest_missing, age.missing_for_seconds) {
        (Some(at), Some(seconds)) => {
            print(&format!("      oldest change that is not there: {at:.0}, {seconds} s ago"));
        }
        _ => print("      all that was to be told is there"),
    }
    if let Some(at) = age.newest_confirmed {
        print(&format!("      last known to be there: {at:.0}"));
    }
    print(&format!(
        "      nights: {} confirmed, {} pending, {} unconfirmed, {} rejected",
        age.nights_confirmed, age.nights_pending, age.nights_unconfirmed, age.nights_rejected
    ));
    print(&format!(
        "      bookings: {} confirmed, {} pending or unconfirmed, {} rejected",
        age.bookings_confirmed, age.bookings_pending, age.bookings_rejected
    ));
    for refused in &age.refused {
        let why = refused.why.as_deref().unwrap_or("it does not say why");
        print(&format!(
            "      refused: {} nights of {} from {} to {}: {why}",
            refused.nights, refused.room_type_id, refused.from, refused.to
        ));
    }
    let by_hand = |what: &str, spans: &[RefusedShown]| {
        for RefusedShown { nights, room_type_id, from, to, why, .. } in spans {
            let why = why.as_deref().unwrap_or_default();
            print(&format!("      {what} by hand: {nights} nights of {room_type_id} from {from} to {to}: {why}"));
        }
    };
    by_hand("set otherwise", &age.differing);
    by_hand("closed", &age.closed_by_hand);
    if let (BreakerState::Open, Some(until)) = (age.breaker, age.left_alone_until) {
        print(&format!("      the channel has failed too often and is left alone until {until:.0}"));
    }
}

/// Has what a channel does not have sent now, or all of it.
pub async fn push(client: &Client, name: &str, all: bool, json: bool) -> anyhow::Result<()> {
    let begun: PushBegun = client.post(&format!("/admin/v1/sources/{name}/push"), &NewPush { all }).await?;
    if json {
        print(&serde_json::to_string(&begun)?);
        return Ok(());
    }
    let what = if all { "All nights within its horizon are" } else { "What it does not have is" };
    say(&format!("{what} sent to {name}. `gassync source status {name}` tells how far it is."));
    Ok(())
}
