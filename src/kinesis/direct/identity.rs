//! Who signs: the credentials that the SDK's provider chain gives, kept until they end or are refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::sign::{Place, Signer};
use crate::kinesis::client::by_default_chain;
use crate::kinesis::fault::{Cause, Fault, Refusal, credentials_fault};

/// Credentials are renewed this long before they end, as the SDK does (aws-smithy-runtime, `LazyCacheBuilder`).
const BUFFER: Duration = Duration::from_secs(10);

/// The provider is not asked more often than this: it may be a service or a program.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// The signer in force.
#[derive(Debug)]
pub(super) struct Identity {
    /// The region to make the chain of providers anew for, once the endpoint has refused what it gave: the SDK reads a
    /// profile once and for all. None where the credentials were made up.
    renewable: Option<String>,
    place: Place,
    current: Mutex<Option<Arc<Signer>>>,
    refused: AtomicBool,
    /// Held while the provider is asked.
    source: tokio::sync::Mutex<Source>,
}

#[derive(Debug)]
struct Source {
    provider: SharedCredentialsProvider,
    /// When it was asked last, and what it said if it had nothing.
    asked: Option<(Instant, Option<Fault>)>,
}

impl Identity {
    pub(super) fn new(provider: SharedCredentialsProvider, renewable: Option<String>, place: Place) -> Self {
        let source = tokio::sync::Mutex::new(Source { provider, asked: None });
        Self { renewable, place, current: Mutex::default(), refused: AtomicBool::new(false), source }
    }

    /// A signer for the moment `now`.
    ///
    /// # Errors
    /// Why there are no credentials; nothing was sent then.
    pub(super) async fn signer(&self, now: DateTime<Utc>) -> Result<Arc<Signer>, Fault> {
        match self.usable(now) {
            Some(signer) => Ok(signer),
            // Boxed, because it is 12 kB of providers, and each request's future would be as large and be copied thrice.
            None => Box::pin(self.asked(now)).await,
        }
    }

    /// The same, asked of the provider unless somebody else has done so meanwhile.
    async fn asked(&self, now: DateTime<Utc>) -> Result<Arc<Signer>, Fault> {
        // One asks for all.
        let mut source = self.source.lock().await;
        let Source { provider, asked } = &mut *source;
        if let Some(signer) = self.usable(now) {
            return Ok(signer);
        }
        match asked.as_ref().filter(|(at, _)| at.elapsed() < ASK_EVERY) {
            Some(_) => {}
            None => {
                if self.refused.swap(false, Ordering::Relaxed)
                    && let Some(region) = &self.renewable
                    && let Some(fresh) = by_default_chain(Some(region.clone())).await.0.credentials_provider()
                {
                    *provider = fresh;
                }
                let told = provider.provide_credentials().await;
                let fault = match told {
                    Ok(credentials) => {
                        self.set(Arc::new(Signer::new(credentials, self.place.clone(), now)));
                        None
                    }
                    Err(error) => Some(credentials_fault(&error)),
                };
                *asked = Some((Instant::now(), fault));
            }
        }
        // What is about to end still serves when there is nothing newer.
        if let Some(signer) = self.current() {
            return Ok(if signer.is_of(now) { signer } else { Arc::new(signer.on(now)) });
        }
        Err(match asked.as_ref() {
            Some((_, Some(fault))) => fault.clone(),
            _ => Fault::new(
                Cause::Refused(Refusal::CredentialsExpired),
                "the credentials were refused as expired, and their provider was asked for others just now",
            ),
        })
    }

    /// The endpoint refused this signer's credentials as expired: the provider is asked anew.
    pub(super) fn refuse(&self, refused: &Arc<Signer>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|signer| Arc::ptr_eq(signer, refused)) {
            *current = None;
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    /// The current signer, unless it ends soon; made for a new day where one has begun.
    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<Signer>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let signer = current.as_mut()?;
        let soon = SystemTime::from(now) + BUFFER;
        if signer.credentials().expiry().is_some_and(|end| end <= soon) {
            return None;
        }
        if !signer.is_of(now) {
            *signer = Arc::new(signer.on(now));
        }
        Some(Arc::clone(signer))
    }

    fn current(&self) -> Option<Arc<Signer>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, signer: Arc<Signer>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }
}
