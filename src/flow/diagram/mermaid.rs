//! mermaid, as the Python package littleflow writes it.

use super::super::NodeKind;
use super::Diagram;
use super::words::{doc_line, title};
use std::fmt::Write;

pub(super) fn write(diagram: Diagram<'_>) -> String {
    let graph = diagram.graph;
    let ids: Vec<String> = (0..graph.nodes().len()).map(|index| id(diagram, index)).collect();
    let mut text = String::from("stateDiagram-v2\n");
    if !diagram.vertical {
        text.push_str("  direction LR\n");
    }
    // Writing to a text cannot fail.
    for (id, node) in ids.iter().zip(graph.nodes()) {
        let each = if node.iterate() { "* " } else { "" };
        let _ = match node.kind() {
            NodeKind::Start => Ok(()),
            NodeKind::End { .. } if id == END => Ok(()),
            NodeKind::Subflow { .. } => writeln!(text, "  state {id} <<fork>>"),
            NodeKind::End { .. } => writeln!(text, "  state {id} <<join>>"),
            NodeKind::Task { name, .. } => writeln!(text, "  state \"{each}{name}\" as {id}"),
            _ => writeln!(text, "  state \"{}\" as {id}", escaped(&title(node))),
        };
    }
    for (from, to) in graph.edges() {
        let (Some(before), Some(after), Some(node)) = (ids.get(from), ids.get(to), graph.node(to)) else {
            continue;
        };
        let _ = writeln!(text, "  {before}-->{after}");
        let Some(line) = doc_line(node).filter(|_| diagram.docs && node.task().is_some()) else { continue };
        let _ = writeln!(text, "  note left of {after}\n    {line}\n  end note");
    }
    text
}

/// Start and end of a flow are one sign.
const END: &str = "[*]";

fn id(diagram: Diagram<'_>, index: usize) -> String {
    let node = diagram.graph.node(index);
    match node.map(|node| node.kind()) {
        Some(NodeKind::Task { name, .. }) => {
            format!("{}.{index}", name.replace(':', "_COLON_").replace('-', "_HYPHEN_"))
        }
        Some(NodeKind::Source { .. }) => format!("_source_{index}_"),
        Some(NodeKind::Resource { .. }) => format!("_resource_{index}_"),
        Some(NodeKind::Sink { .. }) => format!("_sink_{index}_"),
        Some(NodeKind::Subflow { .. }) => format!("_start_{index}_"),
        Some(NodeKind::End { .. }) if index != diagram.graph.end() => format!("_end_{index}_"),
        _ => END.to_owned(),
    }
}

/// Text in quotes, which mermaid has no other way to put there.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            ';' => escaped.push_str("#59;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}
