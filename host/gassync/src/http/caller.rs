//! Authentication. Handlers take the caller as a typed extractor; without it they have no account.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use gassync_domain::{AccountId, Authority, SourceId, SourceKey};
use subtle::ConstantTimeEq;

use super::{
    ApiError, Problem,
    scope::{self, KeyScope},
};
use crate::store::keys::KeyHolder;

/// A partner with an active key that has the scope `S`.
#[derive(Debug)]
pub struct Caller<S> {
    /// The account.
    pub account: AccountId,
    /// The source that it writes as.
    pub source: SourceId,
    /// Id of the API key.
    pub key: i64,
    /// True if its source creates core entities.
    pub creates: bool,
    /// Authority of the source.
    pub authority: Authority,
    /// True if invalid values are rejected instead of mended.
    pub strict: bool,
    holder: Arc<KeyHolder>,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// The source with its account.
    pub fn source_key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    /// All scopes of the key.
    pub fn scopes(&self) -> &[String] {
        &self.holder.scopes
    }
}

/// The operator token that a request must present.
#[derive(Clone)]
pub struct OperatorToken(pub String);

/// The operator of this host.
#[derive(Debug, Clone, Copy)]
pub struct Operator(());

impl<T: Send + Sync, S: KeyScope> FromRequestParts<T> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, ApiError> {
        let holder = parts.extensions.get::<Arc<KeyHolder>>().ok_or(Problem::Unauthorized)?;
        if !scope::holds(&holder.scopes, S::NAME) {
            return Err(Problem::Forbidden { scope: S::NAME }.into());
        }
        let KeyHolder { id: key, account, source, creates, authority, strict, .. } = **holder;
        Ok(Self { account, source, key, creates, authority, strict, holder: Arc::clone(holder), scope: PhantomData })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Operator
where
    OperatorToken: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or(Problem::Unauthorized)?;
        let OperatorToken(expected) = OperatorToken::from_ref(state);
        if bool::from(token.as_bytes().ct_eq(expected.as_bytes())) {
            Ok(Self(()))
        } else {
            Err(Problem::Unauthorized.into())
        }
    }
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
