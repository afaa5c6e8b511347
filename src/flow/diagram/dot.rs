//! Graphviz.

use super::super::{Node, NodeKind};
use super::Diagram;
use super::words::{details, doc_line, title};
use std::fmt::Write;

pub(super) fn write(diagram: Diagram<'_>) -> String {
    let graph = diagram.graph;
    let parents = graph.parents();
    let direction = if diagram.vertical { "TB" } else { "LR" };
    let mut text = format!("digraph {} {{\n", quoted(graph.name().unwrap_or("flow")));
    // Writing to a text cannot fail.
    let _ =
        writeln!(text, "  rankdir={direction};\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];");
    let mut depth = 1;
    for (index, node) in graph.nodes().iter().enumerate() {
        match node.kind() {
            NodeKind::Subflow { group, .. } => {
                let indent = "  ".repeat(depth);
                let title = cluster_title(node, *group);
                let _ = writeln!(text, "{indent}subgraph cluster_{index} {{\n{indent}  label={title};");
                depth += 1;
                let _ = writeln!(text, "{indent}  {index} [label=\"\", shape=point];");
            }
            NodeKind::End { .. } if index == graph.end() => {
                let _ = writeln!(text, "  {index} [label=\"\", shape=doublecircle, width=0.2];");
            }
            NodeKind::End { .. } => {
                let indent = "  ".repeat(depth);
                let merge = if node.merge() { ", xlabel=\">\"" } else { "" };
                let _ = writeln!(text, "{indent}{index} [label=\"\", shape=point{merge}];");
                depth = depth.saturating_sub(1).max(1);
                let _ = writeln!(text, "{}}}", "  ".repeat(depth));
            }
            NodeKind::Start => {
                let _ = writeln!(
                    text,
                    "  {index} [label=\"\", shape=circle, style=filled, fillcolor=black, width=0.2];"
                );
            }
            kind => {
                let shape = match kind {
                    NodeKind::Task { .. } => "",
                    NodeKind::Source { .. } => ", shape=note, style=\"\"",
                    _ => ", shape=cylinder, style=\"\"",
                };
                let tip =
                    doc_line(node).filter(|_| diagram.docs).map(|line| format!(", tooltip={}", quoted(line)));
                let parent = parents.get(index).copied().flatten().and_then(|parent| graph.node(parent));
                let in_group = parent
                    .is_some_and(|parent| matches!(parent.kind(), NodeKind::Subflow { group: true, .. }));
                let label = quoted(&label(node, in_group));
                let indent = "  ".repeat(depth);
                let _ = writeln!(text, "{indent}{index} [label={label}{shape}{}];", tip.unwrap_or_default());
            }
        }
    }
    for from in 0..graph.nodes().len() {
        for (to, back) in graph.successors(from).iter().zip(graph.back(from)) {
            let style = if *back { " [style=dashed, constraint=false]" } else { "" };
            let _ = writeln!(text, "  {from} -> {to}{style};");
        }
    }
    text.push_str("}\n");
    text
}

/// The members of a group repeat what is shown for the group.
fn label(node: &Node, in_group: bool) -> String {
    let signs = if in_group {
        ""
    } else if node.iterate() {
        "* "
    } else if node.merge() {
        "> "
    } else {
        ""
    };
    let mut label = format!("{signs}{}", title(node));
    let guard = node.guard().filter(|_| !in_group).map(|guard| format!("? {guard}"));
    for line in guard.into_iter().chain(details(node)) {
        label.push('\n');
        label.push_str(&line);
    }
    label
}

fn cluster_title(node: &Node, group: bool) -> String {
    let mut title = String::from(if group { "|" } else { "" });
    if node.iterate() {
        title.push_str(" *");
    } else if node.merge() {
        title.push_str(" >");
    }
    if let Some(guard) = node.guard() {
        let _ = write!(title, " ? {guard}");
    }
    quoted(title.trim())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            char if char.is_control() => quoted.push(' '),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
