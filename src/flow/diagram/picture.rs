//! Things with their sizes and texts, scope in scope.

use super::super::{Graph, Node, NodeKind};
use super::Diagram;
use super::layout::{Arrangement, Extent, arrange};
use super::words::{details, doc_line, shortened, title, width};

/// Space between a border and what is in it.
pub(super) const PAD: f64 = 14.0;
/// The height of a line of text.
pub(super) const LINE: f64 = 16.0;
/// How large the dots at the ends of a scope are.
pub(super) const DOT: f64 = 12.0;
/// What a sign before a name takes.
pub(super) const SIGN: f64 = 22.0;
const LONGEST_TITLE: usize = 36;
const LONGEST_LINE: usize = 44;

/// One scope: the flow, or a subflow.
pub(super) struct Picture {
    pub(super) things: Vec<Thing>,
    pub(super) arrangement: Arrangement,
}

/// What is drawn for a step.
pub(super) struct Thing {
    pub(super) node: usize,
    pub(super) form: Form,
    /// Whether the sign of merging or iteration is shown, if it has one.
    pub(super) signed: bool,
    pub(super) lines: Vec<Line>,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The content of a subflow.
    pub(super) inner: Option<Picture>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Entry,
    End,
    Task,
    Source,
    Resource,
    Box,
}

/// A line of text in a thing.
pub(super) struct Line {
    pub(super) role: Role,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Title,
    Guard,
    Detail,
    Doc,
}

impl Picture {
    /// The scope from an entry to its end; nothing if it has too many things.
    pub(super) fn of(diagram: Diagram<'_>, entry: usize, end: usize) -> Option<Self> {
        let graph = diagram.graph;
        let in_group = matches!(graph.node(entry)?.kind(), NodeKind::Subflow { group: true, .. });
        let mut things = vec![Thing::dot(entry, Form::Entry)];
        // Which thing a node is in, from the entry on.
        let mut places = vec![0; end - entry + 1];
        let mut index = entry + 1;
        while index < end {
            let node = graph.node(index)?;
            let last = match node.kind() {
                NodeKind::Subflow { end, .. } => *end,
                _ => index,
            };
            for place in places.get_mut(index - entry..=last - entry)? {
                *place = things.len();
            }
            things.push(if last > index {
                Thing::subflow(diagram, index, node, Self::of(diagram, index, last)?)
            } else {
                Thing::step(diagram, index, node, in_group)
            });
            index = last + 1;
        }
        *places.last_mut()? = things.len();
        things.push(Thing::dot(end, Form::End));
        let edges = edges(graph, entry, &things, &places);
        let extents: Vec<Extent> = things.iter().map(|thing| thing.extent(diagram.vertical)).collect();
        // The header of a subflow has its place behind the entry.
        let header = graph.node(entry).map(|node| header(diagram, node)).unwrap_or_default();
        let lead = if diagram.vertical { header.len() as f64 * LINE } else { 0.0 };
        let mut arrangement = arrange(&extents, &edges, lead)?;
        let needed = header.iter().map(Line::width).fold(0.0, f64::max) + 2.0 * PAD;
        let missing = needed - arrangement.size.0;
        if !diagram.vertical && missing > 0.0 && entry > 0 {
            arrangement = arrange(&extents, &edges, missing)?;
        }
        Some(Self { things, arrangement })
    }
}

/// The edges of a scope, between its things.
fn edges(graph: &Graph, entry: usize, things: &[Thing], places: &[usize]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (from, thing) in things.iter().enumerate() {
        // What leaves a subflow leaves its end.
        let node = match graph.node(thing.node).map(|node| node.kind()) {
            Some(NodeKind::Subflow { end, .. }) if thing.form == Form::Box => *end,
            _ if thing.form == Form::End => continue,
            _ => thing.node,
        };
        for to in graph.successors(node) {
            edges.extend(to.checked_sub(entry).and_then(|to| places.get(to)).map(|to| (from, *to)));
        }
    }
    edges
}

/// What stands at the top of a subflow.
fn header(diagram: Diagram<'_>, node: &Node) -> Vec<Line> {
    let NodeKind::Subflow { declared, .. } = node.kind() else { return Vec::new() };
    let name = declared.as_ref().map(|name| Line::new(Role::Title, name, LONGEST_TITLE));
    let guard = node.guard().map(|guard| Line::new(Role::Guard, guard.text(), LONGEST_LINE));
    let doc = doc_line(node).filter(|_| diagram.docs).map(|doc| Line::new(Role::Doc, doc, LONGEST_LINE));
    let signed = (node.merge() || node.iterate()) && name.is_none();
    let sign =
        signed.then(|| Line::new(Role::Title, if node.iterate() { "each" } else { "merged" }, LONGEST_TITLE));
    name.into_iter().chain(sign).chain(guard).chain(doc).collect()
}

impl Thing {
    fn dot(node: usize, form: Form) -> Self {
        Self { node, form, signed: true, lines: Vec::new(), width: DOT, height: DOT, inner: None }
    }

    /// The members of a group repeat what is shown for the group.
    fn step(diagram: Diagram<'_>, index: usize, node: &Node, in_group: bool) -> Self {
        let form = match node.kind() {
            NodeKind::Source { .. } => Form::Source,
            NodeKind::Resource { .. } | NodeKind::Sink { .. } => Form::Resource,
            _ => Form::Task,
        };
        let mut lines = vec![Line::new(Role::Title, &title(node), LONGEST_TITLE)];
        let guard = node.guard().filter(|_| !in_group);
        lines.extend(guard.map(|guard| Line::new(Role::Guard, guard.text(), LONGEST_LINE)));
        lines.extend(details(node).map(|details| Line::new(Role::Detail, &details, LONGEST_LINE)));
        lines.extend(
            doc_line(node).filter(|_| diagram.docs).map(|doc| Line::new(Role::Doc, doc, LONGEST_LINE)),
        );
        let signed = !in_group && (node.merge() || node.iterate());
        let sign = if signed { SIGN } else { 0.0 };
        let text = lines.iter().map(Line::width).fold(0.0, f64::max);
        let width = (text + sign + 2.0 * PAD).max(52.0);
        let height = lines.len() as f64 * LINE + 14.0;
        Self { node: index, form, signed, lines, width, height, inner: None }
    }

    fn subflow(diagram: Diagram<'_>, index: usize, node: &Node, inner: Picture) -> Self {
        let lines = header(diagram, node);
        let (main, cross) = inner.arrangement.size;
        let top = Self::top(&lines);
        let (width, height) = if diagram.vertical {
            let needed = lines.iter().map(Line::width).fold(0.0, f64::max) + SIGN + DOT;
            // The header stands beside the entry, which is in the middle.
            ((cross + 2.0 * PAD).max(2.0 * needed), main)
        } else {
            (main, cross + top + PAD)
        };
        Self { node: index, form: Form::Box, signed: true, lines, width, height, inner: Some(inner) }
    }

    /// Space above the content of a subflow.
    pub(super) fn top(lines: &[Line]) -> f64 {
        PAD + lines.len() as f64 * LINE + if lines.is_empty() { 0.0 } else { 4.0 }
    }

    /// Where the content of a subflow begins, across the flow.
    pub(super) fn content(&self, vertical: bool) -> f64 {
        match &self.inner {
            Some(inner) if vertical => (self.width - inner.arrangement.size.1) / 2.0,
            _ => Self::top(&self.lines),
        }
    }

    fn extent(&self, vertical: bool) -> Extent {
        let (main, cross) = if vertical { (self.height, self.width) } else { (self.width, self.height) };
        let main = if matches!(self.form, Form::Entry | Form::End) { 0.0 } else { main };
        let Some(inner) = &self.inner else { return Extent { main, cross, enter: 0.0, leave: 0.0 } };
        let port = |place: Option<&(f64, f64)>| {
            place.map_or(0.0, |place| place.1) + self.content(vertical) - cross / 2.0
        };
        let places = &inner.arrangement.places;
        Extent { main, cross, enter: port(places.first()), leave: port(places.last()) }
    }
}

impl Line {
    fn new(role: Role, text: &str, longest: usize) -> Self {
        let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        Self { role, text: shortened(&text, longest) }
    }

    /// How long it is, as far as that is known without the font.
    pub(super) fn width(&self) -> f64 {
        match self.role {
            Role::Title => width(&self.text) * 15.2,
            // A fixed width, and a frame around it.
            Role::Guard => self.text.chars().count() as f64 * 6.7 + 12.0,
            Role::Detail | Role::Doc => width(&self.text) * 11.9,
        }
    }
}
