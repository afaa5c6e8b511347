//! `<uri>` at the beginning and at the end of a statement.

use super::super::{Invocation, LOAD, STORE, Task, TaskError, Template};
use super::files::Files;
use super::format::Format;
use super::known::{Known, literal, object, one_of, text};
use super::parameters::{Parameters, wrong};
use super::patience::stopped;
use serde_json::Value;

const KNOWN: [Known; 4] = [
    Known::needed("uri", text),
    Known::may("format", |value| one_of(&["json", "jsonl", "yaml", "text"], value)),
    Known::may("method", |value| one_of(&["PUT", "POST", "put", "post"], value)),
    Known::may("headers", object),
];

/// Where resources are.
#[derive(Clone)]
pub(super) struct Resources {
    pub(super) files: Files,
    /// What relative URIs are relative to, if that is no directory.
    #[cfg(feature = "http-client")]
    pub(super) base: Option<reqwest::Url>,
    #[cfg(feature = "http-client")]
    pub(super) requests: super::http::Requests,
}

/// A resource.
enum Place {
    File(String),
    #[cfg(feature = "http-client")]
    Http(reqwest::Url),
}

/// The tasks that load and store.
pub(super) fn tasks(resources: &Resources) -> Vec<Task> {
    let (loading, storing) = (resources.clone(), resources.clone());
    let checked = resources.clone();
    let check = move |_: &str, parameters: &Value| {
        let Ok(Some(Value::String(uri))) = literal(parameters.get("uri")?) else { return None };
        checked.place_of(uri).err().map(|error| format!(": {}", error.reason()))
    };
    let load = Task::new(LOAD, move |invocation: Invocation| {
        let resources = loading.clone();
        async move {
            tokio::select! {
                biased;
                () = invocation.cancelled() => Err(stopped()),
                loaded = resources.load(&invocation) => loaded,
            }
        }
    });
    let store = Task::new(STORE, move |invocation: Invocation| {
        let resources = storing.clone();
        async move {
            tokio::select! {
                biased;
                () = invocation.cancelled() => Err(stopped()),
                stored = resources.store(&invocation) => stored.map(|()| invocation.shared_input()),
            }
        }
    });
    vec![load.with_known(&KNOWN, check.clone()), store.with_known(&KNOWN, check)]
}

impl Resources {
    async fn load(&self, invocation: &Invocation) -> Result<Value, TaskError> {
        let parameters = Parameters::of(invocation, &KNOWN)?;
        let format = parameters.text("format")?;
        let place = self.place(invocation)?;
        match place {
            Place::File(path) => {
                let format = Format::of(format.as_deref(), &path, "")?;
                format.read(&self.files.load(path.clone()).await?, &path)
            }
            #[cfg(feature = "http-client")]
            Place::Http(url) => {
                let answered =
                    self.ask(reqwest::Method::GET, invocation, &parameters, url.clone(), None).await?;
                let format = Format::of(format.as_deref(), url.path(), &answered.kind)?;
                Ok(self.requests.client.secrets.without_in(format.read(&answered.body, url.path())?))
            }
        }
    }

    async fn store(&self, invocation: &Invocation) -> Result<(), TaskError> {
        let parameters = Parameters::of(invocation, &KNOWN)?;
        let format = parameters.text("format")?;
        match self.place(invocation)? {
            Place::File(path) => {
                let format = Format::of(format.as_deref(), &path, "")?;
                self.files.store(path, format.write(invocation.input())?).await
            }
            #[cfg(feature = "http-client")]
            Place::Http(url) => {
                let format = Format::of(format.as_deref(), url.path(), "")?;
                let method = match parameters.text("method")?.as_deref() {
                    None | Some("PUT" | "put") => reqwest::Method::PUT,
                    Some("POST" | "post") => reqwest::Method::POST,
                    Some(other) => {
                        return Err(wrong(&format!("the parameter `method` is PUT or POST, not `{other}`")));
                    }
                };
                let body = Some((format.kind(), format.write(invocation.input())?));
                self.ask(method, invocation, &parameters, url, body).await?;
                Ok(())
            }
        }
    }

    /// The place that a URI names.
    fn place(&self, invocation: &Invocation) -> Result<Place, TaskError> {
        let data = [("input", invocation.input()), ("parameters", invocation.parameters())];
        let uri = invocation.parameters().get("uri").and_then(Value::as_str).unwrap_or_default();
        let template = Template::parse(uri)?;
        #[cfg(feature = "http-client")]
        if self.base.is_some() || uri.starts_with("http:") || uri.starts_with("https:") {
            let text = template.fill_as(&data, &super::http::as_part_of_url)?;
            return self.place_of(text);
        }
        self.place_of(template.fill(&data)?)
    }

    #[cfg_attr(
        not(feature = "http-client"),
        expect(clippy::unused_self, reason = "only URLs are relative to anything but the directory")
    )]
    fn place_of(&self, uri: String) -> Result<Place, TaskError> {
        if let Some(rest) = uri.strip_prefix("file:") {
            let path = rest.strip_prefix("//localhost/").map(|path| format!("/{path}"));
            let path = path.unwrap_or_else(|| rest.strip_prefix("//").unwrap_or(rest).to_owned());
            return Ok(Place::File(path));
        }
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme.to_lowercase());
        let is_scheme = |scheme: &str| {
            scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        match scheme.filter(|scheme| is_scheme(scheme)).as_deref() {
            #[cfg(feature = "http-client")]
            Some("http" | "https") => Ok(Place::Http(url(reqwest::Url::parse(&uri))?)),
            #[cfg(not(feature = "http-client"))]
            Some("http" | "https") => {
                Err(wrong("this build cannot load <http:…>: it is without `http-client`"))
            }
            Some(other) => {
                Err(wrong(&format!("no resource can be at {other}:; there are file:, http: and https:")))
            }
            #[cfg(feature = "http-client")]
            None if self.base.is_some() => match &self.base {
                Some(base) => Ok(Place::Http(url(base.join(&uri))?)),
                None => Ok(Place::File(uri)),
            },
            None => Ok(Place::File(uri)),
        }
    }

    #[cfg(feature = "http-client")]
    async fn ask(
        &self,
        method: reqwest::Method,
        invocation: &Invocation,
        parameters: &Parameters<'_>,
        url: reqwest::Url,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<super::http::Answered, TaskError> {
        let place = self.requests.client.shown(&url);
        let call = self.requests.resource(method, invocation, parameters, url, body)?;
        let answered = self.requests.client.call(call).await?;
        if answered.status.is_success() {
            Ok(answered)
        } else {
            Err(super::http::failed(&self.requests.client, &place, &answered))
        }
    }
}

#[cfg(feature = "http-client")]
fn url(parsed: Result<reqwest::Url, impl std::fmt::Display>) -> Result<reqwest::Url, TaskError> {
    parsed.map_err(|error| wrong(&format!("the URI of the resource gives no URL: {error}")))
}
