//! Endpoints of sources.

use super::metered;
use super::post_source::Inbox;
use super::{Error, PostOptions, PostSource, Signature};
use crate::stream::meter::Meter;
use parking_lot::Mutex;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The endpoints of sources, by path; `http::Service::endpoints` serves them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(Arc<Mutex<HashMap<String, Arc<Endpoint>>>>);

impl Endpoints {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an endpoint, which is there from now on, and until the source is dropped; also while the service runs.
    ///
    /// The path is one that nothing else is at, such as `/hooks/orders`: what the service has at a path of its own is
    /// asked first.
    ///
    /// # Errors
    /// [`Error::Path`]: it is no path, or has an endpoint already.
    pub fn source<T>(&self, path: &str, options: PostOptions) -> Result<PostSource<T>, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let wrong = |reason| Error::Path { path: path.to_owned(), reason };
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "/-._~".contains(letter);
        if !path.starts_with('/') || path.len() < 2 || !path.chars().all(fits) {
            return Err(wrong("give one like `/hooks/orders`, of letters, digits, `-`, `.`, `_` and `~`"));
        }
        if options.signature.as_ref().is_some_and(|signature| !signature.has_secret()) {
            return Err(wrong("the secret of its signature is empty, so that anyone could sign"));
        }
        let mut all = self.0.lock();
        if all.contains_key(path) {
            return Err(wrong("another source has it; drop that first"));
        }
        let (inbox, items) = super::post_source::inbox(&options);
        let signature = options.signature;
        // The path of one that nobody signs for may be its secret.
        let meter = Meter::new(&metered::SOURCE, if signature.is_some() { path } else { "(endpoint)" });
        let endpoint = Arc::new(Endpoint { path: path.to_owned(), signature, inbox, meter });
        all.insert(path.to_owned(), endpoint.clone());
        Ok(PostSource::new(items, self.clone(), endpoint))
    }

    /// The one at a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Arc<Endpoint>> {
        self.0.lock().get(path).cloned()
    }

    /// Takes one away, unless another has its path by now.
    pub(super) fn remove(&self, endpoint: &Arc<Endpoint>) {
        let mut all = self.0.lock();
        if all.get(&endpoint.path).is_some_and(|there| Arc::ptr_eq(there, endpoint)) {
            all.remove(&endpoint.path);
        }
    }
}

/// Where a source is sent items.
pub struct Endpoint {
    path: String,
    signature: Option<Signature>,
    inbox: Box<dyn Inbox>,
    meter: Arc<Meter>,
}

/// What an endpoint has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// How many items of the body are there now.
    pub(crate) accepted: usize,
    /// All of them were there before.
    pub(crate) duplicate: bool,
}

/// Why an endpoint has not taken all of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is not from whom it should be.
    Unsigned(String),
    /// An item has the wrong shape; those before it are taken.
    Shape { detail: String, field: Option<String>, line: Option<usize>, accepted: usize },
    /// There was no room in time; some are taken.
    Full { accepted: usize },
    /// The source is gone.
    Gone,
}

impl Endpoint {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether its senders sign what they send.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.signature.is_some()
    }

    /// Hands a request to the source, which may take so long to make room for it.
    ///
    /// If dropped before it is ready, some of its items may be taken.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "there is no service to hand it requests"))]
    pub(crate) async fn receive(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        wait: Duration,
    ) -> Result<Receipt, Refused> {
        if let Some(signature) = &self.signature {
            signature
                .check(headers, body)
                .map_err(Refused::Unsigned)
                .inspect_err(|_| self.meter.add(metered::REFUSED, 1))?;
        }
        let taken = self.inbox.take(headers, body, wait).await;
        match &taken {
            Ok(Receipt { duplicate: true, accepted }) => self.meter.add(metered::REPEATED, *accepted as u64),
            Ok(Receipt { accepted, .. }) => self.meter.add(metered::ITEMS, *accepted as u64),
            Err(refused) => {
                if let Refused::Shape { accepted, .. } | Refused::Full { accepted } = refused {
                    self.meter.add(metered::ITEMS, *accepted as u64);
                }
                self.meter.add(metered::REFUSED, 1);
            }
        }
        taken
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("path", &self.path)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}
