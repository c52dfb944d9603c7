use std::{path::PathBuf, sync::Arc, thread};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use sha2::{Digest, Sha256};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, component::Component};

use crate::{Adapter, LoadError, MAX_SANDBOX_BYTES, cache::Cache, call::TICK, import_policy, version};

/// Largest component, in bytes.
pub const MAX_COMPONENT_BYTES: usize = 64 * 1024 * 1024;
/// Guest stack size.
const STACK_BYTES: usize = 512 * 1024;
/// Resident memory per slot between calls, cleared explicitly.
const KEEP_RESIDENT_BYTES: usize = 64 * 1024;
/// The same if the system reports written pages, so that only those are cleared.
const KEEP_RESIDENT_SCANNED_BYTES: usize = 256 * 1024;
/// Niceness of compiler threads.
#[cfg(target_os = "linux")]
const COMPILER_NICENESS: i32 = 10;
/// Slots decommitted at once.
const DECOMMIT_BATCH: usize = 16;

/// Engine settings.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// Folder of the compilation cache; `None` disables it.
    pub cache_dir: Option<PathBuf>,
    /// MAC key of cache entries.
    pub cache_key: [u8; 32],
    /// Maximum concurrent calls.
    pub concurrent_calls: u32,
}

/// Compiles components. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    compilers: Arc<ThreadPool>,
    cache: Option<Arc<Cache>>,
}

impl Engine {
    /// Sets up the engine, with a sandbox pool if memory permits, otherwise on demand.
    pub fn new(settings: EngineSettings) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        // Nothing here uses WASI 0.3, and disabling it reduces the cost of a call to a quarter.
        config.concurrency_support(false);
        config.max_wasm_stack(STACK_BYTES);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings.concurrent_calls)));
        let inner = wasmtime::Engine::new(&config)
            .or_else(|error| {
                tracing::warn!(%error, "sandbox pool unavailable, allocating on demand");
                config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
                wasmtime::Engine::new(&config)
            })
            .map_err(|e| LoadError::Engine(e.to_string()))?;
        start_ticking(&inner)?;
        let cache = match &settings.cache_dir {
            Some(dir) => {
                let cache = Cache::open(dir, settings.cache_key);
                Some(Arc::new(cache.map_err(|e| LoadError::Engine(format!("{}: {e}", dir.display())))?))
            }
            None => None,
        };
        let compilers = Arc::new(compilers().map_err(|e| LoadError::Engine(e.to_string()))?);
        Ok(Self { inner, compilers, cache })
    }

    /// Checks, compiles and instantiates a component, off the async threads.
    pub async fn load(&self, wasm: Vec<u8>) -> Result<Arc<dyn Adapter>, LoadError> {
        let engine = self.clone();
        let compiled = tokio::task::spawn_blocking(move || {
            let hash = hex::encode(Sha256::digest(&wasm));
            engine.compile(&wasm, &hash).map(|component| (component, hash))
        });
        let (component, hash) = compiled.await.map_err(|e| LoadError::Busy(e.to_string()))??;
        version::adapter(&self.inner, &component, hash).await
    }

    fn compile(&self, wasm: &[u8], hash: &str) -> Result<Component, LoadError> {
        if wasmtime::Engine::detect_precompiled(wasm).is_some() {
            return Err(LoadError::Precompiled);
        }
        let failed = |e: wasmtime::Error| LoadError::Compile(format!("{e:#}"));
        let component = match self.cache.as_ref().and_then(|cache| cache.load(&self.inner, hash)) {
            Some(component) => component,
            None => {
                let component = self.compilers.install(|| Component::new(&self.inner, wasm)).map_err(failed)?;
                if let Some(cache) = &self.cache {
                    cache.store(&self.inner, hash, &component.serialize().map_err(failed)?);
                }
                component
            }
        };
        let refused = import_policy::refused(&self.inner, &component);
        if refused.is_empty() { Ok(component) } else { Err(LoadError::Imports(refused)) }
    }
}

/// Compiler threads, one per core, at low priority.
fn compilers() -> Result<ThreadPool, ThreadPoolBuildError> {
    let step_back = |_| {
        // On Linux priorities are per thread; elsewhere this would affect the whole process.
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(None, COMPILER_NICENESS) {
            tracing::warn!(%error, "compiler threads keep normal priority");
        }
    };
    let name = |index| format!("plugin-compiler-{index}");
    ThreadPoolBuilder::new().thread_name(name).start_handler(step_back).build()
}

fn pool(concurrent_calls: u32) -> PoolingAllocationConfig {
    // Twice the calls, so that a slot can be cleaned while another is in use.
    let slots = concurrent_calls * 2;
    let mut pool = PoolingAllocationConfig::new();
    // A swapped-out page may look clean, which would leak one tenant's bytes into another's call.
    let scans = PoolingAllocationConfig::is_pagemap_scan_available() && !has_swap();
    pool.pagemap_scan(if scans { Enabled::Yes } else { Enabled::No });
    pool.total_component_instances(slots)
        // A Python guest consists of 14 modules, a JavaScript guest of 4.
        .total_core_instances(slots * 16)
        .total_memories(slots)
        .total_tables(slots * 2)
        .total_stacks(slots)
        .max_memories_per_module(1)
        .max_tables_per_module(2)
        .max_memory_size(MAX_SANDBOX_BYTES)
        .linear_memory_keep_resident(if scans { KEEP_RESIDENT_SCANNED_BYTES } else { KEEP_RESIDENT_BYTES })
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_BYTES)
        .decommit_batch_size(DECOMMIT_BATCH);
    pool
}

/// True if the system may swap; assumed if unknown.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |swaps| swaps.lines().count() > 1)
}

/// Starts the epoch ticker, which runs as long as the engine.
fn start_ticking(engine: &wasmtime::Engine) -> Result<(), LoadError> {
    let weak = engine.weak();
    let ticker = thread::Builder::new().name("plugin-ticks".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
    ticker.map(drop).map_err(|e| LoadError::Engine(e.to_string()))
}
