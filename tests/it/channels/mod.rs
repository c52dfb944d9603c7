//! What every channel does, over the trait of its simulator: a scenario runs for each channel that has the ability.
//! Adding a channel adds one line at the end.

mod cancel;
mod connect;
mod faults;
mod import;
mod odd;
mod poll;
mod push_calendar;
mod push_reservation;
mod smoke;
mod stage;
mod webhook;

use gassync_simulator::{Ability, CHANNELS, SimulatedChannel, SimulatorSettings};
use gassync_tests::host::clock;

/// The channel of this name, if it has these abilities. That it has those it should is a test of its own.
fn able(name: &str, abilities: &[Ability]) -> Option<&'static SimulatedChannel> {
    let channel = gassync_simulator::channel(name).expect("it is in the table of channels");
    let account = (channel.account)(&SimulatorSettings::default(), clock());
    abilities.iter().all(|ability| account.abilities().contains(ability)).then_some(channel)
}

/// One test per scenario, in a module of its group. On SQLite; `smoke` runs on PostgreSQL.
macro_rules! scenarios {
    ($($group:ident { $($scenario:ident: $($ability:ident)*;)+ })+) => {$(
        mod $group {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                let needed = [$(gassync_simulator::Ability::$ability),*];
                if let Some(channel) = super::super::able(super::NAME, &needed) {
                    let database = gassync_tests::database::Database::sqlite();
                    super::super::$group::$scenario(channel, database).await;
                }
            }
        )+}
    )+};
}

/// The tests of one channel, and the abilities that it must have: losing one fails.
macro_rules! channel_suite {
    ($channel:ident: $($ability:ident)+) => {
        mod $channel {
            const NAME: &str = stringify!($channel);

            #[test]
            fn the_simulator_has_its_abilities() {
                let abilities = [$(gassync_simulator::Ability::$ability),+];
                super::assert_abilities(NAME, &abilities);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn the_plugin_passes_the_conformance_suite() {
                crate::conformance::own_plugin_passes(NAME).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn smoke_on_postgres() {
                let channel = super::able(NAME, &[]).expect("a channel");
                super::smoke::run(channel, gassync_tests::database::Database::postgres().await).await;
            }

            scenarios! {
                connect {
                    properties_and_rooms_are_linked: Properties;
                    wrong_credentials_are_refused_or_reported: Properties;
                }
                import { what_was_there_is_in_the_core: Poll; }
                webhook {
                    changes_arrive_without_a_poll: Webhooks;
                    doubled_and_reordered_webhooks_change_nothing: Webhooks;
                }
                poll { changes_arrive_without_a_webhook: Poll; }
                push_calendar {
                    a_sale_closes_its_nights_and_a_cancellation_opens_them: PushCalendar ReadCalendar;
                    prices_are_pushed: PushCalendar ReadCalendar;
                }
                push_reservation {
                    a_direct_booking_is_made_moved_and_cancelled: PushReservations;
                    a_lost_answer_makes_no_second_booking: PushReservations;
                }
                cancel { a_cancellation_releases_its_nights: Poll; }
                faults { everything_arrives_though_calls_fail: Poll; }
                odd { what_is_odd_is_placed_or_held_with_an_alarm: Poll; }
            }
        }
    };
}

fn assert_abilities(name: &str, abilities: &[Ability]) {
    let channel = gassync_simulator::channel(name).expect("it is in the table of channels");
    let account = (channel.account)(&SimulatorSettings::default(), clock());
    assert_eq!(account.channel(), name);
    assert_eq!(account.abilities().into_iter().collect::<Vec<_>>(), abilities, "declared in the order of the enum");
}

#[test]
fn every_simulated_channel_has_a_suite() {
    let text = include_str!("mod.rs");
    for channel in CHANNELS {
        let line = format!("channel_suite!({}:", channel.name);
        assert!(text.lines().any(|text| text.starts_with(&line)), "{line} … is missing");
    }
}

channel_suite!(beds24: Properties Poll Webhooks PushCalendar ReadCalendar PushReservations);
channel_suite!(smoobu: Properties Poll Webhooks PushCalendar ReadCalendar PushReservations);
