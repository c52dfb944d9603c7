use std::collections::HashMap;

use super::{Client, say};
use gassync::{
    admin::{SourceResponse, SyncLogLineResponse},
    store::sync_log::{LogAction, LogDirection},
};

/// Prints new lines of the audit trail.
pub struct Follower<'a> {
    client: &'a Client,
    after: i64,
    names: HashMap<i64, String>,
}

impl<'a> Follower<'a> {
    pub fn new(client: &'a Client) -> Self {
        Self { client, after: 0, names: HashMap::new() }
    }

    pub async fn look(&mut self) -> anyhow::Result<()> {
        let lines: Vec<SyncLogLineResponse> =
            self.client.get(&format!("/admin/v1/sync-log?after={}", self.after)).await?;
        for line in lines {
            self.after = line.id;
            if let Some(text) = self.in_words(&line).await? {
                say(&format!("  gassync  {text}"));
            }
        }
        Ok(())
    }

    async fn in_words(&mut self, line: &SyncLogLineResponse) -> anyhow::Result<Option<String>> {
        let what = line.entity.replace('_', " ");
        let why = line.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        if line.direction == LogDirection::Outbound {
            let channel = self.name(line.source_id).await?;
            let what = if line.entity == "reservation" { "booking" } else { "nights of" };
            return Ok(Some(format!("→ {channel}  {what} {} {}{why}", line.entity_id, line.status)));
        }
        let done = match line.action {
            LogAction::Create => "is new in the core",
            LogAction::Update if line.entity == "availability" => return Ok(None),
            LogAction::Update => "is updated in the core",
            LogAction::Ignore => return Ok(Some(format!("{what} {} is stale and ignored", line.entity_id))),
            LogAction::Park => "is parked",
            LogAction::Reject => "is refused",
            other => other.as_str(),
        };
        Ok(Some(format!("{what} {} {done}{why}", line.entity_id)))
    }

    async fn name(&mut self, source: Option<i64>) -> anyhow::Result<String> {
        let Some(source) = source else { return Ok("no source".to_owned()) };
        if !self.names.contains_key(&source) {
            let sources: Vec<SourceResponse> = self.client.get("/admin/v1/sources").await?;
            self.names.extend(sources.into_iter().map(|source| (source.id, source.name)));
        }
        Ok(self.names.get(&source).cloned().unwrap_or_default())
    }
}
