//! Log of incoming calls.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use super::InjectedFault;

/// Maximum logged calls.
const REMEMBERED: usize = 10_000;

/// An incoming call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    /// When.
    pub at: Timestamp,
    /// How.
    pub method: String,
    /// Where, below the address of the API.
    pub path: String,
    /// What it asked for.
    pub query: String,
    /// How it was answered, or would have been had the answer arrived.
    pub status: u16,
    /// What it cost.
    pub credits: f64,
    /// What went wrong with it.
    pub fault: Option<InjectedFault>,
}

/// The last calls, and how many ran at once.
#[derive(Default)]
pub(super) struct CallLog {
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
