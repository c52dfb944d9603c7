//! Support for integration tests: real databases, components and processes.

pub mod account_fixture;
pub mod arrows;
pub mod caller;
pub mod core_fixture;
pub mod database;
pub mod fault_proxy;
pub mod faulty_channel;
pub mod host;
pub mod leftovers;
pub mod load_fixture;
pub mod odd_channel;
pub mod odd_records;
pub mod partner_project;
pub mod plugins;
pub mod port;
pub mod process;
pub mod source_fixture;
pub mod test_clock;
pub mod web;
pub mod webhook_receiver;

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
