//! What is allowed, and surely not what was meant.

use super::compiler::Compiled;
use super::diagnostic::Code;
use super::diagnostics::Sink;
use super::token::Token;
use super::{Graph, NodeKind, cycles};

/// Warns of what can never run, and of what never ends.
pub(super) fn check(compiled: &Compiled, tokens: &[Token], sink: &mut Sink) {
    let token = |node: usize| {
        let id = compiled.tokens.get(node)?;
        tokens.get(id.0 as usize)
    };
    let graph = &compiled.graph;
    for node in unreachable(graph) {
        if let Some(token) = token(node) {
            let message = format!("no way leads from the start to {}", name(graph, node));
            let help = "a statement that begins with `:x →` runs only if something that runs goes to `:x`";
            sink.warn_at(Code::Unreachable, token, message).help(help);
        }
    }
    for (node, missing) in waiting(graph) {
        if let Some(token) = token(node) {
            let message =
                format!("{} waits for {}, which never runs", name(graph, node), name(graph, missing));
            let help = "the run would stop there; let the start lead to both, or take the edge away";
            sink.warn_at(Code::NeverReady, token, message).help(help);
        }
    }
    let cycles = cycles::of(graph);
    for cycle in &cycles {
        check_cycle(graph, cycle, token, sink);
    }
    if !graph.is_reached(graph.end())
        && let Some(token) = cycles.iter().flatten().find(|node| **node > 0).and_then(|node| token(*node))
    {
        let message = "nothing leaves this cycle, and nothing else leads to the end of the flow";
        let help = "label an output in it, and begin a statement with that label";
        sink.warn_at(Code::NeverReady, token, message).help(help);
    }
}

fn check_cycle<'t>(
    graph: &Graph,
    cycle: &[usize],
    token: impl Fn(usize) -> Option<&'t Token>,
    sink: &mut Sink,
) {
    let inside = |node: &usize| cycle.binary_search(node).is_ok();
    for node in cycle {
        let back = graph.successors(*node).iter().zip(graph.back(*node)).find(|(_, back)| **back);
        let Some(((to, _), token)) = back.zip(token(*node)) else { continue };
        if !can_be_skipped(graph, *node) {
            let (node, to) = (name(graph, *node), name(graph, *to));
            let message = format!("this cycle never ends: {node} always leads back to {to}");
            let help = "put a guard before it: what is skipped does not lead back";
            sink.warn_at(Code::EndlessCycle, token, message).help(help);
        }
    }
    for node in cycle {
        let forward = |before: &&usize| {
            let place = graph.successors(**before).binary_search(node);
            place.is_ok_and(|place| graph.back(**before).get(place) == Some(&false))
        };
        let (within, outside): (Vec<&usize>, Vec<&usize>) =
            graph.predecessors(*node).iter().filter(forward).partition(|before| inside(before));
        if let (Some(_), Some(outside), Some(token)) = (within.first(), outside.first(), token(*node)) {
            let node = name(graph, *node);
            let outside = name(graph, **outside);
            let message =
                format!("in its second turn, {node} waits for {outside}, which is outside of the cycle");
            let help = "lead both together before the cycle begins";
            sink.warn_at(Code::NeverReady, token, message).help(help);
        }
    }
}

/// Whether a node gives nothing over an edge that leads back, if its guard is not fulfilled.
fn can_be_skipped(graph: &Graph, node: usize) -> bool {
    let guarded = match graph.node(node).map(|node| node.kind()) {
        Some(NodeKind::End { entry }) => *entry,
        _ => node,
    };
    graph.node(guarded).is_some_and(|node| node.guard().is_some())
}

/// What is not reached, without what only it leads to.
fn unreachable(graph: &Graph) -> Vec<usize> {
    let mut known = vec![false; graph.nodes().len()];
    let mut found = Vec::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        let told = known.get(index).copied().unwrap_or(true);
        if told || graph.is_reached(index) || matches!(node.kind(), NodeKind::End { .. }) {
            continue;
        }
        found.push(index);
        let mut next = vec![index];
        while let Some(node) = next.pop() {
            if let Some(known) = known.get_mut(node).filter(|known| !**known) {
                *known = true;
                next.extend(graph.successors(node).iter().filter(|node| !graph.is_reached(**node)));
            }
        }
    }
    found
}

/// What waits for something that is not reached, and that.
fn waiting(graph: &Graph) -> Vec<(usize, usize)> {
    let reached = (0..graph.nodes().len()).filter(|node| graph.is_reached(*node));
    let missing = |node: &usize| graph.predecessors(*node).iter().find(|before| !graph.is_reached(**before));
    reached.filter_map(|node| Some((node, *missing(&node)?))).collect()
}

fn name(graph: &Graph, node: usize) -> String {
    match graph.node(node).and_then(|node| node.task()) {
        Some(task) => format!("`{task}`"),
        None => match graph.node(node).map(|node| node.kind()) {
            Some(NodeKind::Source { .. }) => "this literal".to_owned(),
            Some(NodeKind::Resource { uri, .. } | NodeKind::Sink { uri, .. }) => format!("`<{uri}>`"),
            Some(NodeKind::End { .. }) if node == graph.end() => "the end of the flow".to_owned(),
            Some(NodeKind::End { .. }) => "the end of a subflow".to_owned(),
            Some(NodeKind::Start) => "the start".to_owned(),
            _ => "a subflow".to_owned(),
        },
    }
}
