//! Places across the flow: each thing as near to what it is joined with as its neighbours allow.

use super::order::Layers;

/// Rounds forth and back.
const ROUNDS: usize = 16;

/// The middle of each thing across the flow.
pub(super) fn places(layers: &Layers, apart: f64) -> Vec<f64> {
    let mut places = vec![0.0; layers.extents.len()];
    for things in &layers.ranks {
        let mut at = 0.0;
        let whole: f64 = things.iter().map(|thing| space(layers, *thing, apart)).sum();
        for thing in things {
            let space = space(layers, *thing, apart);
            if let Some(place) = places.get_mut(*thing) {
                *place = at + space / 2.0 - whole / 2.0;
            }
            at += space;
        }
    }
    let count = layers.ranks.len();
    for round in 0..ROUNDS {
        for step in 0..count {
            let rank = if round % 2 == 0 { step } else { count - 1 - step };
            let things = layers.ranks.get(rank).map_or(&[][..], Vec::as_slice);
            // First by one side only, so that places spread through the picture; at last by both.
            let sides = match (round + 4 >= ROUNDS, round % 2 == 0) {
                (true, _) => (true, true),
                (false, forth) => (forth, !forth),
            };
            settle(layers, things, sides, apart, &mut places);
        }
    }
    places
}

fn space(layers: &Layers, thing: usize, apart: f64) -> f64 {
    // The way of an edge needs less space than a thing.
    if thing < layers.things {
        layers.extents.get(thing).map_or(0.0, |extent| extent.cross) + apart
    } else {
        apart * 0.7
    }
}

/// Puts the things of a rank where they want to be, or as near as possible: the sum of the squares of how far each is
/// from there is the least (pool adjacent violators).
fn settle(layers: &Layers, things: &[usize], (before, after): (bool, bool), apart: f64, places: &mut [f64]) {
    struct Pool {
        sum: f64,
        weight: f64,
        things: usize,
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(things.len());
    let mut offsets = Vec::with_capacity(things.len());
    let mut offset = 0.0;
    let mut last: Option<usize> = None;
    for thing in things {
        if let Some(last) = last {
            offset += f64::midpoint(space(layers, last, apart), space(layers, *thing, apart));
        }
        last = Some(*thing);
        offsets.push(offset);
        let (wanted, weight) = wanted(layers, *thing, before, after, places);
        let mut pool = Pool { sum: (wanted - offset) * weight, weight, things: 1 };
        while let Some(above) = pools.pop_if(|above| above.sum / above.weight > pool.sum / pool.weight) {
            pool = Pool {
                sum: above.sum + pool.sum,
                weight: above.weight + pool.weight,
                things: above.things + pool.things,
            };
        }
        pools.push(pool);
    }
    let settled = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.sum / pool.weight, pool.things));
    for ((thing, offset), base) in things.iter().zip(offsets).zip(settled) {
        if let Some(place) = places.get_mut(*thing) {
            *place = base + offset;
        }
    }
}

/// Where a thing wants to be, and how much.
fn wanted(layers: &Layers, thing: usize, before: bool, after: bool, places: &[f64]) -> (f64, f64) {
    let extent = |thing: usize| layers.extents.get(thing).copied().unwrap_or_default();
    let place = |thing: usize| places.get(thing).copied().unwrap_or(0.0);
    let own = extent(thing);
    let is_way = thing >= layers.things;
    let (mut sum, mut count) = (0.0, 0.0);
    let mut pull = |other: usize, at: f64| {
        // Long edges are to be straight.
        let strength = if is_way && other >= layers.things { 8.0 } else { 1.0 };
        sum += at * strength;
        count += strength;
    };
    if before {
        for other in layers.before.get(thing).into_iter().flatten() {
            pull(*other, place(*other) + extent(*other).leave - own.enter);
        }
    }
    if after {
        for other in layers.after.get(thing).into_iter().flatten() {
            pull(*other, place(*other) + extent(*other).enter - own.leave);
        }
    }
    if count > 0.0 { (sum / count, count) } else { (place(thing), 0.1) }
}
