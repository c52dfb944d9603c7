//! Setup: the same rooms at two accounts and a booking engine.

use std::{sync::Arc, time::Instant};

use anyhow::Context;
use gassync_domain::{AccountId, CoreId, SourceId};
use gassync_simulator::{Simulator, WebhookTarget};
use serde_json::{Value, json};

use super::{
    Client,
    context::{LOOK, SETTLE, Simulated},
    follow::Follower,
};
use gassync::{
    admin::{
        CreatedKey, CreatedSource, GoLive, GoLivePlan, LinkPlan, LinkResponse, NewKey, NewLink, NewSourceRequest,
        ParkedRecordResponse,
    },
    app::App,
    store::{self, mappings::EntityKind},
};

const ACCOUNT: &str = "Demo Holidays";
/// The source that creates the properties.
const FIRST: &str = "demo-beds24";
/// The second source, selling the same rooms.
const SECOND: &str = "demo-second";
/// The direct booking engine.
const ENGINE: &str = "demo-engine";

/// A room type sold by all three sellers.
#[derive(Debug, Clone)]
pub struct Room {
    /// Its id at both accounts, which share a seed.
    pub id: String,
    /// Its id at the engine.
    pub of_engine: String,
    /// Its unit in the core.
    pub unit: CoreId,
    /// Number of units.
    pub units: u32,
}

/// The sellers of the demo.
pub struct Stage {
    pub first: Arc<dyn Simulator>,
    pub second: Arc<dyn Simulator>,
    pub account: AccountId,
    pub sources: (SourceId, SourceId),
    /// The engine's key for the standard API.
    pub key: String,
    pub rooms: Vec<Room>,
}

impl Stage {
    /// Both accounts with the names of their sources.
    pub fn both(&self) -> [(&'static str, &dyn Simulator, SourceId); 2] {
        [(FIRST, &*self.first, self.sources.0), (SECOND, &*self.second, self.sources.1)]
    }

    pub async fn set(
        app: &Arc<App>,
        client: &Client,
        first: &Simulated,
        second: &Simulated,
        follower: &mut Follower<'_>,
    ) -> anyhow::Result<Self> {
        let until = Instant::now() + SETTLE;
        let wait = async |what: &str| {
            anyhow::ensure!(Instant::now() < until, "{what} after {} s", SETTLE.as_secs());
            tokio::time::sleep(LOOK).await;
            Ok(())
        };
        while client.get::<Vec<Value>>("/admin/v1/plugins").await.map_or(true, |plugins| plugins.is_empty()) {
            wait("the plugin is not loaded").await?;
        }
        let of_first = connect(client, first, FIRST).await?;
        let houses = first.account.properties();
        let expected = houses.iter().map(|house| 1 + house.room_types.len()).sum();
        let known = loop {
            follower.look().await?;
            let links: Vec<LinkResponse> = client.get(&format!("/admin/v1/sources/{FIRST}/links")).await?;
            let links: Vec<LinkResponse> =
                links.into_iter().filter(|link| ["property", "room_type"].contains(&link.kind.as_str())).collect();
            if links.len() >= expected {
                break links;
            }
            wait("the properties are not in the core").await?;
        };
        let of_second = connect(client, second, SECOND).await?;
        while client.get::<Vec<ParkedRecordResponse>>(&format!("/admin/v1/sources/{SECOND}/parked")).await?.len()
            < expected
        {
            wait("the properties of the second account have not arrived").await?;
        }
        let new = NewKey {
            account: ACCOUNT.to_owned(),
            name: ENGINE.to_owned(),
            source: None,
            scopes: Vec::new(),
            strict: false,
            expires_at: None,
        };
        let CreatedKey { key, .. } = client.post("/admin/v1/keys", &new).await?;
        let engine = client.as_partner(&key);
        let gas_id = |kind: EntityKind, id: &str| {
            let link = known.iter().find(|link| link.kind == kind && link.id == id);
            link.map(|link| link.gas_id).with_context(|| format!("{kind} {id} is not linked"))
        };
        let mut rooms = Vec::new();
        for house in &houses {
            let gas_house = gas_id(EntityKind::Property, &house.id)?;
            let of_engine = format!("house-{}", house.id);
            engine.post::<Value>("/integration/v1/properties", &json!({ "id": of_engine, "name": house.name })).await?;
            link(client, SECOND, (EntityKind::Property, &house.id), gas_house).await?;
            link(client, ENGINE, (EntityKind::Property, &of_engine), gas_house).await?;
            for room in &house.room_types {
                let gas_room = gas_id(EntityKind::RoomType, &room.id)?;
                let of_engine_room = format!("room-{}", room.id);
                let record = json!({ "id": of_engine_room, "propertyId": of_engine, "name": room.name });
                engine.post::<Value>("/integration/v1/room-types", &record).await?;
                link(client, SECOND, (EntityKind::RoomType, &room.id), gas_room).await?;
                link(client, ENGINE, (EntityKind::RoomType, &of_engine_room), gas_room).await?;
                rooms.push(Room {
                    id: room.id.clone(),
                    of_engine: of_engine_room,
                    unit: CoreId(gas_room),
                    units: room.units,
                });
            }
        }
        // The engine's bookings are pushed to the first account; at the second only their nights are closed.
        let _: Value =
            client.post(&format!("/admin/v1/sources/{SECOND}/pushing"), &json!({ "bookings": "none" })).await?;
        for name in [FIRST, SECOND] {
            go_live(client, name).await?;
        }
        let mut tx = app.db.platform_read().await?;
        let account = store::accounts::find(&mut tx, ACCOUNT).await?.context("the demo's account does not exist")?;
        let (first, second) = (Arc::clone(&first.account), Arc::clone(&second.account));
        Ok(Self { first, second, account, sources: (of_first, of_second), key, rooms })
    }
}

async fn connect(client: &Client, channel: &Simulated, name: &str) -> anyhow::Result<SourceId> {
    let new = NewSourceRequest {
        account: ACCOUNT.to_owned(),
        channel: channel.account.channel().to_owned(),
        name: name.to_owned(),
        settings: channel.account.settings(channel.address),
        credentials: channel.account.credentials(),
        time_zone: Some("UTC".to_owned()),
    };
    let made: CreatedSource = client.post("/admin/v1/sources", &new).await?;
    let header = made.webhook_header.map(|name| (name, made.webhook_token));
    channel.account.set_webhook(WebhookTarget { url: made.webhook_url, header });
    Ok(SourceId(made.id))
}

/// Plans and applies go-live, as an operator does.
async fn go_live(client: &Client, source: &str) -> anyhow::Result<()> {
    let path = format!("/admin/v1/sources/{source}/go-live");
    let plan: GoLivePlan = client.post(&path, &GoLive { plan: true, ..GoLive::default() }).await?;
    let _: GoLivePlan = client.post(&path, &GoLive { plan_id: plan.plan_id, ..GoLive::default() }).await?;
    Ok(())
}

async fn link(client: &Client, source: &str, (kind, id): (EntityKind, &str), gas_id: i64) -> anyhow::Result<()> {
    let new = NewLink::to(kind, id, gas_id);
    let _: LinkPlan = client.post(&format!("/admin/v1/sources/{source}/links"), &new).await?;
    Ok(())
}
