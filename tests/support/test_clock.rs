//! A clock that runs in real time and can be put forward. Waits of its hosts follow it.

use std::{sync::Arc, time::Duration};

use gassync::{app::App, waiting::Sleep};
use gassync_domain::{Clock, Timestamp};
use jiff::SignedDuration;
use tokio::sync::watch;

use crate::host::clock;

/// A clock that can be put forward. Clones share it.
#[derive(Clone)]
pub struct TestClock {
    ahead: watch::Sender<SignedDuration>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { ahead: watch::Sender::new(SignedDuration::ZERO) }
    }
}

impl TestClock {
    /// Puts it forward; waits that are over then end at once.
    pub fn advance(&self, by: SignedDuration) {
        self.ahead.send_modify(|ahead| *ahead += by);
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        clock()() + *self.ahead.borrow()
    }

    /// The clock of a host.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// The waits of a host.
    pub fn sleep(&self) -> Sleep {
        let clock = self.clone();
        Arc::new(move |duration| Box::pin(clock.clone().wait(duration)))
    }

    /// Makes a host live by this clock, before it serves.
    pub fn set(&self, app: &mut App) {
        app.set_clock(self.clock());
        app.sleep = self.sleep();
    }

    async fn wait(self, duration: Duration) {
        let ends = self.now() + duration;
        let mut moved = self.ahead.subscribe();
        while let Ok(left) = Duration::try_from(ends.duration_since(self.now())) {
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = moved.changed() => {}
            }
        }
    }
}
