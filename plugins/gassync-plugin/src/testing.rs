//! A host for unit tests. One per thread, as tests have threads of their own.

use std::{cell::RefCell, collections::VecDeque};

use crate::{HttpRequest, HttpResponse, http::HttpError};

thread_local! {
    static HOST: RefCell<FakeHost> = RefCell::new(FakeHost::default());
}

/// What the host would hold.
#[derive(Debug, Default)]
pub struct FakeHost {
    settings: Option<String>,
    answers: VecDeque<Result<HttpResponse, HttpError>>,
    requests: Vec<HttpRequest>,
    log: Vec<String>,
}

impl FakeHost {
    /// Forgets what an earlier test left.
    pub fn reset() {
        HOST.with_borrow_mut(|host| *host = Self::default());
    }

    /// The source's settings, a JSON object.
    pub fn set_settings(json: &str) {
        HOST.with_borrow_mut(|host| host.settings = Some(json.to_owned()));
    }

    /// The next answer of the channel; when none is left it is 503.
    pub fn answer(status: u16, body: &str) {
        let response = HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        HOST.with_borrow_mut(|host| host.answers.push_back(Ok(response)));
    }

    /// The next answer, in full or as a failure.
    pub fn answer_with(answer: Result<HttpResponse, HttpError>) {
        HOST.with_borrow_mut(|host| host.answers.push_back(answer));
    }

    /// What was sent, and forgets it.
    pub fn take_requests() -> Vec<HttpRequest> {
        HOST.with_borrow_mut(|host| std::mem::take(&mut host.requests))
    }

    /// What was logged, and forgets it.
    pub fn take_log() -> Vec<String> {
        HOST.with_borrow_mut(|host| std::mem::take(&mut host.log))
    }
}

pub(crate) fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    HOST.with_borrow_mut(|host| {
        host.requests.push(request);
        let none_left = || Ok(HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() });
        host.answers.pop_front().unwrap_or_else(none_left)
    })
}

pub(crate) fn settings() -> String {
    HOST.with_borrow(|host| host.settings.clone().unwrap_or_else(|| "{}".to_owned()))
}

pub(crate) fn log(message: &str) {
    HOST.with_borrow_mut(|host| host.log.push(message.to_owned()));
}
