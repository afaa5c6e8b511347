//! The flow language: text in, graph out.
//!
//! ```
//! use mape::flow::{Diagram, Workflow};
//!
//! let workflow = Workflow::parse("fetch → { clean  count } → > store");
//! assert!(workflow.diagnostics().is_empty());
//! let graph = workflow.graph().unwrap();
//! assert_eq!(graph.nodes().len(), 8);
//! assert!(Diagram::new(graph).svg()?.starts_with("<svg"));
//! # Ok::<(), mape::flow::Error>(())
//! ```
//!
//! A text is read into tokens, tokens into a tree, the tree into a [`Graph`] of steps and edges, each once and in a time
//! that grows with the text. What is wrong is collected on the way and said all at once, as [`Diagnostics`]. No text
//! makes anything here panic. The tree keeps every token, so that [`Workflow::format`] loses nothing.
//!
//! A [`Graph`] is what runs (the module `workflow`), is saved and loaded, and is drawn by [`Diagram`]. The language is
//! described in the [guide](crate::guide::flow_language), with all that differs from littleflow's.

mod compiler;
mod cycles;
mod diagnostic;
mod diagnostics;
mod diagram;
mod edges;
mod error;
mod format;
mod graph;
mod guard;
mod lexer;
mod lint;
mod literal;
mod literal_end;
mod node;
mod parser;
mod python;
mod saved;
mod snippet;
mod token;
mod tree;
mod workflow;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use diagnostics::Diagnostics;
pub use diagram::{Diagram, DiagramFormat};
pub use error::Error;
pub use graph::Graph;
pub use guard::{Guard, GuardError, GuardLanguage};
pub use node::{Node, NodeKind};
pub use token::{Notation, Token, TokenKind};
pub use workflow::Workflow;

#[cfg(feature = "http")]
pub(crate) use diagram::{Extent, Place, arrange};
