//! The live server, as its routes know it.

use crate::http::access::{Admission, Role};
use crate::http::{Context, Limits, Problem};
use crate::live::Live;
use axum::extract::FromRef;
use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a quiet stream gives a sign of life, unless it is said.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// The live server, as its routes know it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Server(Arc<Parts>);

struct Parts {
    live: Option<Live>,
    /// Says what a role may; nobody does where the routes are mounted by themselves.
    admission: Option<Admission>,
    heartbeat: Duration,
    /// The longest message.
    longest: usize,
    closing: CancellationToken,
}

impl Server {
    pub(in crate::http) fn new(
        live: Option<Live>,
        admission: Admission,
        heartbeat: Duration,
        longest: usize,
        closing: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts { live, admission: Some(admission), heartbeat, longest, closing }))
    }

    /// For routes that are mounted elsewhere.
    pub(super) fn alone(live: &Live) -> Self {
        let closing = CancellationToken::new();
        let longest = Limits::default().body;
        let parts =
            Parts { live: Some(live.clone()), admission: None, heartbeat: HEARTBEAT, longest, closing };
        Self(Arc::new(parts))
    }

    /// For services that have none.
    pub(in crate::http) fn none() -> Self {
        let (heartbeat, closing) = (HEARTBEAT, CancellationToken::new());
        Self(Arc::new(Parts { live: None, admission: None, heartbeat, longest: 0, closing }))
    }

    pub(super) fn live(&self) -> Result<&Live, Problem> {
        self.0.live.as_ref().ok_or_else(|| {
            Problem::not_found("there is no live server here: its program has to hand one to the service")
        })
    }

    pub(super) fn heartbeat(&self) -> Duration {
        self.0.heartbeat
    }

    pub(super) fn longest(&self) -> usize {
        self.0.longest
    }

    pub(super) fn closing(&self) -> &CancellationToken {
        &self.0.closing
    }

    /// Whether a client may say something more now: messages count as requests.
    pub(super) fn may_say_more(&self, client: IpAddr) -> Result<(), Problem> {
        self.0.admission.as_ref().map_or(Ok(()), |admission| admission.limit(client))
    }

    /// Whether a role may do what a request to a path would do: whichever way it is asked for, the same rules hold.
    pub(super) fn may(&self, role: Role, method: &Method, below: &str, name: &str) -> Result<(), Problem> {
        let Some(admission) = &self.0.admission else { return Ok(()) };
        if !admission.is_protected() {
            return Ok(());
        }
        let path = format!("/live/{below}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
        admission.may(role, method, &path)
    }
}

impl FromRef<Context> for Server {
    fn from_ref(context: &Context) -> Self {
        context.live.clone()
    }
}
