//! Connection test, and what a person has to do for webhooks: Smoobu has no call for it.

use gassync_plugin::{ChannelError, Report, Subscribed};
use serde_json::Value;

use crate::account;

pub(crate) fn check() -> Result<Report, ChannelError> {
    let (id, user) = account::identify()?;
    let name: Vec<&str> = [&user.first_name, &user.last_name].into_iter().filter_map(|name| name.as_str()).collect();
    let named = [("name", Some(name.join(" ")).filter(|name| !name.is_empty())), ("email", user.email.text())];
    let extra = named.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::from(text?).to_string())));
    Ok(Report { account: Some(id), scopes: Vec::new(), missing: Vec::new(), extra: extra.collect() })
}

pub(crate) fn steps() -> Subscribed {
    let step = "In Smoobu, under Settings, Advanced, API Keys, enter the address of this source's webhooks, with its \
                token, as one more webhook URL. Leave those of other systems there.";
    Subscribed { ids: Vec::new(), steps: vec![step.to_owned()] }
}
