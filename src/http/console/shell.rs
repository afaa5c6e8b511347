//! What stands around every page.

use super::super::access::{Admission, Caller, Role};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::fmt;

/// What stands around every page: who looks, and how they like it.
#[derive(Clone)]
pub(super) struct Shell {
    /// Of the window.
    pub(super) title: String,
    /// The entry of the menu.
    pub(super) here: &'static str,
    pub(super) theme: &'static str,
    pub(super) role: Role,
    /// By whose token.
    pub(super) name: Option<String>,
    pub(super) is_protected: bool,
    pub(super) version: &'static str,
}

impl Shell {
    pub(super) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub(super) fn at(mut self, here: &'static str) -> Self {
        self.here = here;
        self
    }

    /// For what changes what goes on.
    pub(super) fn operate(&self) -> Lock {
        self.lock(Role::Operate)
    }

    /// For what changes what there is.
    pub(super) fn admin(&self) -> Lock {
        self.lock(Role::Admin)
    }

    fn lock(&self, needed: Role) -> Lock {
        Lock((self.role < needed).then_some((needed, self.role)))
    }

    pub(super) fn marks(&self, here: &str) -> &'static str {
        if self.here == here { "page" } else { "false" }
    }
}

/// Attributes of a control: none, or that it is disabled and why.
#[derive(Clone, Copy)]
pub(super) struct Lock(Option<(Role, Role)>);

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((needed, has)) => {
                write!(f, " disabled title=\"This needs the role {needed}; your token has the role {has}.\"")
            }
            None => Ok(()),
        }
    }
}

/// It is made of the words of roles only.
impl askama::filters::HtmlSafe for Lock {}

impl<S: Send + Sync> FromRequestParts<S> for Shell {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        let admission = parts.extensions.get::<Admission>();
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|line| line.split(';')).map(str::trim);
        let theme = match cookies.find_map(|cookie| cookie.strip_prefix("mape_theme=")) {
            Some("dark") => "dark",
            Some("light") => "light",
            _ => "auto",
        };
        Ok(Self {
            title: String::new(),
            here: "",
            theme,
            role: caller.map_or(Role::Read, |caller| caller.role),
            name: caller.and_then(|caller| caller.name.as_deref()).map(str::to_owned),
            is_protected: admission.is_some_and(Admission::is_protected),
            version: env!("CARGO_PKG_VERSION"),
        })
    }
}
