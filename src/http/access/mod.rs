//! Who may do what.

#[allow(clippy::module_inception, reason = "one main type a file; this one's is Access")]
mod access;
mod admission;
mod jwt;
mod limiter;
mod origin;
mod role;
mod rule;
mod traced;

pub use access::Access;
pub use jwt::Jwt;
pub use role::Role;
pub use rule::Rule;

pub(super) use admission::{Admission, COOKIE, Caller, admit};
pub(super) use origin::Origins;
