//! What the integration tests stand on: real databases, real components, a real process.

pub mod arrows;
pub mod cutter;
pub mod database;
pub mod host;
pub mod house;
pub mod market;
pub mod odd_channel;
pub mod odd_records;
pub mod partner;
pub mod plugins;
pub mod port;
pub mod process;
pub mod sink;
pub mod stand_in;
pub mod teller;
pub mod tenant;
pub mod web;

/// Runs each scenario on both databases.
#[macro_export]
macro_rules! on_both {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$scenario($crate::database::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$scenario($crate::database::Database::postgres().await).await;
            }
        }
    )*};
}
