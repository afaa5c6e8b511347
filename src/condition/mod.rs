//! Conditions over data: what to let through, what it is, who cares for it.
//!
//! ```
//! use mape::condition::{Condition, Conditions};
//! use serde_json::json;
//!
//! let order = json!({"customer": {"name": "Joe", "mails": ["joe@doe.com"]}, "sum": 120});
//! assert!(Condition::parse("sum gt 100 and customer.mails contains joe@doe.com")?.holds(&order));
//! // At any depth:
//! assert!(Condition::parse("** contains @doe.com")?.holds(&order));
//! // As data:
//! assert!(Condition::from_json(&json!([["sum", "gt", 100], "and", ["vip", "not", "eq", true]]))?.holds(&order));
//!
//! let classes = Conditions::parse("large: sum ge 100, ours: ** contains @doe.com, both: :large and :ours")?;
//! assert_eq!(classes.classify(&order).join(" "), "large ours both");
//!
//! let wrong = Condition::parse("sum qe 100").unwrap_err().to_string();
//! assert_eq!(wrong, "reading a condition: 1:5: there is no operator `qe` (help: did you mean `eq`?)");
//! # Ok::<(), mape::condition::Error>(())
//! ```
//!
//! The language is that of pycond, in its text form and its JSON form. It comes from people and programs that nobody has
//! to trust: it calls nothing, its size and depth are bounded, and what it costs to judge a value grows with both, no
//! faster; a number of steps bounds even that ([`Condition::holds_within`]). No text, no JSON and no data make anything
//! here panic.
//!
//! A [`Condition`] judges a value; named ones, which may refer to one another, are [`Conditions`]; of ten thousand an
//! [`Index`] finds those that a value fulfils without trying each. [`ConditionOperators`] are the same on streams.
//!
//! The language is described in the [guide](crate::guide::condition_language), with all that differs from pycond's.

mod arithmetic;
#[expect(clippy::module_inception, reason = "it holds `Condition`")]
mod condition;
mod conditions;
mod diagnostic;
mod error;
mod evaluate;
mod index;
mod json;
mod lexer;
mod literal;
mod operator;
mod path;
mod stream;
mod syntax;
mod text;
mod tree;
mod value;
mod write;

pub use condition::Condition;
pub use conditions::Conditions;
pub use diagnostic::Diagnostic;
pub use error::Error;
pub use index::{Found, Index, Search};
pub use literal::convert_texts;
pub(crate) use path::Path;
pub use stream::{Classified, Classify, ConditionOperators, FilterBy, RouteBy, Routed};
pub use syntax::Syntax;
