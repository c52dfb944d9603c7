//! Runs each call in a fresh sandbox with its own limits.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tracing::Instrument as _;
use wasmtime::{
    Engine, ResourceLimiter, Store, UpdateDeadline,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::{
    Call, CallError, CallRecord, CoreData, Finished, LogLine, MemoryChanges,
    call::TICK,
    capability::{http::HttpGate, log::Log, state::State, wasi_http::GatedHttp},
    denied_imports,
};

/// Captured bytes per standard stream.
const STREAM_BYTES: usize = 16 * 1024;
/// Maximum tables, core instances and memories of a component.
const MAX_PARTS: usize = 16;
/// Maximum host resources.
const MAX_RESOURCES: usize = 1_000;
/// Maximum random bytes per request.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;
/// Header fields of `wasi:http`, in bytes.
const MAX_FIELDS_BYTES: usize = 64 * 1024;

/// Store data of one call.
pub(crate) struct GuestState {
    wasi: WasiCtx,
    table: ResourceTable,
    stderr: MemoryOutputPipe,
    stdout: MemoryOutputPipe,
    memory: MemoryLimit,
    ticks: u32,
    wasi_http: WasiHttpCtx,
    fetch: GatedHttp,
    pub http: HttpGate,
    pub log: Log,
    pub settings: String,
    pub state: State,
    pub core_data: Arc<dyn CoreData>,
    /// The exceeded limit that ended the call.
    pub over: Option<(&'static str, String)>,
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.wasi_http, table: &mut self.table, hooks: &mut self.fetch }
    }
}

impl GuestState {
    /// True if a memory allocation was refused.
    pub fn wanted_too_much_memory(&self) -> bool {
        self.memory.refused
    }

    /// Ends the call with an exceeded limit. The guest cannot catch the returned error.
    pub fn end(&mut self, limit: &'static str, value: String) -> wasmtime::Error {
        self.over = Some((limit, value));
        wasmtime::Error::msg(limit)
    }
}

/// Limits the sum of all memories; the engine limits each one only.
struct MemoryLimit {
    used: usize,
    peak: usize,
    limit: usize,
    refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.used + desired.saturating_sub(current);
        if total > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 20_000)
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}

/// Exposes the clock of the call to the guest.
struct CallClock(gassync_domain::Clock);

impl HostWallClock for CallClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::try_from((self.0)().duration_since(gassync_domain::Timestamp::UNIX_EPOCH)).unwrap_or_default()
    }
}

impl HostMonotonicClock for CallClock {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        u64::try_from((self.0)().as_nanosecond()).unwrap_or_default()
    }
}

/// Links a component for instantiation.
pub(crate) fn prelink(
    engine: &Engine,
    component: &Component,
    contract: impl FnOnce(&mut Linker<GuestState>) -> wasmtime::Result<()>,
) -> wasmtime::Result<InstancePre<GuestState>> {
    use wasmtime_wasi::{
        WasiView as _,
        cli::{WasiCli, WasiCliView as _},
        p2::bindings::{cli, random},
        random::WasiRandom,
    };
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(&mut linker)?;
    random::insecure::add_to_linker::<GuestState, WasiRandom>(&mut linker, |t| t.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<GuestState, WasiRandom>(&mut linker, |t| t.ctx().ctx.random())?;
    cli::environment::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::exit::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::terminal_input::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::terminal_output::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::terminal_stdin::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::terminal_stdout::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    cli::terminal_stderr::add_to_linker::<GuestState, WasiCli>(&mut linker, GuestState::cli)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    denied_imports::link(&mut linker, engine, component)?;
    contract(&mut linker)?;
    linker.instantiate_pre(component)
}

/// Creates a store with the limits of the call.
pub(crate) fn open(engine: &Engine, call: &Call) -> Store<GuestState> {
    let (stdout, stderr) = (MemoryOutputPipe::new(STREAM_BYTES), MemoryOutputPipe::new(STREAM_BYTES));
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_RESOURCES);
    let wasi = WasiCtx::builder()
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .wall_clock(CallClock(call.clock.clone()))
        .monotonic_clock(CallClock(call.clock.clone()))
        .secure_random(ChaCha8Rng::seed_from_u64(call.seed))
        .insecure_random(ChaCha8Rng::seed_from_u64(call.seed.wrapping_add(1)))
        .insecure_random_seed(u128::from(call.seed))
        .max_random_size(MAX_RANDOM_BYTES)
        .build();
    let http = HttpGate::new(call);
    let mut wasi_http = WasiHttpCtx::new();
    wasi_http.set_field_size_limit(MAX_FIELDS_BYTES);
    let guest = GuestState {
        wasi_http,
        fetch: GatedHttp(http.clone()),
        http,
        state: State::new(call.memory.clone()),
        core_data: Arc::clone(&call.core_data),
        wasi,
        table,
        stdout,
        stderr,
        memory: MemoryLimit { used: 0, peak: 0, limit: call.budget.memory_bytes, refused: false },
        ticks: 0,
        log: Log::new(&call.budget),
        settings: call.settings.to_string(),
        over: None,
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(call.budget.copied_bytes);
    let allowed = u32::try_from(call.budget.processor.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX);
    let value = call.budget.processor;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context| {
        let guest = context.data_mut();
        guest.ticks += 1;
        if guest.ticks > allowed {
            guest.over = Some(("processor", format!("{} ms", value.as_millis())));
            return Ok(UpdateDeadline::Interrupt);
        }
        // Yield to Tokio, so that timeouts and other calls make progress.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    store
}

/// The work of a call inside its sandbox.
pub(crate) type GuestFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CallError>> + Send + 'a>>;

/// The called function of a plugin.
pub(crate) struct Entry<'a> {
    /// The plugin's id; empty while it is being loaded.
    pub plugin: &'a str,
    /// Such as `inbound.decode`.
    pub name: &'static str,
}

/// Runs the work within the wall-clock limit, then closes the sandbox and records its usage.
pub(crate) async fn run<P, T, F>(
    plugin: &P,
    mut store: Store<GuestState>,
    call: &Call,
    Entry { plugin: id, name: entry }: Entry<'_>,
    work: F,
) -> Finished<T>
where
    F: for<'a> FnOnce(&'a P, &'a mut Store<GuestState>) -> GuestFuture<'a, T>,
{
    let started = Instant::now();
    // The host's log relies on the names and fields of this span and its last event.
    let span = tracing::info_span!("plugin_call", plugin = id, entry, call = call.id);
    let worked = tokio::time::timeout(call.budget.wall, work(plugin, &mut store)).instrument(span.clone()).await;
    let mut guest = store.into_data();
    let over = guest.http.seen().over;
    let result = match worked {
        Err(_) => {
            Err(CallError::LimitExceeded { limit: "wall", value: format!("{} ms", call.budget.wall.as_millis()) })
        }
        Ok(_) if over => {
            Err(CallError::LimitExceeded { limit: "requests", value: format!("{} in one call", call.budget.requests) })
        }
        Ok(Err(CallError::Trap(why))) => Err(explain_trap(&mut guest, call, why)),
        Ok(result) => result,
    };
    for (level, pipe) in [("stdout", &guest.stdout), ("stderr", &guest.stderr)] {
        for line in String::from_utf8_lossy(&pipe.contents()).lines() {
            guest.log.write(LogLine { level: level.to_owned(), message: line.to_owned(), fields: Vec::new() });
        }
    }
    let mut seen = guest.http.seen();
    let record = CallRecord {
        id: call.id.clone(),
        entry,
        outcome: result.as_ref().map_or_else(CallError::name, |_| "ok"),
        wall: started.elapsed(),
        processor: TICK * guest.ticks,
        peak_memory_bytes: guest.memory.peak,
        sent_bytes: seen.sent_bytes,
        received_bytes: seen.received_bytes,
        memory: match &result {
            Err(error) if !matches!(error, CallError::Channel(_)) => MemoryChanges::new(),
            _ => guest.state.into_changes(),
        },
        requests: mem::take(&mut seen.requests),
        log: guest.log.lines,
        log_lines_dropped: guest.log.dropped,
    };
    drop(seen);
    let millis = u64::try_from(record.wall.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(outcome = record.outcome, millis, "plugin call ended"));
    Finished { result, record }
}

/// Finds the exceeded limit behind a trap, if there is one.
fn explain_trap(guest: &mut GuestState, call: &Call, why: String) -> CallError {
    if let Some((limit, value)) = guest.over.take() {
        return CallError::LimitExceeded { limit, value };
    }
    if guest.memory.refused {
        return CallError::LimitExceeded { limit: "memory", value: format!("{} bytes", call.budget.memory_bytes) };
    }
    if why.contains("hostcall fuel") || why.contains("fuel allocated for hostcalls") {
        return CallError::LimitExceeded {
            limit: "copied bytes",
            value: format!("{} bytes", call.budget.copied_bytes),
        };
    }
    CallError::Trap(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_limit_covers_all_memories() {
        const MIB: usize = 1024 * 1024;
        let mut limit = MemoryLimit { used: 0, peak: 0, limit: 64 * MIB, refused: false };
        let mut grow = |from: usize, to: usize| limit.memory_growing(from * MIB, to * MIB, None).expect("judged");
        assert!(grow(0, 40), "the first of two");
        assert!(!grow(0, 40), "each would fit by itself");
        assert!(grow(40, 64) && !grow(64, 65));
        assert_eq!((limit.peak, limit.refused), (64 * MIB, true));
    }
}
