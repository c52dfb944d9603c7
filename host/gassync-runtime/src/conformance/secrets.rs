//! Records which (fictitious) secrets a plugin reads and stores.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};

use crate::{CredentialError, Credentials, Secret};

/// Passes requests on and records them.
pub(super) struct ObservedCredentials {
    inner: Arc<dyn Credentials>,
    seen: Mutex<CredentialUse>,
}

/// Slots and fields read and stored.
#[derive(Default)]
pub(super) struct CredentialUse {
    pub asked: BTreeSet<(String, String)>,
    pub kept: BTreeSet<(String, String)>,
}

impl ObservedCredentials {
    pub fn new(inner: Arc<dyn Credentials>) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    pub fn seen(&self) -> MutexGuard<'_, CredentialUse> {
        self.seen.lock()
    }
}

#[async_trait]
impl Credentials for ObservedCredentials {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        self.seen().asked.insert((slot.to_owned(), field.to_owned()));
        self.inner.field(slot, field).await
    }

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError> {
        self.seen().kept.insert((slot.to_owned(), field.to_owned()));
        self.inner.keep(slot, field, secret, good_for).await
    }
}
