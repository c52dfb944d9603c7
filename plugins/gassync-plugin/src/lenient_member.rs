use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::escapes::mend_escapes;

/// Deserialises an optional object or list; a value of another shape becomes the default.
///
/// ```
/// use gassync_plugin::{Lenient, lenient};
///
/// #[derive(serde::Deserialize, Default)]
/// #[serde(default)]
/// struct Booking {
///     id: Lenient,
///     #[serde(deserialize_with = "lenient")]
///     guest: Guest,
/// }
///
/// #[derive(serde::Deserialize, Default)]
/// #[serde(default)]
/// struct Guest {
///     name: Lenient,
/// }
///
/// let booking: Booking = gassync_plugin::read_json(br#"{"id": 17, "guest": "Ada"}"#, "").expect("a booking");
/// assert_eq!((booking.id.text().as_deref(), booking.guest.name.text()), (Some("17"), None));
/// ```
///
/// Like [`Lenient`](crate::Lenient), it reads JSON text only, not `serde_json::Value`.
pub fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    let raw: &RawValue = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(&mend_escapes(raw.get())).unwrap_or_default())
}
