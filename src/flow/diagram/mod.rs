//! Pictures of a graph: as text for mermaid and Graphviz, or drawn as SVG.

#[expect(clippy::module_inception, reason = "the main type of this module")]
mod diagram;
mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
mod words;

pub use diagram::{Diagram, DiagramFormat};
#[cfg(feature = "http")]
pub(crate) use layout::{Extent, Place, arrange};
