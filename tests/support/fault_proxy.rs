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

/// One in this many commits never reaches the database.
const BEFORE: u32 = 3;
/// One in this many commits succeeds, but its result is lost.
const AFTER: u32 = 4;

/// The bytes of a commit on the wire.
const COMMIT: &[u8] = b"COMMIT\0";

/// The proxy.
#[derive(Clone)]
pub struct FaultProxy {
    /// The address for hosts to connect to.
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
    /// Starts a proxy to a server; connections break from [`FaultProxy::begin`] on.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    // An error has the same effect as a cut.
                    if let Ok(server) = TcpStream::connect(server).await {
                        let _: Option<()> = carry(client, server, &state).await;
                    }
                });
            }
        });
        Self { address, state }
    }

    /// Starts to break connections.
    pub fn begin(&self) {
        self.state.cutting.store(true, Ordering::SeqCst);
    }

    /// Stops breaking connections.
    pub fn end(&self) {
        self.state.cutting.store(false, Ordering::SeqCst);
    }

    /// Number of connections broken before and after a commit.
    pub fn cuts(&self) -> (u32, u32) {
        (self.state.before.load(Ordering::SeqCst), self.state.after.load(Ordering::SeqCst))
    }
}

/// Relays both directions until one side closes or the connection is cut.
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
                    // Its response shows that the commit succeeded.
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
