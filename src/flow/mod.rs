//! The flow language: text in, graph out.
//!
//! TODO

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
