//! Who follows whom.

/// The edges of a graph, sparse: what they cost grows with their number only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    /// Where the successors of a node begin; one more than nodes.
    after: Vec<usize>,
    successors: Vec<usize>,
    /// Of each successor, whether its edge closes a cycle.
    back: Vec<bool>,
    before: Vec<usize>,
    predecessors: Vec<usize>,
    /// Edges into a node that close no cycle.
    forward: Vec<usize>,
    reached: Vec<bool>,
}

impl Edges {
    /// The edges between `nodes` nodes; each counts once, however often it is there.
    pub(super) fn new(nodes: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let (after, successors) = rows(nodes, pairs.iter().map(|(from, to)| (*from, *to)));
        // Sorted by source as they are, they come to each target in that order.
        let (before, predecessors) = rows(nodes, pairs.iter().map(|(from, to)| (*to, *from)));
        let mut edges = Self { after, successors, before, predecessors, ..Self::default() };
        edges.find_cycles(nodes);
        edges
    }

    pub(super) fn len(&self) -> usize {
        self.successors.len()
    }

    pub(super) fn successors(&self, node: usize) -> &[usize] {
        row(&self.after, &self.successors, node)
    }

    pub(super) fn predecessors(&self, node: usize) -> &[usize] {
        row(&self.before, &self.predecessors, node)
    }

    /// Of each successor, whether its edge closes a cycle.
    pub(super) fn back(&self, node: usize) -> &[bool] {
        row(&self.after, &self.back, node)
    }

    /// How many edges into a node close no cycle.
    pub(super) fn forward(&self, node: usize) -> usize {
        self.forward.get(node).copied().unwrap_or(0)
    }

    /// Whether a way leads there from the start.
    pub(super) fn is_reached(&self, node: usize) -> bool {
        self.reached.get(node).copied().unwrap_or(false)
    }

    /// Walks from the start, deep first, successors by their index: an edge to a node that the walk is still in closes
    /// a cycle.
    fn find_cycles(&mut self, nodes: usize) {
        const NEW: u8 = 0;
        const OPEN: u8 = 1;
        const DONE: u8 = 2;
        self.back = vec![false; self.successors.len()];
        let mut state = vec![NEW; nodes];
        // A node and the next of its edges.
        let mut way: Vec<(usize, usize)> = Vec::new();
        if nodes > 0 {
            way.push((0, self.after.first().copied().unwrap_or(0)));
            set(&mut state, 0, OPEN);
        }
        while let Some((node, edge)) = way.last_mut() {
            let at = *edge;
            if at >= self.after.get(*node + 1).copied().unwrap_or(0) {
                set(&mut state, *node, DONE);
                way.pop();
                continue;
            }
            *edge += 1;
            let Some(&next) = self.successors.get(at) else { continue };
            match state.get(next).copied() {
                Some(NEW) => {
                    set(&mut state, next, OPEN);
                    way.push((next, self.after.get(next).copied().unwrap_or(0)));
                }
                Some(OPEN) => set(&mut self.back, at, true),
                _ => {}
            }
        }
        self.reached = state.iter().map(|state| *state != NEW).collect();
        self.forward = vec![0; nodes];
        for (to, back) in self.successors.iter().zip(&self.back) {
            if let Some(count) = self.forward.get_mut(*to) {
                *count += usize::from(!back);
            }
        }
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

/// Pairs as rows: where each row begins in the list of all second parts. The order of a row is that of the pairs.
fn rows(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; count + 1];
    for (row, _) in pairs.clone() {
        if let Some(start) = starts.get_mut(row as usize + 1) {
            *start += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut list = vec![0; sum];
    for (row, item) in pairs {
        if let Some(at) = next.get_mut(row as usize) {
            set(&mut list, *at, item as usize);
            *at += 1;
        }
    }
    (starts, list)
}

fn row<'a, T>(starts: &[usize], list: &'a [T], at: usize) -> &'a [T] {
    let start = starts.get(at).copied().unwrap_or(0);
    let end = starts.get(at + 1).copied().unwrap_or(start);
    list.get(start..end).unwrap_or_default()
}
