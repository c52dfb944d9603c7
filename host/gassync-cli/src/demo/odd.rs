//! Bookings in odd forms: which ones need a person, and the alarms about them.

use gassync_domain::SourceId;
use gassync_simulator::{SimulatedReservation, Simulator};
use serde_json::Value;

use super::{Client, print, say};

/// Alarms about records that need a person.
const WAITING: [&str; 2] = ["set-aside", "parked"];

/// Has each account send the odd kinds it has not sent yet.
pub fn say_the_rest(accounts: &[(&str, &dyn Simulator)]) {
    for (name, channel) in accounts {
        let sent = channel.odd_sent();
        let missing = channel.odd_kinds().into_iter().filter(|kind| !sent.contains_key(kind));
        for action in missing.filter_map(|kind| channel.send_odd(kind)) {
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
pub fn is_named(source: &str, entry: &SimulatedReservation, waiting: &[Value]) -> bool {
    let Some(odd) = entry.odd.as_ref().filter(|odd| odd.waits_for_a_person) else { return false };
    let mut alarms = waiting.iter().filter(|alarm| alarm["source"] == source);
    if odd.is_without_id {
        alarms.any(|alarm| alarm["kind"] == "set-aside")
    } else {
        alarms.any(|alarm| words(alarm).any(|word| word == entry.id))
    }
}

/// All texts of an alarm.
fn words(alarm: &Value) -> impl Iterator<Item = String> {
    let text = alarm.to_string();
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    words.into_iter()
}

/// Prints the odd kinds sent, the bookings that need a person, and the alarms about them.
pub async fn list(client: &Client, accounts: &[(&'static str, &dyn Simulator, SourceId)]) -> anyhow::Result<()> {
    let waiting = waiting(client).await?;
    for (name, channel, _) in accounts {
        let said = channel.odd_sent();
        if said.is_empty() {
            continue;
        }
        let kinds: Vec<String> = said.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        print(&format!("{name}: odd bookings           {}", kinds.join(", ")));
        for entry in channel.reservations() {
            let Some(odd) = entry.odd.as_ref().filter(|_| is_named(name, &entry, &waiting)) else { continue };
            print(&format!(
                "HELD        {name}: booking {} ({}), {} to {}, needs a person",
                entry.id, odd.kind, entry.check_in, entry.check_out
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
    use gassync_simulator::{OddForm, SimulatedStatus};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alarm_names_a_booking_by_its_id_or_as_set_aside() {
        let said = |id: &str, waits_for_a_person, is_without_id| SimulatedReservation {
            id: id.to_owned(),
            room_type_id: "1".to_owned(),
            check_in: gassync_domain::Date::ZERO,
            check_out: gassync_domain::Date::ZERO,
            status: SimulatedStatus::Confirmed,
            status_word: String::new(),
            rooms: 1,
            adults: None,
            total_ten_thousandths: None,
            reference: String::new(),
            odd: Some(OddForm { kind: String::new(), waits_for_a_person, is_without_id }),
        };
        let (unknown, without_id, noisy) = (said("7", true, false), said("8", true, true), said("9", false, false));
        let alarm = |kind: &str, reference: &str| json!({ "kind": kind, "source": "a", "reference": reference });
        let named = alarm("parked", &format!("booking {}", unknown.id));
        assert!(is_named("a", &unknown, &[alarm("parked", "1"), named.clone()]));
        assert!(
            !is_named("b", &unknown, std::slice::from_ref(&named)) && !is_named("a", &unknown, &[alarm("parked", "1")])
        );
        assert!(is_named("a", &without_id, &[alarm("set-aside", "")]) && !is_named("a", &without_id, &[named]));
        let of_noisy = alarm("set-aside", &noisy.id);
        assert!(!is_named("a", &noisy, &[of_noisy]), "what can be mended is to be there");
    }
}
