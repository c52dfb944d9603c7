//! What every simulated channel offers to the demo, `gassync simulate` and the tests, which know nothing else of it.
//! Ids are texts, since channels differ; money is in ten-thousandths, as in the core.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
};

use futures_util::future::BoxFuture;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Delivered, FaultSettings, SeenCall};

/// A simulated account at a channel.
pub trait Simulator: Send + Sync {
    /// The channel's name: the id of its plugin.
    fn channel(&self) -> &'static str;

    /// What the channel can do. Scenarios for anything else are not run on it.
    fn abilities(&self) -> BTreeSet<Ability>;

    /// Serves the channel's API, its webhooks and its control page (`/`) until shutdown.
    fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> BoxFuture<'static, io::Result<()>>;

    /// Settings of a source that connects to the account at this address.
    fn settings(&self, address: SocketAddr) -> BTreeMap<String, Value>;

    /// Credentials that a source can connect with, by field of the plugin's manifest. Each call returns fresh ones where
    /// the channel's can be used only once.
    fn credentials(&self) -> BTreeMap<String, String>;

    /// Sends webhooks to this address from now on.
    fn set_webhook(&self, target: WebhookTarget);

    /// Number of webhooks that wait to be delivered.
    fn webhooks_pending(&self) -> usize;

    /// All attempts to deliver webhooks, in order.
    fn deliveries(&self) -> Vec<Delivered>;

    /// Number of webhooks that were acknowledged.
    fn webhooks_acknowledged(&self) -> usize {
        self.deliveries().iter().filter(|delivered| delivered.is_acknowledged()).count()
    }

    /// The account's properties.
    fn properties(&self) -> Vec<SimulatedProperty>;

    /// All reservations, cancelled ones and blocks included.
    fn reservations(&self) -> Vec<SimulatedReservation>;

    /// Ids of reservations that were deleted for good.
    fn removed(&self) -> Vec<String>;

    /// Nights of a room type from `from` to `to`, both included; empty for an unknown room type.
    fn calendar(&self, room_type: &str, from: Date, to: Date) -> Vec<SimulatedNight>;

    /// Performs a random action; `None` if none is possible.
    fn act(&self) -> Option<Action>;

    /// Makes a reservation by hand and returns its id; `None` if there is no room.
    fn book(&self, new: &NewReservation, notification: Notification) -> Option<String>;

    /// Moves a reservation by hand to other nights; false if it is cancelled or the nights are taken.
    fn rebook(&self, id: &str, nights: (Date, Date), notification: Notification) -> bool;

    /// Cancels a reservation by hand; false if it is cancelled or unknown.
    fn cancel(&self, id: &str, notification: Notification) -> bool;

    /// Closes or opens nights by hand, both ends included; false for an unknown room type.
    fn close_by_hand(&self, room_type: &str, nights: (Date, Date), closed: bool) -> bool;

    /// Number of reservations created through the API, by the reference they were given.
    fn created_by_reference(&self) -> BTreeMap<String, usize>;

    /// The current faults.
    fn faults(&self) -> FaultSettings;

    /// Replaces the faults.
    fn set_faults(&self, faults: FaultSettings);

    /// The share of odd reservations, from 0 to 1.
    fn odd_share(&self) -> f64;

    /// Sets the share of odd reservations, from 0 to 1. The kinds take turns.
    fn set_odd(&self, share: f64);

    /// Makes, changes or cancels a reservation that is sent in this odd form from then on; `None` if the channel has no
    /// form of this name, or no reservation for it.
    fn send_odd(&self, kind: &str) -> Option<Action>;

    /// Names of the odd forms.
    fn odd_kinds(&self) -> Vec<&'static str>;

    /// How often each odd form was produced; forms that were not are missing.
    fn odd_sent(&self) -> BTreeMap<&'static str, u64>;

    /// Calls of the API, in the order they ended.
    fn requests(&self) -> Vec<SeenCall>;

    /// Further figures for the control page, such as what is left of a limit.
    fn figures(&self) -> BTreeMap<&'static str, Value> {
        BTreeMap::new()
    }
}

/// Settings that every simulated channel has.
#[derive(Debug, Clone)]
pub struct SimulatorSettings {
    /// Random seed; accounts of the same seed have the same properties.
    pub seed: u64,
    /// Number of properties.
    pub properties: u32,
    /// Number of initial reservations.
    pub bookings: u32,
    /// Initial fault settings.
    pub faults: FaultSettings,
    /// Share of odd reservations, from 0 to 1.
    pub odd: f64,
    /// True to allow more calls than the channel does, for tests and demonstrations.
    pub generous: bool,
}

impl Default for SimulatorSettings {
    fn default() -> Self {
        Self { seed: 24, properties: 3, bookings: 20, faults: FaultSettings::default(), odd: 0.0, generous: false }
    }
}

/// What a channel can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// Properties and room types can be read.
    Properties,
    /// Reservations can be polled.
    Poll,
    /// Changes of reservations are sent as webhooks.
    Webhooks,
    /// Availability and prices can be pushed.
    PushCalendar,
    /// The calendar can be read.
    ReadCalendar,
    /// Reservations can be created and cancelled through the API.
    PushReservations,
}

/// A property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedProperty {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Currency.
    pub currency: String,
    /// Room types.
    pub room_types: Vec<SimulatedRoomType>,
}

/// A room type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedRoomType {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Number of units.
    pub units: u32,
    /// Maximum people per unit.
    pub max_occupancy: u32,
}

/// A reservation as the channel has it, in the words of the standard schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedReservation {
    /// Id.
    pub id: String,
    /// Room type.
    pub room_type_id: String,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// Status.
    pub status: SimulatedStatus,
    /// The channel's own word for the status.
    pub status_word: String,
    /// Rooms of the type.
    pub rooms: u32,
    /// Adults, if the channel tells.
    pub adults: Option<u32>,
    /// Total price in ten-thousandths of the currency.
    pub total_ten_thousandths: Option<i64>,
    /// The reference that it was given when it was created through the API; empty for others.
    pub reference: String,
    /// The odd form in which it is sent.
    pub odd: Option<OddForm>,
}

/// The odd form of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OddForm {
    /// Name.
    pub kind: String,
    /// True if only a person can decide what to do with it.
    pub waits_for_a_person: bool,
    /// True if it is sent without its id.
    pub is_without_id: bool,
}

/// The status of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SimulatedStatus {
    /// Not yet accepted.
    Pending,
    /// Booked.
    Confirmed,
    /// Cancelled.
    Cancelled,
    /// Nights that are closed, without a guest.
    Block,
    /// A word of the channel's that means none of these.
    Other,
}

/// A night of a room type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulatedNight {
    /// The night.
    pub night: Date,
    /// Units left after bookings and blocks; negative if overbooked.
    pub available: i64,
    /// True if it is closed, whatever is left.
    pub is_closed: bool,
    /// Price in ten-thousandths of the currency.
    pub price_ten_thousandths: Option<i64>,
    /// Minimum nights of a stay.
    pub min_stay: Option<u32>,
}

/// A reservation to make by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReservation {
    /// Room type.
    pub room_type_id: String,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// Adults.
    pub adults: u32,
    /// Total price in whole cents.
    pub total_cents: u64,
    /// Given and family name.
    pub guest: (String, String),
}

/// An action in the account.
#[derive(Debug, Clone)]
pub struct Action {
    /// Kind.
    pub kind: ActionKind,
    /// The reservation.
    pub reservation_id: String,
    /// Whether a webhook is sent.
    pub notification: Notification,
    /// Summary without guest data.
    pub summary: String,
}

/// Kinds of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// A new reservation.
    Made,
    /// Changed dates, guests or price.
    Changed,
    /// A cancellation.
    Cancelled,
}

/// Webhook behaviour of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// A webhook is sent.
    Webhook,
    /// No webhook: only a poll finds it.
    None,
}

/// Where webhooks are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// URL.
    pub url: String,
    /// Header with the token, if the channel can send one.
    pub header: Option<(String, String)>,
}
