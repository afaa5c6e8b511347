//! Where things stand in a picture of one scope: in ranks along the flow, with few crossings, near what they follow.
//!
//! The method of Sugiyama. A subflow is one thing here, as large as its own picture, since no edge leads into it but to
//! its entry. The flow runs along the *main* axis; *cross* is the other one.

mod order;
mod ranks;
mod spread;

/// Space between neighbours of a rank.
const APART: f64 = 18.0;
/// Space between ranks at least, and at most.
const RANKS_APART: (f64, f64) = (34.0, 110.0);
/// Space between the lanes of edges that lead back.
const LANES_APART: f64 = 11.0;
/// Things with those that only keep the way of long edges free.
const MOST: usize = 20_000;

/// How large a thing is, and where edges meet it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) main: f64,
    pub(crate) cross: f64,
    /// How far from the middle of its side edges enter, and leave.
    pub(crate) enter: f64,
    pub(crate) leave: f64,
}

/// A place: along the main axis, and across it.
pub(crate) type Place = (f64, f64);

/// Where things stand.
#[derive(Debug, Default)]
pub(crate) struct Arrangement {
    /// The middle of each thing.
    pub(crate) places: Vec<Place>,
    /// The way of each edge.
    pub(crate) routes: Vec<Route>,
    /// How large all of it is.
    pub(crate) size: Place,
}

/// The way of an edge, from one thing to another.
#[derive(Debug, Default)]
pub(crate) struct Route {
    pub(crate) points: Vec<Place>,
    /// It leads back, around everything.
    pub(crate) back: bool,
}

/// Arranges things from the first one on; nothing if there are too many. `lead` is space behind the first rank.
pub(crate) fn arrange(things: &[Extent], edges: &[(usize, usize)], lead: f64) -> Option<Arrangement> {
    let ranked = ranks::of(things.len(), edges);
    let mut layers = order::layers(&ranked, things, edges, MOST)?;
    order::uncross(&mut layers);
    let cross = spread::places(&layers, APART);
    Some(placed(&ranked, &layers, things, edges, cross, lead))
}

fn placed(
    ranked: &ranks::Ranks,
    layers: &order::Layers,
    things: &[Extent],
    edges: &[(usize, usize)],
    mut cross: Vec<f64>,
    lead: f64,
) -> Arrangement {
    let at = |list: &[f64], index: usize| list.get(index).copied().unwrap_or(0.0);
    let half = |index: usize| layers.extents.get(index).map_or(0.0, |extent| extent.cross / 2.0);
    let top = (0..cross.len()).map(|index| at(&cross, index) - half(index)).fold(f64::MAX, f64::min);
    for place in &mut cross {
        *place -= top;
    }
    // How far each rank reaches, and all of them between two.
    let reach = |rank: usize| {
        let things = layers.ranks.get(rank).into_iter().flatten();
        things.map(|index| at(&cross, *index) + half(*index)).fold(0.0, f64::max)
    };
    let reaches: Vec<f64> = (0..layers.ranks.len()).map(reach).collect();
    let bottom = |from: usize, to: usize| {
        let between = reaches.get(from.min(to)..=from.max(to)).unwrap_or(&reaches);
        between.iter().copied().fold(0.0, f64::max)
    };
    let mut lowest = bottom(0, reaches.len().saturating_sub(1));

    // Ranks along the main axis, each as wide as its widest thing; further apart where edges are steep.
    let depth = |rank: usize| {
        let things = layers.ranks.get(rank).into_iter().flatten();
        things.filter_map(|index| layers.extents.get(*index)).map(|extent| extent.main).fold(0.0, f64::max)
    };
    let mut begins = Vec::with_capacity(layers.ranks.len());
    let mut ends = Vec::with_capacity(layers.ranks.len());
    let mut main = 0.0;
    for rank in 0..layers.ranks.len() {
        begins.push(main);
        main += depth(rank);
        ends.push(main);
        let steep = layers.edges_from(rank).map(|(from, to)| (at(&cross, from) - at(&cross, to)).abs());
        let steep = steep.fold(0.0, f64::max);
        main += (RANKS_APART.0 + steep * 0.16).min(RANKS_APART.1) + if rank == 0 { lead } else { 0.0 };
    }
    let length = ends.last().copied().unwrap_or(0.0);
    let rank_of = |index: usize| ranked.rank.get(index).copied().unwrap_or(0);
    let middle = |rank: usize| f64::midpoint(at(&begins, rank), at(&ends, rank));
    let places: Vec<Place> =
        (0..things.len()).map(|index| (middle(rank_of(index)), at(&cross, index))).collect();

    let side = |index: usize, leave: bool| {
        let extent = things.get(index).copied().unwrap_or_default();
        let (main, cross) = places.get(index).copied().unwrap_or_default();
        if leave {
            (main + extent.main / 2.0, cross + extent.leave)
        } else {
            (main - extent.main / 2.0, cross + extent.enter)
        }
    };
    let mut lane = 0.0;
    let routes = edges.iter().enumerate().map(|(index, (from, to))| {
        let (start, end) = (side(*from, true), side(*to, false));
        let mut points = vec![start];
        let back = ranked.back.get(index) == Some(&true);
        if back {
            // Out into the space behind the rank, below all on the way, and back into the space before the other rank.
            lane += 1.0;
            let low = bottom(rank_of(*from), rank_of(*to)) + LANES_APART * lane;
            lowest = lowest.max(low + LANES_APART / 2.0);
            let aside = 7.0 + 3.0 * (lane % 4.0);
            let (out, back) = (at(&ends, rank_of(*from)) + aside, at(&begins, rank_of(*to)) - aside);
            points.extend([(out, start.1), (out, low), (back, low), (back, end.1)]);
        } else {
            // Bends lie between the ranks, where nothing else is.
            points.push((at(&ends, rank_of(*from)), start.1));
            for (step, way) in layers.ways.get(index).into_iter().flatten().enumerate() {
                let rank = rank_of(*from) + 1 + step;
                points.extend([(at(&begins, rank), at(&cross, *way)), (at(&ends, rank), at(&cross, *way))]);
            }
            points.push((at(&begins, rank_of(*to)), end.1));
        }
        points.push(end);
        Route { points, back }
    });
    let routes: Vec<Route> = routes.collect();
    Arrangement { places, routes, size: (length, lowest) }
}
