//! `request:get`, `request:post`, `request:put` and `request:delete`

use super::super::super::{Answer, Invocation, Task, TaskError, Template};
use super::super::known::{Known, anything, flag, literal, missing, object, text, texts, time};
use super::super::parameters::{Parameters, filled, wrong};
use super::super::patience::stopped;
use super::callback::Callback;
use super::client::{Call, Client};
use super::output::{Output, failed};
use super::services::{Service, Services};
use crate::knowledge::Store;
use crate::stream::trace::TraceContext;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// What requests need.
#[derive(Clone)]
pub(in super::super) struct Requests {
    pub(in super::super) client: Client,
    pub(in super::super) services: Services,
    /// Where whoever answers later says so, if that is known.
    pub(in super::super) callbacks: Option<Url>,
    pub(in super::super) store: Arc<dyn Store>,
    pub(in super::super) timeout: Duration,
    pub(in super::super) longest: usize,
}

const KNOWN: [Known; 11] = [
    Known::may("url", text),
    Known::may("template", anything),
    Known::may("headers", object),
    Known::may("content_type", text),
    Known::raw("sync", flag),
    Known::may("output_mode", modes),
    Known::raw("error_on_status", flag),
    Known::may("category", text),
    Known::may("environ", text),
    Known::raw("use_context_parameters", flag),
    Known::may("timeout", time),
];
fn modes(value: &Value) -> Result<(), String> {
    texts(value)?;
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let wrong = all.iter().find(|mode| !Output::MODES.iter().any(|known| *mode == known));
    wrong.map_or(Ok(()), |mode| {
        Err(format!("is status, response_text or response_json, or a list of them, not {mode}"))
    })
}

/// Parameters that an input may state if the flow says so: those that say neither where a request goes nor what it
/// carries.
const FROM_INPUT: [&str; 3] = ["content_type", "output_mode", "error_on_status"];
/// Headers that belong to the client.
const OWN_HEADERS: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

/// The four tasks.
pub(in super::super) fn tasks(requests: &Requests) -> Vec<Task> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let tasks = methods.map(|method| {
        let name = format!("request:{}", method.as_str().to_lowercase());
        let (requests, checked) = (requests.clone(), requests.clone());
        let task = Task::new(&name, move |invocation: Invocation| {
            let (requests, method) = (requests.clone(), method.clone());
            async move {
                tokio::select! {
                    biased;
                    () = invocation.cancelled() => Err(stopped()),
                    answer = requests.answer(method, &invocation) => answer,
                }
            }
        });
        task.with_known(&KNOWN, move |_, parameters| checked.check(parameters))
    });
    tasks.into()
}

impl Requests {
    /// Why a flow cannot ask, if that shows before it begins.
    fn check(&self, parameters: &Value) -> Option<String> {
        let written = |name: &str| match literal(parameters.get(name)?) {
            Ok(Some(Value::String(text))) => Some(text),
            _ => None,
        };
        let is_there = |name: &str| parameters.get(name).is_some_and(|value| !value.is_null());
        if !is_there("category") {
            let url = written("url").map(|url| Url::parse(&url).err());
            return match url {
                None => (!is_there("url")).then(|| missing("url")),
                Some(error) => error.map(|error| format!(": `url` gives no URL: {error}")),
            };
        }
        let (category, environ) = (written("category")?, written("environ"));
        if is_there("environ") && environ.is_none() {
            return None;
        }
        self.services.find(&category, environ.as_deref()).err().map(|reason| format!(": {reason}"))
    }

    async fn answer(&self, method: Method, invocation: &Invocation) -> Result<Answer, TaskError> {
        let mut parameters = Parameters::of(invocation, &KNOWN)?;
        if parameters.flag("use_context_parameters", false)? {
            parameters.take_from_input(&FROM_INPUT);
        }
        let output = Output::of(&parameters)?;
        let fails = parameters.flag("error_on_status", true)?;
        let callback = if parameters.flag("sync", true)? {
            None
        } else {
            Some(Callback::of(&self.store, invocation).await?)
        };
        if callback.as_ref().is_some_and(|callback| callback.sent) {
            return Ok(Answer::Later);
        }
        let call = self.call(method, invocation, &parameters, callback.as_ref())?;
        let place = self.client.shown(&call.url);
        let answered = self.client.call(call).await?;
        if fails && !answered.status.is_success() {
            return Err(failed(&self.client, &place, &answered));
        }
        if let Some(callback) = callback {
            callback.was_sent(&self.store, invocation).await?;
            return Ok(Answer::Later);
        }
        Ok(output.take(&self.client, invocation.input(), &answered)?.into())
    }

    fn call(
        &self,
        method: Method,
        invocation: &Invocation,
        parameters: &Parameters<'_>,
        callback: Option<&Callback>,
    ) -> Result<Call, TaskError> {
        let at = callback.and_then(|callback| self.callback_url(callback));
        let data = Data::new(invocation, self.client.secrets.data(), callback, at.as_ref());
        let service = match parameters.text("category")? {
            Some(category) => {
                let environ = parameters.text("environ")?;
                Some(self.services.find(&category, environ.as_deref()).map_err(TaskError::for_good)?)
            }
            None => None,
        };
        let mut url = url(&data, parameters, service)?;
        if let Some(callback) = callback {
            let pairs = [
                ("littleflow-name", invocation.name().to_owned()),
                ("littleflow-base", invocation.base().to_owned()),
                ("littleflow-index", invocation.index().to_string()),
                ("littleflow-workflow", invocation.workflow().full().to_owned()),
                ("littleflow-token", callback.token.clone()),
            ];
            url.query_pairs_mut().extend_pairs(pairs);
            if let Some(at) = &at {
                url.query_pairs_mut().append_pair("littleflow-callback", at.as_str());
            }
        }
        let mut headers = headers(&data, parameters)?;
        if method != Method::GET && !headers.contains_key("idempotency-key") {
            let key = format!("{}@{}", invocation.key(), invocation.since().micros());
            headers.insert(HeaderName::from_static("idempotency-key"), header("idempotency-key", &key)?);
        }
        let body = body(&method, invocation, &data, parameters)?;
        let secret = uses_secrets(parameters);
        self.allowed(method, url, service, headers, body, secret, parameters)
    }

    fn callback_url(&self, callback: &Callback) -> Option<Url> {
        let mut url = self.callbacks.clone()?;
        // What cannot have a path is no HTTP URL, and was refused before.
        url.path_segments_mut().ok()?.pop_if_empty().extend(["callbacks", &callback.token]);
        Some(url)
    }

    /// What loads or stores a resource.
    pub(in super::super) fn resource(
        &self,
        method: Method,
        invocation: &Invocation,
        parameters: &Parameters<'_>,
        url: Url,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Call, TaskError> {
        let data = Data::new(invocation, self.client.secrets.data(), None, None);
        let headers = headers(&data, parameters)?;
        let body =
            body.map(|(kind, body)| Ok::<_, TaskError>((header("content-type", kind)?, body))).transpose()?;
        let (service, secret) = (self.services.at(&url), uses_secrets(parameters));
        self.allowed(method, url, service, headers, body, secret, parameters)
    }

    /// The call, if it is one that may be made.
    #[expect(clippy::too_many_arguments, reason = "the parts of a call, each once")]
    fn allowed(
        &self,
        method: Method,
        url: Url,
        service: Option<&Service>,
        mut headers: HeaderMap,
        body: Option<(HeaderValue, Vec<u8>)>,
        secret: bool,
        parameters: &Parameters<'_>,
    ) -> Result<Call, TaskError> {
        self.client.hosts.check(&url).map_err(TaskError::for_good)?;
        if let Some(context) = TraceContext::current().filter(|_| !headers.contains_key("traceparent")) {
            headers.insert("traceparent", header("traceparent", &context.to_string())?);
            if let Some(state) = context.state() {
                headers.insert("tracestate", header("tracestate", state)?);
            }
        }
        if let Some(token) =
            service.filter(|service| service.is_at(&url)).and_then(|found| found.token.as_ref())
            && !headers.contains_key(AUTHORIZATION)
        {
            headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {token}"))?);
        }
        if secret && !self.client.hosts.lists(&url) && !self.services.are_at(&url) {
            let place = self.client.shown(&url);
            let help = "put its host into workflow.request.allow_hosts";
            return Err(wrong(&format!("no secret is sent to {place}: {help}")));
        }
        let timeout = parameters.duration("timeout")?.unwrap_or(self.timeout);
        Ok(Call { method, url, headers, body, timeout, longest: self.longest })
    }
}

/// What the templates of a request are filled with.
struct Data<'i> {
    invocation: &'i Invocation,
    secrets: Value,
    callback: Option<Value>,
}

impl<'i> Data<'i> {
    fn new(
        invocation: &'i Invocation,
        secrets: Value,
        callback: Option<&Callback>,
        at: Option<&Url>,
    ) -> Self {
        let callback = callback.map(|callback| {
            let mut told = json!({
                "token": callback.token, "workflow": invocation.workflow().full(), "name": invocation.name(),
                "base": invocation.base(), "index": invocation.index(),
            });
            if let (Some(at), Some(told)) = (at, told.as_object_mut()) {
                told.insert("url".to_owned(), at.as_str().into());
            }
            told
        });
        Self { invocation, secrets, callback }
    }

    fn fill(&self, text: &str, written: &dyn Fn(usize, &str, bool) -> String) -> Result<String, TaskError> {
        let mut data = vec![
            ("input", self.invocation.input()),
            ("parameters", self.invocation.parameters()),
            ("secrets", &self.secrets),
        ];
        data.extend(self.callback.as_ref().map(|callback| ("callback", callback)));
        Template::parse(text)
            .and_then(|template| template.fill_as(&data, written))
            .map_err(|error| TaskError::for_good(error.to_string()))
    }
}

/// Whether anything that is sent names a secret.
fn uses_secrets(parameters: &Parameters<'_>) -> bool {
    ["url", "headers", "template"].iter().filter_map(|name| parameters.get(name)).any(names_secret)
}

fn names_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            Template::parse(text).is_ok_and(|template| template.roots().any(|root| root == "secrets"))
        }
        Value::Array(items) => items.iter().any(names_secret),
        Value::Object(fields) => fields.values().any(names_secret),
        _ => false,
    }
}

fn raw(_: usize, text: &str, _: bool) -> String {
    text.to_owned()
}

/// Data in a URL are parts of it, and cannot become others; at its very beginning they are the URL they continue.
pub(in super::super) fn as_part_of_url(at: usize, text: &str, _: bool) -> String {
    if at == 0 { text.to_owned() } else { encoded(text) }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // A String takes whatever is written.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Texts in JSON stand in quotes of the template's.
fn in_json(_: usize, text: &str, is_text: bool) -> String {
    let written = Value::from(text).to_string();
    let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    if is_text { inner.to_owned() } else { text.to_owned() }
}

fn url(data: &Data<'_>, parameters: &Parameters<'_>, service: Option<&Service>) -> Result<Url, TaskError> {
    let at = |error: TaskError| TaskError::for_good(format!("`url`: {}", error.reason()));
    let text = match parameters.get("url") {
        Some(Value::String(text)) => data.fill(text, &as_part_of_url).map_err(at)?,
        Some(_) => return Err(wrong("the parameter `url` is a text")),
        None if service.is_some() => String::new(),
        None => return Err(wrong(&format!("{} needs the parameter `url`", data.invocation.base()))),
    };
    let url = match service {
        Some(service) => service.url.join(&text),
        None => Url::parse(&text),
    };
    // As it is written: what is put in may be secret.
    url.map_err(|error| wrong(&format!("`url` gives no URL: {error}")))
}

fn headers(data: &Data<'_>, parameters: &Parameters<'_>) -> Result<HeaderMap, TaskError> {
    let mut headers = HeaderMap::new();
    let Some(given) = parameters.get("headers") else { return Ok(headers) };
    let Value::Object(given) = filled(given, &|text| data.fill(text, &raw))? else {
        return Err(wrong("the parameter `headers` is an object of texts"));
    };
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if OWN_HEADERS.contains(&name.to_lowercase().as_str()) {
            return Err(wrong(&format!("the header {name} cannot be set: it follows from the request")));
        }
        let wrong = || wrong(&format!("{name:?} is no name of a header"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        headers.insert(key, sensitive(&text).map_err(|_| header(&name, "\n").err().unwrap_or_else(wrong))?);
    }
    Ok(headers)
}

fn header(name: &str, text: &str) -> Result<HeaderValue, TaskError> {
    HeaderValue::from_str(text)
        .map_err(|_| wrong(&format!("the header {name} holds what no header may hold")))
}

/// A value that the client shows to nobody.
fn sensitive(text: &str) -> Result<HeaderValue, TaskError> {
    let mut value = header("authorization", text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What is sent: the template; else, by methods that send something, the input.
fn body(
    method: &Method,
    invocation: &Invocation,
    data: &Data<'_>,
    parameters: &Parameters<'_>,
) -> Result<Option<(HeaderValue, Vec<u8>)>, TaskError> {
    let at = |error: TaskError| TaskError::for_good(format!("`template`: {}", error.reason()));
    let kind = parameters.text("content_type")?.unwrap_or_else(|| "application/json".to_owned());
    let is_json = kind.contains("json");
    let body = match parameters.get("template") {
        Some(Value::String(text)) if is_json => data.fill(text, &in_json).map_err(at)?,
        Some(Value::String(text)) if kind.contains("x-www-form-urlencoded") => {
            data.fill(text, &|_, text, _| encoded(text)).map_err(at)?
        }
        Some(Value::String(text)) => data.fill(text, &raw).map_err(at)?,
        Some(value) => filled(value, &|text| data.fill(text, &raw)).map_err(at)?.to_string(),
        None if *method == Method::POST || *method == Method::PUT => invocation.input().to_string(),
        None => return Ok(None),
    };
    Ok(Some((header("content-type", &kind)?, body.into_bytes())))
}
