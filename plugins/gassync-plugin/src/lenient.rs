use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::escapes::mend_escapes;

/// For a member of a record that is an object or a list as a rule, and without which the record is worth as much: written in
/// another shape it says nothing.
///
/// ```
/// use gassync_plugin::{Loose, lenient};
///
/// #[derive(serde::Deserialize, Default)]
/// #[serde(default)]
/// struct Booking {
///     id: Loose,
///     #[serde(deserialize_with = "lenient")]
///     guest: Guest,
/// }
///
/// #[derive(serde::Deserialize, Default)]
/// #[serde(default)]
/// struct Guest {
///     name: Loose,
/// }
///
/// let booking: Booking = gassync_plugin::read_json(br#"{"id": 17, "guest": "Ada"}"#, "").expect("a booking");
/// assert_eq!((booking.id.text().as_deref(), booking.guest.name.text()), (Some("17"), None));
/// ```
///
/// Like [`Loose`](crate::Loose) it reads JSON as it was written, and no `serde_json::Value`.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    let raw: &RawValue = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(&mend_escapes(raw.get())).unwrap_or_default())
}
