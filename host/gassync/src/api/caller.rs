//! Who calls is a type in a handler's signature: without it there is no account to ask for.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use gassync_domain::{AccountId, SourceId};
use subtle::ConstantTimeEq;

use super::{ApiError, Problem};
use crate::{app::App, inbound::verify, store::keys};

/// A partner with a live API key.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Whose data it may see.
    pub account: AccountId,
    /// What it writes as.
    pub source: SourceId,
}

/// The one who runs this host.
#[derive(Debug, Clone, Copy)]
pub struct Operator(());

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let key = bearer(parts).ok_or(Problem::Unauthorized)?;
        let mut tx = app.db.platform_read().await?;
        let holder = keys::holder(&mut tx, &verify::hash(key), app.now()).await?;
        let keys::KeyHolder { account, source } = holder.ok_or(Problem::Unauthorized)?;
        Ok(Self { account, source })
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(Problem::Unauthorized)?;
        if bool::from(token.as_bytes().ct_eq(app.operator_token.as_bytes())) {
            Ok(Self(()))
        } else {
            Err(Problem::Unauthorized.into())
        }
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
