//! Panics become failures whose reason names the place and contains no data.

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
    /// The place of this thread's last panic. A panicking future is caught on the same thread.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Records where panics happen and logs each. Formatted messages may contain personal data, so only literal messages are
/// written. The hook itself cannot panic: a second panic would abort the process silently.
pub fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| std::panic::set_hook(Box::new(note)));
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
    let work = current().map(|name| format!(" in {name}")).unwrap_or_default();
    let at = place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default();
    let message = info.payload().downcast_ref::<&'static str>().map(|text| format!(": {text}")).unwrap_or_default();
    // A backtrace contains only code locations; it is captured only with RUST_BACKTRACE.
    let trace = std::backtrace::Backtrace::capture();
    let trace = match trace.status() {
        std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    // Ignore write errors and ending threads: neither is worth a second panic.
    drop(writeln!(std::io::stderr(), "gassync: panicked{work}{at}{message}{trace}"));
    let _ending = PLACE.try_with(|kept| kept.try_borrow_mut().map(|mut kept| *kept = place));
}

/// The name of the running work, as given to [`caught`].
pub fn current() -> Option<&'static str> {
    WORK.try_with(|name| *name).ok()
}

/// Runs named work and turns a panic into an error. Shared state must be consistent at every step: locks are not poisoned, and
/// durable state changes in transactions.
pub async fn caught<T>(name: &'static str, work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(WORK.scope(name, work)).catch_unwind().await.map_err(|_payload| reason())
}

/// The reason of this thread's last panic.
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
