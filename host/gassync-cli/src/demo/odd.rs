//! Bookings in odd forms: which ones need a person, and the alarms about them.

use gassync_domain::SourceId;
use gassync_simulator::beds24::{Beds24, BookEntry, Odd};
use serde_json::Value;

use super::{Client, print, say};

/// Alarms about records that need a person.
const WAITING: [&str; 2] = ["set-aside", "parked"];

/// Has each account send the odd kinds it has not sent yet.
pub fn say_the_rest(accounts: &[(&str, &Beds24)]) {
    for (name, beds24) in accounts {
        for action in beds24.say_every_odd() {
            say(&format!("  {name}   {}", action.summary));
        }
    }
}

/// Alarms about records that need a person.
pub async fn waiting(client: &Client) -> anyhow::Result<Vec<Value>> {
    let mut alarms: Vec<Value> = client.get("/admin/v1/alarms").await?;
    alarms.retain(|alarm| WAITING.iter().any(|kind| alarm["kind"] == *kind));
    Ok(alarms)
}

/// Whether a booking in an odd form is reported by an alarm of its source: by its id or, without an id, as a record set aside.
pub fn is_named(source: &str, entry: &BookEntry, waiting: &[Value]) -> bool {
    let Some(kind) = entry.odd.filter(|kind| kind.waits_for_a_person()) else { return false };
    let id = entry.id.to_string();
    waiting.iter().filter(|alarm| alarm["source"] == source).any(|alarm| match kind {
        Odd::WithoutId => alarm["kind"] == "set-aside",
        _ => words(alarm).any(|word| word == id),
    })
}

/// All texts of an alarm.
fn words(alarm: &Value) -> impl Iterator<Item = String> {
    let text = alarm.to_string();
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter()
}

/// Prints the odd kinds sent, the bookings that need a person, and the alarms about them.
pub async fn list(client: &Client, accounts: &[(&'static str, &Beds24, SourceId)]) -> anyhow::Result<()> {
    let waiting = waiting(client).await?;
    for (name, beds24, _) in accounts {
        let said = beds24.odd_said();
        if said.is_empty() {
            continue;
        }
        let kinds: Vec<String> = said.iter().map(|(kind, count)| format!("{kind:?} {count}")).collect();
        print(&format!("{name}: odd bookings           {}", kinds.join(", ")));
        for entry in beds24.book() {
            let Some(kind) = entry.odd.filter(|_| is_named(name, &entry, &waiting)) else { continue };
            print(&format!(
                "HELD        {name}: booking {} ({kind:?}), {} to {}, needs a person",
                entry.id, entry.arrival, entry.departure
            ));
        }
    }
    for alarm in &waiting {
        let text = |field: &str| alarm[field].as_str().unwrap_or_default().to_owned();
        let known: Vec<String> = ["source", "house", "room", "nights", "reference", "detail"]
            .into_iter()
            .map(text)
            .filter(|text| !text.is_empty())
            .collect();
        print(&format!("ALARM       {}: {}; {}", text("kind"), known.join(", "), text("remedy")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alarm_names_a_booking_by_its_id_or_as_set_aside() {
        let beds24 = Beds24::new(
            gassync_simulator::beds24::Settings { bookings: 8, ..gassync_simulator::beds24::Settings::default() },
            std::sync::Arc::new(|| gassync_domain::Timestamp::UNIX_EPOCH),
        );
        let said = |kind| {
            let id = beds24.say_odd(kind).expect("said").booking_id;
            beds24.book().into_iter().find(|entry| entry.id == id).expect("in the book")
        };
        let (unknown, without_id, noisy) = (said(Odd::UnknownStatus), said(Odd::WithoutId), said(Odd::FloatNoise));
        let alarm = |kind: &str, reference: &str| json!({ "kind": kind, "source": "a", "reference": reference });
        let named = alarm("parked", &format!("booking {}", unknown.id));
        assert!(is_named("a", &unknown, &[alarm("parked", "1"), named.clone()]));
        assert!(
            !is_named("b", &unknown, std::slice::from_ref(&named)) && !is_named("a", &unknown, &[alarm("parked", "1")])
        );
        assert!(is_named("a", &without_id, &[alarm("set-aside", "")]) && !is_named("a", &without_id, &[named]));
        let of_noisy = alarm("set-aside", &noisy.id.to_string());
        assert!(!is_named("a", &noisy, &[of_noisy]), "what can be mended is to be there");
    }
}
