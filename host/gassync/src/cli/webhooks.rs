use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use gassync_domain::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    client::Client,
    print, say,
    webhook_replay::{Replay, ReplayStatus},
    webhook_verify::{Verify, read_secret},
};
use crate::{
    admin::WebhookListed,
    config::{Config, ConfigError},
    http::Page,
    webhooks::{
        NewWebhook, SecretRotation, WebhookChange, WebhookMade, WebhookShown,
        desk::{DeliveryFilter, DeliveryShown, DeliveryWhole, MessageSent},
    },
};

#[derive(Debug, Subcommand)]
pub enum WebhooksCommand {
    /// Show subscriptions
    List {
        /// Only of this source
        #[arg(long)]
        source: Option<String>,
        /// Where the page before ended
        #[arg(long)]
        cursor: Option<String>,
        /// How many, 200 at most
        #[arg(long, default_value_t = 200)]
        limit: i64,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show one, and how it takes what it is told
    Show(One),
    /// Subscribe for a source; the secret is shown this once
    Create(CreateWebhook),
    /// Change one; what is not said stays
    Update(Update),
    /// End one
    Delete {
        /// Its number
        id: i64,
    },
    /// Tell one again
    Enable(One),
    /// Tell one nothing; what happens meanwhile can be replayed
    Disable(One),
    /// Send one a message that tells of nothing
    Test(One),
    /// Replace what messages are signed with; the new secret is shown this once
    RotateSecret(Rotate),
    /// Show what one was told and will be, the newest first
    Deliveries(Deliveries),
    /// Show a delivery, and each time that it was tried
    Delivery {
        /// The subscription's number
        id: i64,
        /// The delivery's number
        delivery: i64,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Tell again what was given up or missed: what fits is counted, sent, and followed until it ends
    Replay(Replay),
    /// Show how far a run of replays is, or stop it
    ReplayStatus(ReplayStatus),
    /// Say whether a message is what it says; asks no host
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct One {
    /// Its number
    id: i64,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// What a subscriber wants to hear, where it is the same whether it is made or changed.
#[derive(Debug, Args)]
struct Wants {
    /// What people call it
    #[arg(long)]
    description: Option<String>,
    /// An event by either name, or reservation.* for all of a kind; may be said several times, all when nothing is said
    #[arg(long = "event")]
    events: Vec<String>,
    /// Only of this property, by the source's own id; may be said several times
    #[arg(long = "property")]
    properties: Vec<String>,
    /// thin or full
    #[arg(long)]
    payload: Option<String>,
    /// standard or cloudevents
    #[arg(long)]
    envelope: Option<String>,
    /// Whether what the source did itself is not told
    #[arg(long)]
    exclude_origin: Option<bool>,
    /// Whether what is about one entity arrives in its order
    #[arg(long)]
    ordered: Option<bool>,
    /// How often a message is tried, 1 to 10
    #[arg(long)]
    max_attempts: Option<u32>,
    /// How long an answer may take, 1 to 15
    #[arg(long)]
    timeout_seconds: Option<u32>,
    /// A file with a JSON object of headers to send with every message; - is stdin
    #[arg(long)]
    headers_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CreateWebhook {
    /// The source, by name or number
    #[arg(long)]
    source: String,
    /// Where messages are posted
    #[arg(long)]
    url: String,
    #[command(flatten)]
    wants: Wants,
    /// v1 (a shared secret) or v1a (a pair of keys)
    #[arg(long)]
    signing: Option<String>,
    /// A file that holds the secret, whsec_… or whsk_…; - is stdin; made where none is given
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Update {
    /// Its number
    id: i64,
    /// Where messages are posted
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    wants: Wants,
    /// Every event
    #[arg(long, conflicts_with = "events")]
    all_events: bool,
    /// Of every property
    #[arg(long, conflicts_with = "properties")]
    all_properties: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// Its number
    id: i64,
    /// A file that holds the new one; - is stdin; made where none is given
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// How long messages carry the signatures of both; a day when nothing is said
    #[arg(long)]
    grace_seconds: Option<u32>,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Deliveries {
    /// The subscription's number
    id: i64,
    /// Only waiting, delivered, dead or cancelled ones
    #[arg(long)]
    state: Option<String>,
    /// Only those put in the queue since (RFC 3339)
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only of this event, by either name
    #[arg(long)]
    event: Option<String>,
    /// Where the page before ended
    #[arg(long)]
    cursor: Option<String>,
    /// How many, 200 at most
    #[arg(long, default_value_t = 50)]
    limit: i64,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

impl WebhooksCommand {
    pub async fn run(self, settings: impl FnOnce() -> Result<Config, ConfigError>) -> anyhow::Result<ExitCode> {
        if let Self::Verify(verify) = self {
            return verify.run();
        }
        let client = Client::connect(settings()?).await?;
        match self {
            Self::List { source, cursor, limit, json } => list(&client, (source, cursor, limit), json).await?,
            Self::Show(One { id, json }) => show(&client.get(&path(id)).await?, json)?,
            Self::Create(create) => create.run(&client).await?,
            Self::Update(update) => update.run(&client).await?,
            Self::Delete { id } => {
                client.delete(&path(id)).await?;
                say(&format!("Subscription {id} is gone."));
            }
            Self::Enable(one) => one.enable(&client, true).await?,
            Self::Disable(one) => one.enable(&client, false).await?,
            Self::Test(One { id, json }) => {
                let sent: MessageSent = client.post(&format!("{}/test", path(id)), &()).await?;
                print(&if json { serde_json::to_string(&sent)? } else { sent.message_id });
            }
            Self::RotateSecret(rotate) => rotate.run(&client).await?,
            Self::Deliveries(deliveries) => deliveries.run(&client).await?,
            Self::Delivery { id, delivery, json } => {
                tried(&client.get(&format!("{}/deliveries/{delivery}", path(id))).await?, json)?;
            }
            Self::Replay(replay) => return replay.run(&client).await,
            Self::ReplayStatus(run) => run.run(&client).await?,
            Self::Verify(_) => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn path(id: i64) -> String {
    format!("/admin/v1/webhooks/{id}")
}

/// The fields that are said, as a query.
fn query(fields: &Value) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        query.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
    }
    query.finish()
}

async fn list(
    client: &Client,
    (source, cursor, limit): (Option<String>, Option<String>, i64),
    json: bool,
) -> anyhow::Result<()> {
    let query = query(&serde_json::json!({ "source": source, "cursor": cursor, "limit": limit }));
    let page: Page<WebhookListed> = client.get(&format!("/admin/v1/webhooks?{query}")).await?;
    if json {
        return document(&page);
    }
    for WebhookListed { source, webhook, .. } in page.data {
        let state = if webhook.enabled { "enabled" } else { "disabled" };
        let failing = webhook.failing_since.map(|at| format!("  fails since {at:.0}")).unwrap_or_default();
        print(&format!("{:<8} {source:<20} {state:<9} {}{failing}", webhook.id, webhook.url));
    }
    more(page.next_cursor);
    Ok(())
}

fn document(shown: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string(shown)?);
    Ok(())
}

fn more(cursor: Option<String>) {
    if let Some(cursor) = cursor {
        say(&format!("There is more: --cursor {cursor}"));
    }
}

fn show(listed: &WebhookListed, json: bool) -> anyhow::Result<()> {
    if json {
        return document(listed);
    }
    print(&format!("{} of {}", listed.webhook.id, listed.source));
    lines(&listed.webhook);
    Ok(())
}

fn lines(webhook: &WebhookShown) {
    let all = |names: &[String]| if names.is_empty() { "all".to_owned() } else { names.join(" ") };
    let at = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
    print(&format!("  to          {}", webhook.url));
    if let Some(description) = &webhook.description {
        print(&format!("  called      {description}"));
    }
    print(&format!("  events      {}", all(&webhook.events)));
    print(&format!("  properties  {}", all(&webhook.property_ids)));
    print(&format!("  as          {}, {}, signed by {}", webhook.payload, webhook.envelope, webhook.signing));
    for key in &webhook.public_keys {
        print(&format!("  public key  {key}"));
    }
    if !webhook.headers.is_empty() {
        print(&format!("  headers     {}", webhook.headers.join(" ")));
    }
    print(&format!("  tried       {} times, {} s each", webhook.max_attempts, webhook.timeout_seconds));
    print(&format!("  delivered   {}, told {}", at(webhook.last_delivered_at), at(webhook.last_triggered_at)));
    if let Some(since) = webhook.failing_since {
        print(&format!("  fails since {since:.0}, {} times in a row", webhook.failures));
    }
    if let Some(why) = &webhook.silent_because {
        print(&format!("  silent      {why}"));
    }
    if !webhook.enabled {
        print(&format!("  disabled    {}", webhook.disabled_because.as_deref().unwrap_or("nobody knows why")));
    }
}

fn made(made: &WebhookMade, json: bool) -> anyhow::Result<()> {
    if json {
        return document(made);
    }
    print(&made.secret);
    say(&format!("Subscription {}. What its messages are verified with is shown this once.", made.webhook.id));
    Ok(())
}

impl One {
    async fn enable(self, client: &Client, enabled: bool) -> anyhow::Result<()> {
        let change = WebhookChange { enabled: Some(enabled), ..WebhookChange::default() };
        let shown: WebhookShown = client.patch(&path(self.id), &change).await?;
        if self.json {
            return document(&shown);
        }
        say(&match enabled {
            true => format!("Subscription {} is told again from now on.", self.id),
            false => format!("Subscription {} is told nothing more.", self.id),
        });
        Ok(())
    }
}

impl Wants {
    fn headers(&self) -> anyhow::Result<Option<BTreeMap<String, String>>> {
        let text = read_secret(None, self.headers_file.as_deref())?;
        text.map(|text| serde_json::from_str(&text).context("the headers are no JSON object of texts")).transpose()
    }
}

impl CreateWebhook {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let secret = read_secret(None, self.secret_file.as_deref())?;
        let headers = self.wants.headers()?.unwrap_or_default();
        let wants = self.wants;
        let new = NewWebhook {
            url: self.url,
            description: wants.description,
            events: wants.events,
            property_ids: wants.properties,
            payload: wants.payload,
            envelope: wants.envelope,
            exclude_origin: wants.exclude_origin,
            ordered: wants.ordered.unwrap_or_default(),
            signing: self.signing,
            secret,
            headers,
            bearer: None,
            basic: None,
            max_attempts: wants.max_attempts,
            timeout_seconds: wants.timeout_seconds,
        };
        let query = query(&serde_json::json!({ "source": self.source }));
        made(&client.post(&format!("/admin/v1/webhooks?{query}"), &new).await?, self.json)
    }
}

impl Update {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let headers = self.wants.headers()?;
        let Wants { description, events, properties, payload, envelope, .. } = self.wants;
        let change = WebhookChange {
            url: self.url,
            description,
            events: Some(events).filter(|events| self.all_events || !events.is_empty()),
            property_ids: Some(properties).filter(|ids| self.all_properties || !ids.is_empty()),
            payload,
            envelope,
            exclude_origin: self.wants.exclude_origin,
            ordered: self.wants.ordered,
            headers,
            max_attempts: self.wants.max_attempts,
            timeout_seconds: self.wants.timeout_seconds,
            enabled: None,
        };
        let shown: WebhookShown = client.patch(&path(self.id), &change).await?;
        if self.json {
            return document(&shown);
        }
        lines(&shown);
        Ok(())
    }
}

impl Rotate {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let secret = read_secret(None, self.secret_file.as_deref())?;
        let rotation = SecretRotation { secret, grace_seconds: self.grace_seconds };
        made(&client.post(&format!("{}/rotate-secret", path(self.id)), &rotation).await?, self.json)
    }
}

impl Deliveries {
    async fn run(self, client: &Client) -> anyhow::Result<()> {
        let filter = DeliveryFilter { state: self.state, since: self.since, event: self.event };
        let mut fields = serde_json::to_value(filter).context("a filter")?;
        fields["cursor"] = self.cursor.into();
        fields["limit"] = self.limit.into();
        let page: Page<DeliveryShown> = client.get(&format!("{}/deliveries?{}", path(self.id), query(&fields))).await?;
        if self.json {
            return document(&page);
        }
        for delivery in &page.data {
            print(&line(delivery));
        }
        more(page.next_cursor);
        Ok(())
    }
}

fn line(delivery: &DeliveryShown) -> String {
    let DeliveryShown { id, state, attempts, created_at, .. } = delivery;
    let kind = delivery.kind.as_deref().unwrap_or("-");
    let next = delivery.next_attempt_at.map(|at| format!("  next {at:.0}")).unwrap_or_default();
    let why = delivery.why.as_deref().map(|why| format!("  {why}")).unwrap_or_default();
    format!("{id:<8} {kind:<22} {state:<10} {attempts:>3} times  since {created_at:.0}{next}{why}")
}

fn tried(whole: &DeliveryWhole, json: bool) -> anyhow::Result<()> {
    if json {
        return document(whole);
    }
    print(&line(&whole.delivery));
    for attempt in &whole.tried {
        let outcome = match (attempt.status, &attempt.error_kind) {
            (Some(status), _) => status.to_string(),
            (None, kind) => kind.clone().unwrap_or_default(),
        };
        let answer = attempt.answer.as_deref().map(|text| format!("  {text}")).unwrap_or_default();
        print(&format!(
            "  {:>2}  {:.0}  {outcome:<8} {:>6} ms{answer}",
            attempt.attempt, attempt.at, attempt.duration_ms
        ));
    }
    Ok(())
}
