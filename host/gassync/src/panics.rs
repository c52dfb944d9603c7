//! What becomes of a panic: work that panics has failed, with a reason that tells where and nothing of what was worked on.

use std::{
    cell::RefCell,
    future::Future,
    io::Write as _,
    panic::{AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

use futures_util::FutureExt as _;

tokio::task_local! {
    static WORK: &'static str;
}

thread_local! {
    /// Where this thread panicked last. A future that panics is caught on the thread that it panicked on.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes where panics happen, and writes a line for each. What was formatted into a message may be a guest's, so of messages
/// only those are written that stand in the source as they are. Nothing in it can panic: a second one would end the process
/// without a word.
pub fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| std::panic::set_hook(Box::new(note)));
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
    let work = current().map(|name| format!(" in {name}")).unwrap_or_default();
    let at = place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default();
    let message = info.payload().downcast_ref::<&'static str>().map(|text| format!(": {text}")).unwrap_or_default();
    // Nothing is found in a backtrace but places. Without RUST_BACKTRACE there is none.
    let trace = std::backtrace::Backtrace::capture();
    let trace = match trace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    // Neither a log that cannot be written nor a thread that is ending is worth a second panic.
    drop(writeln!(std::io::stderr(), "gassync: panicked{work}{at}{message}{trace}"));
    let _ending = PLACE.try_with(|kept| kept.try_borrow_mut().map(|mut kept| *kept = place));
}

/// The name of the work that is running, as [`caught`] was given it.
pub fn current() -> Option<&'static str> {
    WORK.try_with(|name| *name).ok()
}

/// Runs work of this name to its end; where it panics, the reason. What it shares with others must be whole at each of its
/// steps: locks here are taken with their poison, and what is durable is changed in transactions.
pub async fn caught<T>(name: &'static str, work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(WORK.scope(name, work)).catch_unwind().await.map_err(|_payload| reason())
}

/// Why work that has just panicked on this thread has failed.
fn reason() -> String {
    let place = PLACE.try_with(|kept| kept.try_borrow_mut().ok().and_then(|mut kept| kept.take())).ok().flatten();
    match place {
        Some(place) => format!("panicked at {place}"),
        None => "panicked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_reason_contains_no_payload() {
        assert_eq!(caught("a sum", async { (17, current()) }).await, Ok((17, Some("a sum"))));
        let name = String::from("Ada Example");
        let panicking = async move {
            tokio::task::yield_now().await;
            panic!("no room for {name}");
        };
        let reason = caught("a booking", panicking).await.map(|()| "nothing").expect_err("a reason");
        assert!(reason.starts_with("panicked") && !reason.contains("Ada"), "{reason}");
    }
}
