//! Which rank each thing stands in: behind everything that it follows.

pub(in super::super) struct Ranks {
    pub(super) rank: Vec<usize>,
    /// Of each edge, whether it leads back.
    pub(super) back: Vec<bool>,
    pub(super) count: usize,
}

/// The ranks of so many things, the first of which is the start, and the last the end. Edges that close a cycle, on a walk from the first thing, lead back.
pub(super) fn of(things: usize, edges: &[(usize, usize)]) -> Ranks {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); things];
    for (index, (from, _)) in edges.iter().enumerate() {
        if let Some(list) = after.get_mut(*from) {
            list.push(index);
        }
    }
    let target = |edge: usize| edges.get(edge).map_or(0, |(_, to)| *to);
    let mut back = vec![false; edges.len()];
    // 0 is new, 1 is on the way, 2 is done.
    let mut state = vec![0_u8; things];
    let mut done = Vec::with_capacity(things);
    for first in 0..things {
        if state.get(first) != Some(&0) {
            continue;
        }
        let mut way = vec![(first, 0)];
        mark(&mut state, first, 1);
        while let Some((thing, next)) = way.last_mut() {
            let Some(&edge) = after.get(*thing).and_then(|edges| edges.get(*next)) else {
                mark(&mut state, *thing, 2);
                done.push(*thing);
                way.pop();
                continue;
            };
            *next += 1;
            let to = target(edge);
            match state.get(to) {
                Some(0) => {
                    mark(&mut state, to, 1);
                    way.push((to, 0));
                }
                Some(1) => mark(&mut back, edge, true),
                _ => {}
            }
        }
    }
    // What is done last follows nothing else: so all that a thing follows is ranked before it.
    let mut rank = vec![1; things];
    mark(&mut rank, 0, 0);
    for thing in done.iter().rev() {
        let own = rank.get(*thing).copied().unwrap_or(0);
        for edge in after.get(*thing).into_iter().flatten().filter(|edge| back.get(**edge) == Some(&false)) {
            if let Some(rank) = rank.get_mut(target(*edge)) {
                *rank = (own + 1).max(*rank);
            }
        }
    }
    // The last thing is the end of it all.
    if let Some((end, others)) = rank.split_last_mut() {
        *end = others.iter().max().map_or(0, |rank| rank + 1);
    }
    let count = rank.iter().max().map_or(0, |rank| rank + 1);
    Ranks { rank, back, count }
}

fn mark<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}
