//! Who makes a request of the live server.

use super::server::Server;
use crate::http::Problem;
use crate::http::access::{Caller, Role};
use crate::live::{Client, Live, Viewer};
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use std::net::{IpAddr, SocketAddr};

/// Who makes a request, and of which live server.
#[derive(Clone)]
pub(super) struct Guest {
    pub(super) server: Server,
    pub(super) live: Live,
    pub(super) viewer: Viewer,
    role: Role,
    /// Whether it may speak for everybody.
    is_admin: bool,
    /// From where it asks.
    address: Option<IpAddr>,
}

impl Guest {
    /// A client for it.
    pub(super) fn connect(&self) -> Client {
        self.live.connect(self.viewer.clone())
    }

    /// Whether it may have jobs of a name done: what `GET /live/jobs/NAME` asks for.
    pub(super) fn may_ask(&self, name: &str) -> Result<(), Problem> {
        self.server.may(self.role, &Method::GET, "jobs", name)
    }

    /// Whether it may publish under a name: what `POST /live/names/NAME` asks for.
    pub(super) fn may_publish(&self, name: &str) -> Result<(), Problem> {
        self.server.may(self.role, &Method::POST, "names", name)
    }

    /// Whether it may be in a group: what `GET /live/groups/GROUP` asks for.
    pub(super) fn may_see_group(&self, group: &str) -> Result<(), Problem> {
        self.server.may(self.role, &Method::GET, "groups", group)
    }

    /// Whether it may say something more now, as a request more.
    pub(super) fn may_say_more(&self) -> Result<(), Problem> {
        self.address.map_or(Ok(()), |address| self.server.may_say_more(address))
    }

    /// Whether it may speak for the clients of somebody.
    pub(super) fn speaks_for(&self, viewer: &Viewer) -> bool {
        self.is_admin || self.viewer == *viewer
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Guest
where
    Server: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let server = Server::from_ref(state);
        let live = server.live()?.clone();
        let caller = parts.extensions.get::<Caller>();
        let role = caller.map_or(Role::Admin, |caller| caller.role);
        let is_admin = caller.is_some_and(|caller| caller.role == Role::Admin);
        let viewer = parts.extensions.get::<Viewer>().cloned().or_else(|| caller.map(Caller::viewer));
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = address.map(|ConnectInfo(address)| address.ip());
        Ok(Self { server, live, viewer: viewer.unwrap_or_default(), role, is_admin, address })
    }
}
