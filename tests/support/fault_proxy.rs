//! A proxy to PostgreSQL that breaks connections around commits: either before the commit reaches the database, or
//! before its result reaches the host.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// One commit in so many never reaches the database.
const BEFORE: u32 = 3;
/// One commit in so many is done, and its answer never comes back.
const AFTER: u32 = 4;

/// How a connection sends a commit.
const COMMIT: &[u8] = b"COMMIT\0";

/// The wire.
#[derive(Clone)]
pub struct FaultProxy {
    /// Where hosts connect.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cutting: AtomicBool,
    commits: AtomicU32,
    before: AtomicU32,
    after: AtomicU32,
}

impl FaultProxy {
    /// A wire to the server of this address; it breaks from [`FaultProxy::begin`] on.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A wire that breaks by itself is as good as one that is cut.
                    if let Ok(server) = TcpStream::connect(server).await {
                        let _: Option<()> = carry(client, server, &state).await;
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Breaks from now on.
    pub fn begin(&self) {
        self.state.cutting.store(true, Ordering::SeqCst);
    }

    /// Breaks no more.
    pub fn end(&self) {
        self.state.cutting.store(false, Ordering::SeqCst);
    }

    /// How often it broke before and after a commit.
    pub fn cuts(&self) -> (u32, u32) {
        (self.state.before.load(Ordering::SeqCst), self.state.after.load(Ordering::SeqCst))
    }
}

/// Carries both ways until one side ends, or the wire is cut.
async fn carry(mut client: TcpStream, mut server: TcpStream, state: &State) -> Option<()> {
    let (mut sent, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut sent) => {
                let bytes = &sent[..read.ok().filter(|read| *read > 0)?];
                let number = if state.cutting.load(Ordering::SeqCst) && bytes.ends_with(COMMIT) {
                    state.commits.fetch_add(1, Ordering::SeqCst) + 1
                } else {
                    1
                };
                if number % BEFORE == 0 {
                    state.before.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
                server.write_all(bytes).await.ok()?;
                if number % AFTER == 0 {
                    // Its answer says that it is done.
                    server.read(&mut answered).await.ok().filter(|read| *read > 0)?;
                    state.after.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
            }
            read = server.read(&mut answered) => {
                let bytes = &answered[..read.ok().filter(|read| *read > 0)?];
                client.write_all(bytes).await.ok()?;
            }
        }
    }
}
