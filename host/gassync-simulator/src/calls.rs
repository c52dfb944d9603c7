//! Log of incoming calls.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::InjectedFault;

/// Maximum logged calls.
const REMEMBERED: usize = 10_000;

/// An incoming call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    /// Time.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path below the API URL.
    pub path: String,
    /// Query.
    pub query: String,
    /// Response status, even if a fault prevented delivery.
    pub status: u16,
    /// Cost in credits.
    pub credits: f64,
    /// Injected fault.
    pub fault: Option<InjectedFault>,
}

/// The last calls, and the number of concurrent calls.
#[derive(Default)]
pub(crate) struct CallLog {
    seen: VecDeque<SeenCall>,
    pub running: u32,
    pub parallel: u64,
}

impl CallLog {
    pub fn note(&mut self, call: SeenCall) {
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(call);
    }

    pub fn all(&self) -> Vec<SeenCall> {
        self.seen.iter().cloned().collect()
    }
}
