//! What a picture is to show, and how.

use super::super::{Error, Graph};
use super::{dot, mermaid, svg};

/// A picture of a graph.
///
/// ```
/// use mape::flow::{Diagram, Graph};
///
/// let graph: Graph = "fetch → clean".parse()?;
/// assert_eq!(
///     Diagram::new(&graph).mermaid(),
///     "\
/// stateDiagram-v2
///   direction LR
///   state \"fetch\" as fetch.1
///   state \"clean\" as clean.2
///   [*]-->fetch.1
///   fetch.1-->clean.2
///   clean.2-->[*]
/// "
/// );
/// # Ok::<(), mape::flow::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Diagram<'a> {
    pub(super) graph: &'a Graph,
    pub(super) vertical: bool,
    pub(super) docs: bool,
}

/// The language of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiagramFormat {
    /// A state diagram of mermaid.
    Mermaid,
    /// Graphviz.
    Dot,
    /// A drawing.
    Svg,
}

impl<'a> Diagram<'a> {
    /// A picture from left to right, with documentation.
    #[must_use]
    pub fn new(graph: &'a Graph) -> Self {
        Self { graph, vertical: false, docs: true }
    }

    /// From top to bottom.
    #[must_use]
    pub fn vertical(self, vertical: bool) -> Self {
        Self { vertical, ..self }
    }

    /// With or without what declarations say about tasks.
    #[must_use]
    pub fn docs(self, docs: bool) -> Self {
        Self { docs, ..self }
    }

    /// In a language.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] as for [`svg`](Self::svg).
    pub fn render(self, format: DiagramFormat) -> Result<String, Error> {
        match format {
            DiagramFormat::Mermaid => Ok(self.mermaid()),
            DiagramFormat::Dot => Ok(self.dot()),
            DiagramFormat::Svg => self.svg(),
        }
    }

    /// A state diagram of mermaid, as the Python package littleflow writes it, and with sources and resources as
    /// states. What is done for each item of its input has a `*` before its name.
    #[must_use]
    pub fn mermaid(self) -> String {
        mermaid::write(self)
    }

    /// A directed graph for Graphviz, subflows as clusters.
    #[must_use]
    pub fn dot(self) -> String {
        dot::write(self)
    }

    /// A drawing. It needs nothing else: no style sheet, no font, no script.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] if the graph has more steps or edges than anybody could find their way in.
    pub fn svg(self) -> Result<String, Error> {
        svg::write(self)
    }
}
