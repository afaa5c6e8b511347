//! Services that flows know by a name.

use reqwest::Url;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A service: where it is, and who one is there.
#[derive(Clone)]
pub(in super::super) struct Service {
    pub(in super::super) url: Url,
    pub(in super::super) token: Option<Arc<str>>,
}

/// Services by name; the name of one in an environment other than `global` ends with `_` and the environment's.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Services {
    by_name: Arc<BTreeMap<String, Service>>,
}

impl Services {
    pub(in super::super) fn add(&mut self, name: &str, service: Service) {
        Arc::make_mut(&mut self.by_name).insert(name.to_owned(), service);
    }

    pub(super) fn find(&self, category: &str, environ: Option<&str>) -> Result<&Service, String> {
        let name = match environ {
            None | Some("global") => category.to_owned(),
            Some(environ) => format!("{category}_{environ}"),
        };
        self.by_name.get(&name).ok_or_else(|| {
            let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("there is no service `{name}` in workflow.request.services; there is {known}")
        })
    }

    pub(in super::super) fn urls(&self) -> impl Iterator<Item = &Url> {
        self.by_name.values().map(|service| &service.url)
    }

    /// The one that is at the place of a URL.
    pub(super) fn at(&self, url: &Url) -> Option<&Service> {
        self.by_name.values().find(|service| service.is_at(url))
    }

    /// Whether one of them is at the place of a URL.
    pub(super) fn are_at(&self, url: &Url) -> bool {
        self.at(url).is_some()
    }
}

impl Service {
    pub(super) fn is_at(&self, url: &Url) -> bool {
        self.url.origin() == url.origin()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
