//! The Smoobu user of the credentials. Webhooks name it, and nothing else in them says which account they are about.

use gassync_plugin::{ChannelError, Lenient, malformed, read_json, state};
use serde::Deserialize;

use crate::{refusal, signature::Request};

/// The state key of the user's id.
const USER: &str = "user";

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct User {
    id: Lenient,
    pub first_name: Lenient,
    pub last_name: Lenient,
    pub email: Lenient,
}

/// Asks who we are, and remembers it.
pub(crate) fn identify() -> Result<(String, User), ChannelError> {
    let answer = Request::get("/api/me").send()?;
    if answer.status() != 200 {
        return Err(refusal::of(&answer));
    }
    let user: User = read_json(answer.body(), "")?;
    let id = user.id.text().ok_or_else(|| malformed("/id", "is missing"))?;
    state::set(USER, &id)?;
    Ok((id, user))
}

/// False for another user's webhook; true as long as ours is not known.
pub(crate) fn is_ours(user: Option<&str>) -> Result<bool, ChannelError> {
    let known: Option<String> = state::get(USER)?;
    Ok(known.is_none_or(|known| user.is_none_or(|user| user == known)))
}
