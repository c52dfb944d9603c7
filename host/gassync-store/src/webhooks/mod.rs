//! Webhook subscriptions: filters, secrets, endpoint health.

mod attempts;
mod deliveries;
mod secrets;

use gassync_domain::{AccountId, CoreId, SourceId, SourceKey, Timestamp, WebhookId};
use sqlx::{FromRow, types::Json};

use super::{
    Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
    sources::SourceState,
};

pub use attempts::{AttemptRow, EndpointHealth, NewAttempt, attempts_of, record_attempts};
pub use deliveries::{
    Delivery, DeliveryQuery, FilterableFact, PastFact, PastState, begin_run, cancel_pending, cancel_pending_of_source,
    earlier_pending, facts_at, get as delivery, has_run, list as deliveries, past_facts, supersede,
};
pub use secrets::{SealedSecret, active as secrets, add as add_secret, end as end_secrets};

/// Reason of a subscription that was disabled on request.
pub const DISABLED_ON_REQUEST: &str = "disabled on request";

pub use gassync_domain::{Signing, WebhookEnvelope, WebhookPayload};

gassync_domain::words! {
    /// Whether events are delivered.
    enum SubscriptionStatus {
        /// They are.
        Active = "active",
        /// They are not.
        Disabled = "disabled",
    }
}

/// The settings of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSpec {
    /// Endpoint URL.
    pub url: String,
    /// Description.
    pub description: Option<String>,
    /// Event names; empty: all.
    pub events: Vec<String>,
    /// Core properties; empty: all.
    pub properties: Vec<i64>,
    /// What a message carries.
    pub payload: WebhookPayload,
    /// The form of a message.
    pub envelope: WebhookEnvelope,
    /// Whether changes of its own source are left out.
    pub exclude_origin: bool,
    /// Whether events of one entity are delivered in order.
    pub ordered: bool,
    /// Signature scheme.
    pub signing: Signing,
    /// Maximum attempts, 1 to 10.
    pub max_attempts: i64,
    /// Response timeout in seconds, 1 to 15.
    pub timeout_seconds: i64,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Account.
    pub account: AccountId,
    /// Identifier.
    pub id: WebhookId,
    /// Source that owns it.
    pub source: SourceId,
    /// Where the source stands.
    pub source_status: SourceState,
    /// Settings.
    pub spec: SubscriptionSpec,
    /// Extra headers, encrypted.
    pub headers: Option<Vec<u8>>,
    /// Whether events are delivered.
    pub is_active: bool,
    /// Why it is disabled.
    pub status_reason: Option<String>,
    /// Incremented when the settings or the active state change.
    pub revision: i64,
    /// Since when no delivery has succeeded.
    pub failing_since: Option<Timestamp>,
    /// Consecutive batches without a successful delivery.
    pub failures: i64,
    /// Time of the last attempt.
    pub last_triggered_at: Option<Timestamp>,
    /// Time of the last successful delivery.
    pub last_delivered_at: Option<Timestamp>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }
}

#[derive(FromRow)]
struct Row {
    account_id: i64,
    id: i64,
    source_id: i64,
    #[sqlx(try_from = "String")]
    source_status: SourceState,
    endpoint_url: String,
    description: Option<String>,
    events: Json<Vec<String>>,
    properties: Json<Vec<i64>>,
    #[sqlx(try_from = "String")]
    payload: WebhookPayload,
    #[sqlx(try_from = "String")]
    envelope: WebhookEnvelope,
    exclude_origin: bool,
    ordered: bool,
    #[sqlx(try_from = "String")]
    signing: Signing,
    headers: Option<Vec<u8>>,
    max_attempts: i64,
    timeout_seconds: i64,
    #[sqlx(try_from = "String")]
    status: SubscriptionStatus,
    status_reason: Option<String>,
    revision: i64,
    failing_since: Option<Time>,
    failures: i64,
    last_triggered_at: Option<Time>,
    last_delivered_at: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

impl From<Row> for Webhook {
    fn from(row: Row) -> Self {
        Self {
            account: AccountId(row.account_id),
            id: WebhookId(row.id),
            source: SourceId(row.source_id),
            source_status: row.source_status,
            spec: SubscriptionSpec {
                url: row.endpoint_url,
                description: row.description,
                events: row.events.0,
                properties: row.properties.0,
                payload: row.payload,
                envelope: row.envelope,
                exclude_origin: row.exclude_origin,
                ordered: row.ordered,
                signing: row.signing,
                max_attempts: row.max_attempts,
                timeout_seconds: row.timeout_seconds,
            },
            headers: row.headers,
            is_active: row.status == SubscriptionStatus::Active,
            status_reason: row.status_reason,
            revision: row.revision,
            failing_since: row.failing_since.map(Timestamp::from),
            failures: row.failures,
            last_triggered_at: row.last_triggered_at.map(Timestamp::from),
            last_delivered_at: row.last_delivered_at.map(Timestamp::from),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

macro_rules! webhooks {
    ($rest:literal) => {
        concat!(
            "select w.account_id, w.id, w.source_id, (select s.status from int_sources s
                where s.account_id = w.account_id and s.id = w.source_id) as source_status, w.endpoint_url, w.description, w.events, w.properties, w.payload, w.envelope,
                w.exclude_origin, w.ordered, w.signing, w.headers, w.max_attempts, w.timeout_seconds, w.status, w.status_reason,
                w.revision, w.failing_since, w.failures, w.last_triggered_at, w.last_delivered_at, w.created_at, w.updated_at ",
            $rest
        )
    };
}

/// Creates a subscription; returns its id. Headers are stored afterwards, because their encryption uses the id.
pub async fn insert(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    spec: &SubscriptionSpec,
    now: Timestamp,
) -> Result<WebhookId> {
    let text = "insert into int_webhooks (account_id, source_id, endpoint_url, description, events, properties, payload, envelope,
            exclude_origin, ordered, signing, max_attempts, timeout_seconds, status, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'active', $14, $14) returning id";
    let SubscriptionSpec { url, description, events, properties, payload, envelope, .. } = spec;
    let id: i64 = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(url).bind(description)
        .bind(Json(events)).bind(Json(properties)).bind(payload.as_str()).bind(envelope.as_str()).bind(spec.exclude_origin)
        .bind(spec.ordered).bind(spec.signing.as_str()).bind(spec.max_attempts).bind(spec.timeout_seconds)
        .bind(Time::from(now)).fetch_one(c).await)?;
    Ok(WebhookId(id))
}

/// Updates the settings.
pub async fn update(
    tx: &mut Tx,
    account: AccountId,
    id: WebhookId,
    spec: &SubscriptionSpec,
    now: Timestamp,
) -> Result<()> {
    let text = "update int_webhooks set endpoint_url = $3, description = $4, events = $5, properties = $6, payload = $7,
            envelope = $8, exclude_origin = $9, ordered = $10, max_attempts = $11, timeout_seconds = $12, updated_at = $13,
            revision = revision + 1
        where account_id = $1 and id = $2";
    let SubscriptionSpec { url, description, events, properties, payload, envelope, .. } = spec;
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(url).bind(description).bind(Json(events))
        .bind(Json(properties)).bind(payload.as_str()).bind(envelope.as_str()).bind(spec.exclude_origin).bind(spec.ordered)
        .bind(spec.max_attempts).bind(spec.timeout_seconds).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Stores the encrypted headers; None removes them.
pub async fn set_headers(tx: &mut Tx, account: AccountId, id: WebhookId, sealed: Option<&[u8]>) -> Result<()> {
    let text = "update int_webhooks set headers = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(sealed).execute(c).await.map(drop))
}

/// Finds a subscription; None if it was deleted.
pub async fn get(tx: &mut Tx, account: AccountId, id: WebhookId) -> Result<Option<Webhook>> {
    let text = webhooks!("from int_webhooks w where w.account_id = $1 and w.id = $2 and w.deleted_at is null");
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(Webhook::from))
}

/// Locks a subscription until the transaction ends; None if it was deleted. Locks its queue first, as everywhere.
pub async fn lock(tx: &mut Tx, SourceKey { account, source }: SourceKey, id: WebhookId) -> Result<Option<Webhook>> {
    if matches!(tx, Tx::Sqlite(..)) {
        return get(tx, account, id).await; // SQLite has a single writer.
    }
    let text = "select fencing_token from int_queues where account_id = $1 and source_id = $2
        and queue_kind = 'webhook' and subscription_id = $3 for update";
    let _: Option<i64> = on!(&mut *tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0)
        .bind(id.0).fetch_optional(c).await)?;
    let text =
        webhooks!("from int_webhooks w where w.account_id = $1 and w.id = $2 and w.deleted_at is null for update");
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    Ok(row.map(Webhook::from))
}

/// The subscriptions of a source after the id `after`, oldest first.
pub async fn list_for_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (after, limit): (i64, i64),
) -> Result<Vec<Webhook>> {
    let text = webhooks!(
        "from int_webhooks w where w.account_id = $1 and w.source_id = $2 and w.deleted_at is null and w.id > $3
        order by w.id limit $4"
    );
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(after).bind(limit)
        .fetch_all(c).await)?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Number of subscriptions of a source.
pub async fn count(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<i64> {
    let text = "select count(*) from int_webhooks where account_id = $1 and source_id = $2 and deleted_at is null";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// Number of active subscriptions. A platform query.
pub async fn count_active(tx: &mut Tx) -> Result<i64> {
    let text = "select count(*) from int_webhooks where status = 'active' and deleted_at is null";
    on!(tx, c => sqlx::query_scalar(text).fetch_one(c).await)
}

/// The subscriptions of all accounts, or of one source, after the id `after`, oldest first. A platform query.
pub async fn list(tx: &mut Tx, source: Option<SourceId>, (after, limit): (i64, i64)) -> Result<Vec<Webhook>> {
    let text = webhooks!(
        "from int_webhooks w where w.deleted_at is null and ($1 is null or w.source_id = $1) and w.id > $2
        order by w.id limit $3"
    );
    let rows: Vec<Row> =
        on!(tx, c => sqlx::query_as(text).bind(source.map(|id| id.0)).bind(after).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// The account of a subscription. A platform query.
pub async fn account_of(tx: &mut Tx, id: WebhookId) -> Result<Option<AccountId>> {
    let text = "select account_id from int_webhooks where id = $1 and deleted_at is null";
    let account: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(id.0).fetch_optional(c).await)?;
    Ok(account.map(AccountId))
}

/// The active subscriptions of these accounts, without those of stopped sources, whose messages would wait for ever. A
/// platform query.
pub async fn active(tx: &mut Tx, accounts: impl Iterator<Item = i64>) -> Result<Vec<Webhook>> {
    let mut new = Rows::new([("account_id", ColumnType::Int)]);
    accounts.for_each(|account| new.push([account.into()]));
    let text = webhooks!(
        "from new cross join int_webhooks w
        where w.account_id = new.account_id and w.status = 'active' and w.deleted_at is null
            and exists (select 1 from int_sources s where s.account_id = w.account_id and s.id = w.source_id
                and s.status not in ('disconnected', 'disabled'))
        order by w.account_id, w.id"
    );
    let rows: Vec<Row> = new.read(tx, &[], text).await?;
    Ok(rows.into_iter().map(Webhook::from).collect())
}

/// Disables a subscription; false if it is disabled already.
pub async fn disable(tx: &mut Tx, account: AccountId, id: WebhookId, why: &str, now: Timestamp) -> Result<bool> {
    let text =
        "update int_webhooks set status = 'disabled', status_reason = $3, updated_at = $4, revision = revision + 1
        where account_id = $1 and id = $2 and status = 'active'";
    let changed = on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(why).bind(Time::from(now)).execute(c).await
        .map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Enables a subscription.
pub async fn enable(tx: &mut Tx, account: AccountId, id: WebhookId, now: Timestamp) -> Result<()> {
    let text =
        "update int_webhooks set status = 'active', status_reason = null, updated_at = $3, revision = revision + 1
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Resets endpoint health and ends its pause.
pub async fn reset_health(tx: &mut Tx, SourceKey { account, source }: SourceKey, id: WebhookId) -> Result<()> {
    let text = "update int_queues set paused_until = null, pause_reason = null
        where account_id = $1 and source_id = $2 and queue_kind = 'webhook' and subscription_id = $3";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(id.0).execute(c).await
        .map(drop))?;
    let text = "update int_webhooks set failing_since = null, failures = 0 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))
}

/// Deletes a subscription and its secrets.
pub async fn delete(tx: &mut Tx, account: AccountId, id: WebhookId, now: Timestamp) -> Result<()> {
    let text = "delete from int_webhook_secrets where account_id = $1 and webhook_id = $2";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))?;
    let text = "update int_webhooks set deleted_at = $3, status = 'disabled', headers = null, updated_at = $3
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Publishes that a subscription was disabled, to the feed and to other subscribers.
pub async fn publish_disabled(tx: &mut Tx, account: AccountId, id: WebhookId, now: Timestamp) -> Result<()> {
    let text = "insert into int_outbox (account_id, entity_type, entity_id, action, created_at, status)
        values ($1, 'webhook', $2, 'updated', $3, 'disabled')";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// The source's ids of these core properties, in order; unlinked ones are left out.
pub async fn external_property_ids(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    properties: &[i64],
) -> Result<Vec<String>> {
    let ids: Vec<CoreId> = properties.iter().copied().map(CoreId).collect();
    let text = "select m.external_entity_id from new cross join int_mappings m
        where m.account_id = $1 and m.gas_entity_type = 'property' and m.gas_entity_id = new.id and m.source_id = $2
            and m.external_entity_type = 'property'
        order by m.external_entity_id";
    let names: Vec<(String,)> = rows::of_ids(&ids).read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}
