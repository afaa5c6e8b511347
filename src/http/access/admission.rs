//! The door that every request comes through.

use super::limiter::Limiter;
use super::traced;
use super::{Access, Origins, Role};
use crate::edge::Endpoints;
use crate::http::Problem;
use crate::http::metered::Responses;
use crate::live::Viewer;
use crate::stream::meter;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

/// The cookie with the token of a browser that has logged in.
pub(in crate::http) const COOKIE: &str = "mape_token";

/// Decides who comes in.
#[derive(Clone, Debug)]
pub(in crate::http) struct Admission(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    access: Access,
    origins: Origins,
    limiter: Option<Limiter>,
    endpoints: Endpoints,
    responses: Responses,
}

impl Admission {
    pub(in crate::http) fn new(
        access: Access,
        origins: Origins,
        per_second: Option<NonZeroU32>,
        endpoints: Endpoints,
    ) -> Self {
        let (limiter, responses) = (per_second.map(Limiter::new), Responses::new());
        Self(Arc::new(Parts { access, origins, limiter, endpoints, responses }))
    }

    /// Whether a client needs a token.
    pub(in crate::http) fn is_protected(&self) -> bool {
        self.0.access.is_protected()
    }

    /// What a token lets its owner do; `None` if it is refused.
    pub(in crate::http) fn role(&self, token: &str) -> Option<Role> {
        self.0.access.who(token).ok().map(|(_, role)| role)
    }

    /// Whether a role may do what a request of this method to this path would do.
    pub(in crate::http) fn may(&self, role: Role, method: &Method, path: &str) -> Result<(), Problem> {
        match self.0.access.needed(method, path) {
            Some(needed) if role < needed => Err(too_low(role, needed)),
            _ => Ok(()),
        }
    }

    /// Whether a client may ask for something more now.
    pub(in crate::http) fn limit(&self, client: IpAddr) -> Result<(), Problem> {
        match self.0.limiter.as_ref().and_then(|limiter| limiter.refuse(client)) {
            Some(seconds) => {
                let detail = format!("{client} asks more often than rest.limits.requests_per_second allows");
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(seconds))
            }
            None => Ok(()),
        }
    }

    fn check(&self, request: &Request) -> Result<Caller, Problem> {
        let Parts { access, origins, endpoints, .. } = &*self.0;
        let client =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        client.map_or(Ok(()), |client| self.limit(client))?;
        let (uri, headers) = (request.uri(), request.headers());
        if let Some(reason) = origins.refuse(headers, uri.authority().map(|authority| authority.as_str())) {
            return Err(Problem::new(StatusCode::FORBIDDEN, reason));
        }
        if let Some(reason) = changes_by_looking(request) {
            return Err(Problem::new(StatusCode::FORBIDDEN, reason));
        }
        if !access.is_protected() {
            return Ok(Caller { name: None, role: Role::Admin });
        }
        // What is signed by its sender brings no token; a route of that path is no endpoint.
        let is_routed = request.extensions().get::<MatchedPath>().is_some();
        if !is_routed
            && request.method() == Method::POST
            && endpoints.find(uri.path()).is_some_and(|endpoint| endpoint.is_signed())
        {
            return Ok(Caller { name: None, role: Role::Read });
        }
        let Some(needed) = access.needed(request.method(), uri.path()) else {
            return Ok(Caller { name: None, role: Role::Read });
        };
        let Some(token) = token(headers) else {
            return Err(unauthorized("this needs a token: send `Authorization: Bearer TOKEN`"));
        };
        let (name, role) = access.who(&token).map_err(|reason| unauthorized(&reason))?;
        if role < needed {
            return Err(too_low(role, needed));
        }
        Ok(Caller { name: Some(name), role })
    }
}

/// Who made a request; handlers find it among the extensions.
#[derive(Clone, Debug)]
pub(in crate::http) struct Caller {
    /// By its token; `None` where none is needed.
    pub(in crate::http) name: Option<Arc<str>>,
    /// What it may do.
    pub(in crate::http) role: Role,
}

impl Caller {
    /// As the live server sees it. Who shows no token, on a path that needs none, has no role there.
    pub(in crate::http) fn viewer(&self) -> Viewer {
        let mut viewer = Viewer::default();
        viewer.name.clone_from(&self.name);
        if self.name.is_none() && self.role == Role::Read {
            viewer
        } else {
            viewer.with_role(self.role.to_string())
        }
    }
}

/// Why a request is refused that changes something by `GET`, as littleflow's restart does: a picture in a page of another
/// site asks without an `Origin`, but a browser says so.
fn changes_by_looking(request: &Request) -> Option<String> {
    let is_look = matches!(*request.method(), Method::GET | Method::HEAD);
    let changes = is_look && super::rule::needed(request.method(), request.uri().path()) > Some(Role::Read);
    // Pages that say where they come from were let in for that.
    let is_told = request.headers().contains_key(header::ORIGIN);
    let from = request.headers().get("sec-fetch-site").filter(|_| changes && !is_told)?;
    let from = from.to_str().unwrap_or("?");
    let is_own = matches!(from, "same-origin" | "none");
    (!is_own).then(|| "a page of another site may not change anything here".to_owned())
}

fn too_low(role: Role, needed: Role) -> Problem {
    let detail = format!("this needs the role {needed}, and the token has the role {role}");
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn unauthorized(reason: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, reason)
}

/// The token of a request: of its header, else of its cookie.
fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(given) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == COOKIE)?;
    percent_decode_str(token).decode_utf8().ok().map(Into::into)
}

/// Lets a request in, or says why not.
pub(in crate::http) async fn admit(
    State(admission): State<Admission>,
    mut request: Request,
    next: Next,
) -> Response {
    let since = meter::now();
    let response = match admission.check(&request) {
        Ok(caller) => {
            let span = traced::answers(&request, caller.name.as_deref());
            if request.method() != Method::GET {
                let who = caller.name.as_deref().unwrap_or("anyone");
                // What stands in a path may be a secret.
                let route =
                    request.extensions().get::<MatchedPath>().map_or("(an endpoint)", MatchedPath::as_str);
                let told = || tracing::debug!(%who, method = %request.method(), route, "request");
                span.as_ref().map_or_else(told, |span| span.run(told));
            }
            // Routes of the program's own know from it who asks.
            if request.extensions().get::<Viewer>().is_none() {
                request.extensions_mut().insert(caller.viewer());
            }
            request.extensions_mut().insert(caller);
            match span {
                Some(span) => traced::answer(&span, next.run(request)).await,
                None => next.run(request).await,
            }
        }
        Err(problem) => refused(&request, problem),
    };
    admission.0.responses.count(response.status(), since.map(|since| since.elapsed()));
    response
}

fn refused(request: &Request, problem: Problem) -> Response {
    let is_unauthorized = problem.status == StatusCode::UNAUTHORIZED;
    let accepts =
        request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    // A person is asked for the token.
    if is_unauthorized && request.method() == Method::GET && accepts.contains("text/html") {
        return axum::response::Redirect::to("/console/login").into_response();
    }
    let path = request.uri().path();
    let mut response = if path.starts_with("/workflows") || path.starts_with("/inprogress") {
        problem.into_littleflow()
    } else {
        problem.into_response()
    };
    if is_unauthorized {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
