//! Where levels, loops, elements and links stand in the picture of an app.
//!
//! Elements stand in ranks along their links, in the box of their loop; loops stand in rows, in the frame of their level.
//! It is laid out anew when something comes or goes or is linked otherwise; numbers change nothing.

use super::{health, words};
use crate::app::{ElementStatus, LevelInfo, LoopInfo, Topology};
use crate::flow::{Extent, Place, arrange};
use std::collections::HashMap;

/// How large an element is.
pub(super) const WIDE: f64 = 172.0;
pub(super) const HIGH: f64 = 58.0;
/// Space between the border of a loop and its elements, and above these.
const PAD: f64 = 18.0;
const HEAD: f64 = 40.0;
/// Space between loops, and around everything.
const APART: f64 = 28.0;
/// A row is not broken before it is this wide.
const ROW: f64 = 1_080.0;

/// The picture of an app.
#[derive(Default)]
pub(super) struct Map {
    pub(super) levels: Vec<Frame>,
    pub(super) loops: Vec<Frame>,
    pub(super) links: Vec<Line>,
    pub(super) boxes: Vec<Box>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A rectangle with a name.
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// An element.
pub(super) struct Box {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) letter: &'static str,
    pub(super) role: &'static str,
    pub(super) state: &'static str,
    pub(super) rate: String,
    pub(super) errors: String,
    pub(super) dropped: String,
    /// How full its fullest link is, in units of the picture.
    pub(super) fill: f64,
    pub(super) queued: String,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A link.
pub(super) struct Line {
    /// The element it leaves, and its number there.
    pub(super) from: String,
    pub(super) id: u64,
    pub(super) to: String,
    pub(super) path: String,
    pub(super) class: &'static str,
    pub(super) label: String,
    /// It drops all but the newest item by design.
    pub(super) is_newest: bool,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// What is shown of each element besides its own counters.
struct Marks<'a> {
    fills: HashMap<&'a str, f64>,
    lost: HashMap<&'a str, u64>,
}

/// The elements of a loop, where they stand in its box.
struct Inner {
    places: Vec<Place>,
    width: f64,
    height: f64,
}

impl Map {
    pub(super) fn of(topology: &Topology, with_engine: bool) -> Self {
        let mut map = Self::default();
        let mut places = HashMap::new();
        let marks = Marks { fills: fills(topology), lost: health::lost(topology) };
        let mut top = APART;
        for level in &topology.levels {
            top = map.level(level, top, (&marks, with_engine), &mut places) + APART;
        }
        map.height = top;
        map.width += APART;
        for element in topology.elements() {
            map.lines(element, &places);
        }
        map
    }

    /// Adds a level below `top`; where it ends.
    fn level<'a>(
        &mut self,
        level: &'a LevelInfo,
        top: f64,
        (marks, with_engine): (&Marks<'_>, bool),
        places: &mut HashMap<&'a str, Place>,
    ) -> f64 {
        let is_named = !level.uid.is_empty();
        let (left, mut y) = if is_named { (APART + PAD, top + HEAD) } else { (APART, top) };
        let is_drawn = |one: &&LoopInfo| with_engine || !health::is_of_engine(one);
        let mut loops: Vec<&LoopInfo> = level.loops.iter().filter(is_drawn).collect();
        if loops.is_empty() {
            return top - APART;
        }
        loops.sort_by_key(|one| health::is_of_engine(one));
        let inners: Vec<Inner> = loops.iter().map(|one| inner(one)).collect();
        let area: f64 = inners.iter().map(|one| (one.width + APART) * (one.height + APART)).sum();
        let row = (area * 1.7).sqrt().max(ROW);
        let (mut x, mut high, mut wide) = (left, 0.0_f64, 0.0_f64);
        for (one, inner) in loops.into_iter().zip(inners) {
            if x > left && x + inner.width > left + row {
                (x, y, high) = (left, y + high + APART, 0.0);
            }
            for (element, (dx, dy)) in one.elements.iter().zip(&inner.places) {
                let place = (x + dx, y + dy);
                places.insert(element.info.path.as_str(), place);
                self.boxes.push(Box::of(element, place, marks));
            }
            let (width, height) = (inner.width, inner.height);
            self.loops.push(Frame { name: one.uid.clone(), x, y, width, height });
            high = high.max(height);
            wide = wide.max(x + width - left);
            x += width + APART;
        }
        let bottom = y + high + if is_named { PAD } else { 0.0 };
        if is_named {
            let (width, height) = (wide + 2.0 * PAD, bottom - top);
            self.levels.push(Frame { name: level.uid.clone(), x: APART, y: top, width, height });
            wide += PAD;
        }
        self.width = self.width.max(left + wide);
        bottom
    }

    fn lines(&mut self, element: &ElementStatus, places: &HashMap<&str, Place>) {
        let from = &element.info.path;
        let Some(start) = places.get(from.as_str()) else { return };
        for link in &element.info.output.links {
            let Some(to) = &link.to else { continue };
            let Some(end) = places.get(to.as_str()) else { continue };
            let around = self.around(to.owner(), *start).filter(|_| from.owner() != to.owner());
            let (path, (x, y)) = line(*start, *end, around);
            let stats = &link.stats;
            let is_newest = health::holds_the_newest(stats);
            let class = match (stats.dropped, stats.blocked) {
                (_, Some(_)) => "link blocked",
                (1.., _) if !is_newest => "link dropping",
                _ if element.emitted_per_second > 0.0 => "link flowing",
                _ if link.feedback => "link feedback",
                _ => "link",
            };
            let label = if stats.queued > 0 { words::grouped(stats.queued as u64) } else { String::new() };
            let (from, to) = (from.to_string(), to.to_string());
            self.links.push(Line { from, id: link.id, to, path, class, label, is_newest, x, y });
        }
    }
}

impl Map {
    /// Where a link that comes from elsewhere passes a loop: in the space above it, or below.
    fn around(&self, uid: &str, (_, from): Place) -> Option<f64> {
        let one = self.loops.iter().find(|one| one.name == uid)?;
        Some(if from < one.y { one.y - 8.0 } else { one.y + one.height + 8.0 })
    }
}

impl Box {
    fn of(element: &ElementStatus, (x, y): Place, marks: &Marks<'_>) -> Self {
        let info = &element.info;
        let path = info.path.as_str();
        let (letter, role) = words::role(info.role);
        let count = |count: u64| if count == 0 { String::new() } else { words::grouped(count) };
        let rate = element.received_per_second.max(element.emitted_per_second);
        Self {
            path: info.path.to_string(),
            name: words::short(info.path.element(), 15),
            address: health::address(&info.path),
            letter,
            role,
            state: words::state(info.state),
            rate: words::rate(rate),
            errors: count(info.errors),
            dropped: count(marks.lost.get(path).copied().unwrap_or(0)),
            queued: count(info.input.queued as u64),
            fill: marks.fills.get(path).copied().unwrap_or(0.0) * WIDE,
            x,
            y,
        }
    }
}

/// How full the fullest link into each element is, of 1.
fn fills(topology: &Topology) -> HashMap<&str, f64> {
    let mut fills = HashMap::new();
    for link in topology.elements().flat_map(|element| &element.info.output.links) {
        let Some(to) = &link.to else { continue };
        let fill: &mut f64 = fills.entry(to.as_str()).or_default();
        *fill = fill.max(link.stats.queued as f64 / link.stats.capacity.max(1) as f64).min(1.0);
    }
    fills
}

/// Arranges the elements of a loop: those that are linked with each other along their links, the others below in rows.
fn inner(one: &LoopInfo) -> Inner {
    let index: HashMap<&str, usize> =
        one.elements.iter().enumerate().map(|(at, element)| (element.info.path.as_str(), at)).collect();
    let mut links = Vec::new();
    for (from, element) in one.elements.iter().enumerate() {
        let targets = element.info.output.links.iter().filter_map(|link| link.to.as_ref());
        links.extend(targets.filter_map(|to| index.get(to.as_str())).map(|to| (from, *to)));
    }
    links.retain(|(from, to)| from != to);
    let is_linked = |at: usize| links.iter().any(|(from, to)| *from == at || *to == at);
    let count = one.elements.len();
    let (linked, alone): (Vec<usize>, Vec<usize>) = (0..count).partition(|at| is_linked(*at));
    let (ranked, low) = ranks(&linked, &links);
    let mut places = vec![(0.0, 0.0); count];
    for (at, place) in linked.iter().zip(ranked) {
        if let Some(there) = places.get_mut(*at) {
            *there = place;
        }
    }
    let columns = (alone.len() as f64).sqrt().ceil().clamp(4.0, 6.0);
    for (number, at) in alone.iter().enumerate() {
        let (row, column) = ((number as f64 / columns).floor(), number as f64 % columns);
        if let Some(there) = places.get_mut(*at) {
            *there = (PAD + column * (WIDE + PAD), low + row * (HIGH + PAD));
        }
    }
    let most = |of: fn(&Place) -> f64| places.iter().map(of).fold(0.0, f64::max);
    let name = words::short(&one.uid, 40).chars().count() as f64 * 9.0 + 2.0 * PAD;
    if count == 0 {
        return Inner { places, width: name.max(WIDE), height: HEAD + PAD };
    }
    Inner {
        width: (most(|place| place.0) + WIDE + PAD).max(name),
        height: (most(|place| place.1) + HIGH + PAD).max(low),
        places,
    }
}

/// The places of elements in ranks along their links, and where they end.
fn ranks(elements: &[usize], links: &[(usize, usize)]) -> (Vec<Place>, f64) {
    if elements.is_empty() {
        return (Vec::new(), HEAD);
    }
    // The first and the last thing are the ends of a flow, which a loop does not have.
    let number: HashMap<usize, usize> = elements.iter().enumerate().map(|(at, one)| (*one, at + 1)).collect();
    let mut things = vec![Extent::default()];
    things.extend(elements.iter().map(|_| Extent { main: WIDE, cross: HIGH, enter: 0.0, leave: 0.0 }));
    things.push(Extent::default());
    let edges: Vec<(usize, usize)> =
        links.iter().filter_map(|(from, to)| Some((*number.get(from)?, *number.get(to)?))).collect();
    let arranged = arrange(&things, &edges, 0.0);
    let has_back = arranged.as_ref().is_some_and(|arranged| arranged.routes.iter().any(|route| route.back));
    let count = elements.len();
    let mut places: Vec<Place> = match arranged {
        Some(arranged) => arranged.places.into_iter().skip(1).take(count).collect(),
        // Too many to look at: one below the other.
        None => (0..count).map(|at| (0.0, at as f64 * (HIGH + PAD))).collect(),
    };
    let least = |of: fn(&Place) -> f64| places.iter().map(of).fold(f64::MAX, f64::min);
    let (left, top) = (least(|place| place.0), least(|place| place.1));
    for place in &mut places {
        *place = (place.0 - left + PAD, place.1 - top + HEAD);
    }
    let low = places.iter().map(|place| place.1).fold(0.0, f64::max) + HIGH + PAD;
    (places, low + if has_back { PAD } else { 0.0 })
}

/// The way of a link, and the place for what is said about it. One that leads back passes what is `around` its target.
fn line((x, y): Place, (to_x, to_y): Place, around: Option<f64>) -> (String, Place) {
    let (start, end) = ((x + WIDE, y + HIGH / 2.0), (to_x, to_y + HIGH / 2.0));
    if end.0 >= start.0 + 8.0 {
        let middle = f64::midpoint(start.0, end.0);
        let path = format!(
            "M{:.1} {:.1}C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}",
            start.0, start.1, start.1, end.1, end.0, end.1
        );
        return (path, (middle, f64::midpoint(start.1, end.1)));
    }
    let low = around.unwrap_or(start.1.max(end.1) + HIGH / 2.0 + 13.0);
    let (out, back) = (start.0 + 14.0, end.0 - 14.0);
    let path = format!(
        "M{:.1} {:.1}C{out:.1} {:.1} {out:.1} {low:.1} {:.1} {low:.1}L{:.1} {low:.1}C{back:.1} {low:.1} {back:.1} {:.1} {:.1} {:.1}",
        start.0, start.1, start.1, start.0, end.0, end.1, end.0, end.1
    );
    (path, (f64::midpoint(start.0, end.0), low))
}
