//! Parts of a graph in which every node leads to every other.

use super::Graph;

/// The cycles that are reached from the start, each with all of its nodes, sorted.
///
/// Tarjan's strongly connected components, without recursion.
pub(super) fn of(graph: &Graph) -> Vec<Vec<usize>> {
    let mut search = Search {
        graph,
        order: vec![None; graph.nodes().len()],
        low: vec![0; graph.nodes().len()],
        pending: vec![false; graph.nodes().len()],
        stack: Vec::new(),
        next: 0,
        cycles: Vec::new(),
    };
    search.walk();
    search.cycles
}

struct Search<'a> {
    graph: &'a Graph,
    /// When a node was come to.
    order: Vec<Option<usize>>,
    /// The earliest node on the stack that is reached from it.
    low: Vec<usize>,
    /// Whether it is on the stack.
    pending: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    cycles: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn walk(&mut self) {
        let mut way = vec![(0, 0)];
        self.enter(0);
        while let Some((node, edge)) = way.last_mut() {
            let node = *node;
            if let Some(&next) = self.graph.successors(node).get(*edge) {
                *edge += 1;
                match self.order.get(next).copied().flatten() {
                    None => {
                        self.enter(next);
                        way.push((next, 0));
                    }
                    Some(order) if self.pending.get(next) == Some(&true) => self.lower(node, order),
                    Some(_) => {}
                }
                continue;
            }
            way.pop();
            let low = self.low.get(node).copied().unwrap_or(0);
            if let Some((before, _)) = way.last() {
                self.lower(*before, low);
            }
            if self.order.get(node).copied().flatten() == Some(low) {
                self.close(node);
            }
        }
    }

    fn enter(&mut self, node: usize) {
        let next = self.next;
        self.next += 1;
        if let (Some(order), Some(low), Some(pending)) =
            (self.order.get_mut(node), self.low.get_mut(node), self.pending.get_mut(node))
        {
            (*order, *low, *pending) = (Some(next), next, true);
            self.stack.push(node);
        }
    }

    fn lower(&mut self, node: usize, to: usize) {
        if let Some(low) = self.low.get_mut(node) {
            *low = to.min(*low);
        }
    }

    /// All that came onto the stack since `first` belong together.
    fn close(&mut self, first: usize) {
        let mut part = Vec::new();
        while let Some(node) = self.stack.pop() {
            if let Some(pending) = self.pending.get_mut(node) {
                *pending = false;
            }
            part.push(node);
            if node == first {
                break;
            }
        }
        if part.len() > 1 || self.graph.successors(first).contains(&first) {
            part.sort_unstable();
            self.cycles.push(part);
        }
    }
}
