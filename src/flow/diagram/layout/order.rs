//! The order of things in their ranks.

use super::Extent;
use super::ranks::Ranks;

/// Sweeps over all ranks.
const SWEEPS: usize = 12;

/// Things in ranks, and between them those that keep the way of long edges free: then every edge leads to the next rank.
pub(super) struct Layers {
    /// The things of each rank in their order.
    pub(super) ranks: Vec<Vec<usize>>,
    pub(super) extents: Vec<Extent>,
    /// What each thing follows and is followed by, in the neighbouring ranks.
    pub(super) before: Vec<Vec<usize>>,
    pub(super) after: Vec<Vec<usize>>,
    /// What keeps the way of each edge free, rank by rank.
    pub(super) ways: Vec<Vec<usize>>,
    /// The first `things` are real.
    pub(super) things: usize,
}

impl Layers {
    /// The edges from a rank to the next.
    pub(super) fn edges_from(&self, rank: usize) -> impl Iterator<Item = (usize, usize)> {
        let things = self.ranks.get(rank).into_iter().flatten();
        things.flat_map(|from| self.after.get(*from).into_iter().flatten().map(move |to| (*from, *to)))
    }
}

/// Puts things into their ranks; nothing if there would be more than `most`.
pub(super) fn layers(
    ranked: &Ranks,
    things: &[Extent],
    edges: &[(usize, usize)],
    most: usize,
) -> Option<Layers> {
    let mut layers = Layers {
        ranks: vec![Vec::new(); ranked.count],
        extents: things.to_vec(),
        before: vec![Vec::new(); things.len()],
        after: vec![Vec::new(); things.len()],
        ways: vec![Vec::new(); edges.len()],
        things: things.len(),
    };
    for (thing, rank) in ranked.rank.iter().enumerate() {
        layers.ranks.get_mut(*rank)?.push(thing);
    }
    for (index, (from, to)) in edges.iter().enumerate() {
        if ranked.back.get(index) == Some(&true) {
            continue;
        }
        let (begin, end) = (*ranked.rank.get(*from)?, *ranked.rank.get(*to)?);
        let mut last = *from;
        for rank in begin + 1..end {
            let way = layers.extents.len();
            if way >= most {
                return None;
            }
            layers.extents.push(Extent::default());
            layers.before.push(vec![last]);
            layers.after.push(Vec::new());
            layers.after.get_mut(last)?.push(way);
            layers.ranks.get_mut(rank)?.push(way);
            layers.ways.get_mut(index)?.push(way);
            last = way;
        }
        layers.after.get_mut(last)?.push(*to);
        layers.before.get_mut(*to)?.push(last);
    }
    Some(layers)
}

/// Orders each rank by its neighbours, forth and back, and keeps the order with the fewest crossings.
pub(super) fn uncross(layers: &mut Layers) {
    let mut places = vec![0.0; layers.extents.len()];
    let count = layers.ranks.len();
    let mut best = (usize::MAX, layers.ranks.clone());
    for sweep in 0..SWEEPS {
        number(&layers.ranks, &mut places);
        let forth = sweep % 2 == 0;
        for step in 1..count {
            let rank = if forth { step } else { count - 1 - step };
            let neighbours = if forth { &layers.before } else { &layers.after };
            if let Some(things) = layers.ranks.get_mut(rank) {
                sort(things, neighbours, &mut places);
            }
        }
        let crossings = (0..count).map(|rank| crossings(layers, rank)).sum();
        if crossings < best.0 {
            best = (crossings, layers.ranks.clone());
        }
        if crossings == 0 {
            break;
        }
    }
    layers.ranks = best.1;
}

fn number(ranks: &[Vec<usize>], places: &mut [f64]) {
    for things in ranks {
        for (place, thing) in things.iter().enumerate() {
            if let Some(slot) = places.get_mut(*thing) {
                *slot = place as f64;
            }
        }
    }
}

/// Sorts a rank by the mean place of what its things are joined with; what is joined with nothing stays.
fn sort(things: &mut [usize], neighbours: &[Vec<usize>], places: &mut [f64]) {
    let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(things.len());
    for thing in things.iter() {
        let joined = neighbours.get(*thing).map_or(&[][..], Vec::as_slice);
        let place = |thing: &usize| places.get(*thing).copied().unwrap_or(0.0);
        let mean = if joined.is_empty() {
            place(thing)
        } else {
            joined.iter().map(place).sum::<f64>() / joined.len() as f64
        };
        keyed.push((mean, *thing));
    }
    keyed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    for (place, (slot, (_, thing))) in things.iter_mut().zip(keyed).enumerate() {
        *slot = thing;
        if let Some(known) = places.get_mut(thing) {
            *known = place as f64;
        }
    }
}

/// How many pairs of edges cross between a rank and the next.
fn crossings(layers: &Layers, rank: usize) -> usize {
    let Some(next) = layers.ranks.get(rank + 1) else { return 0 };
    let mut place = vec![0; layers.extents.len()];
    for (at, thing) in next.iter().enumerate() {
        if let Some(slot) = place.get_mut(*thing) {
            *slot = at;
        }
    }
    // Ends of the edges so far, counted in a tree of sums.
    let mut sums = vec![0_usize; next.len() + 1];
    let (mut crossings, mut seen) = (0, 0);
    for from in layers.ranks.get(rank).into_iter().flatten() {
        let mut ends: Vec<usize> = layers
            .after
            .get(*from)
            .into_iter()
            .flatten()
            .map(|to| place.get(*to).copied().unwrap_or(0))
            .collect();
        ends.sort_unstable();
        for end in &ends {
            let (mut at, mut below) = (end + 1, 0);
            while at > 0 {
                below += sums.get(at).copied().unwrap_or(0);
                at &= at - 1;
            }
            crossings += seen - below;
        }
        for end in ends {
            let mut at = end + 1;
            while let Some(sum) = sums.get_mut(at) {
                *sum += 1;
                at += at & at.wrapping_neg();
            }
            seen += 1;
        }
    }
    crossings
}
