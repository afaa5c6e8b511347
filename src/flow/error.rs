//! Why there is no graph, or not in the form that was asked for.

use super::Diagnostics;

/// Why there is no graph, or not in the form that was asked for. None of them goes away by trying again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text has errors; warnings may be among them.
    #[error("the flow has {}: {}", .0.summary(), .0)]
    Invalid(Diagnostics),
    /// A saved graph is not one.
    #[error("loading a graph: {0}")]
    NoGraph(String),
    /// Python's form of a graph has no place for something in it.
    #[error("writing the graph in Python's form: {0}")]
    NotInPython(String),
    /// A picture would not be of use.
    #[error(
        "drawing the flow: it has {nodes} steps and {edges} edges, at most {most} of each are drawn; use the format dot or mermaid"
    )]
    TooLarge {
        /// Steps of the flow.
        nodes: usize,
        /// Edges of the flow.
        edges: usize,
        /// At most so many of each are drawn.
        most: usize,
    },
}
