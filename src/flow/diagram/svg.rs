//! A drawing.

use super::super::{Error, Node};
use super::Diagram;
use super::layout::{Place, Route};
use super::picture::{DOT, Form, LINE, PAD, Picture, Role, SIGN, Thing};
use super::words::{doc_line, shortened};
use std::fmt::Write;

/// Steps and edges of what is drawn.
const MOST: usize = 2_000;
/// Space around everything.
const MARGIN: f64 = 24.0;

const STYLE: &str = "\
.flow{font-family:system-ui,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#0f172a}\
.flow .paper{fill:#fff}.flow .name{font-size:17px;font-weight:600}.flow .about{font-size:12px;fill:#64748b}\
.flow .shape{fill:#fff;stroke:#475569;stroke-width:1.3}.flow .source .shape{fill:#ecfdf5;stroke:#059669}\
.flow .resource .shape{fill:#eff6ff;stroke:#2563eb}.flow .subflow>.shape{fill:#64748b;fill-opacity:.07;stroke:#94a3b8}\
.flow .subflow>.behind{fill:none}.flow .group>.shape{stroke-dasharray:2 3}.flow .title{font-weight:600}.flow .detail{font-size:11px;fill:#475569}\
.flow .doc{font-size:11px;fill:#64748b;font-style:italic}\
.flow .guard{font-size:11px;font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#92400e}\
.flow .frame{fill:#fef3c7;stroke:#fbbf24;stroke-width:.8}.flow .sign{fill:#0f766e}\
.flow .signed{fill:#fff;font-size:12px;font-weight:700;text-anchor:middle}\
.flow .edge{fill:none;stroke:#64748b;stroke-width:1.4}.flow .back{stroke:#c2410c;stroke-dasharray:5 3}\
.flow .dot{fill:#334155}.flow .ring{fill:#fff;stroke:#334155;stroke-width:1.5}\
.flow .tip{fill:#64748b}.flow .tip-back{fill:#c2410c}";

pub(super) fn write(diagram: Diagram<'_>) -> Result<String, Error> {
    let graph = diagram.graph;
    let too_large = || Error::TooLarge { nodes: graph.nodes().len(), edges: graph.edge_count(), most: MOST };
    if graph.nodes().len() > MOST || graph.edge_count() > MOST {
        return Err(too_large());
    }
    let picture = Picture::of(diagram, 0, graph.end()).ok_or_else(too_large)?;
    let mut drawing = Drawing { diagram, out: String::new() };
    let head = drawing.head();
    let (main, cross) = picture.arrangement.size;
    let (wide, high) = if diagram.vertical { (cross, main) } else { (main, cross) };
    let (width, height) = (wide.max(head.0) + 2.0 * MARGIN, high + head.1 + 2.0 * MARGIN);
    let origin =
        (MARGIN + if diagram.vertical { (wide.max(head.0) - wide) / 2.0 } else { 0.0 }, MARGIN + head.1);
    drawing.picture(&picture, origin);
    let name = escaped(graph.name().unwrap_or("flow"));
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{name}</title>\n<style>{STYLE}</style>\n<defs>\n\
         {}{}</defs>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n{}</svg>\n",
        marker("flow-tip", "tip"),
        marker("flow-tip-back", "tip-back"),
        drawing.out
    ))
}

fn marker(id: &str, class: &str) -> String {
    format!(
        "<marker id=\"{id}\" viewBox=\"0 0 10 10\" refX=\"9.5\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\" \
         markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"{class}\" d=\"M0 1L10 5L0 9z\"/></marker>\n"
    )
}

struct Drawing<'a> {
    diagram: Diagram<'a>,
    out: String,
}

// Writing to a text cannot fail, so what `write!` gives is left alone.
impl<'a> Drawing<'a> {
    /// Name and documentation of the flow, at the top; how large that is.
    fn head(&mut self) -> Place {
        let graph = self.diagram.graph;
        let doc = graph.doc().filter(|_| self.diagram.docs).and_then(|doc| doc.trim().lines().next());
        let mut at = MARGIN;
        let mut wide: f64 = 0.0;
        for (text, class, size) in [(graph.name(), "name", 17.0), (doc, "about", 12.0)] {
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            let text = shortened(text, 90);
            at += size;
            let _ = writeln!(
                self.out,
                "<text class=\"{class}\" x=\"{MARGIN}\" y=\"{at:.1}\">{}</text>",
                escaped(&text)
            );
            at += 6.0;
            wide = wide.max(super::words::width(&text) * size * 1.05);
        }
        (wide, if at > MARGIN { at - MARGIN + 12.0 } else { 0.0 })
    }

    /// A place of the picture in the drawing.
    fn place(&self, origin: Place, (main, cross): Place) -> Place {
        if self.diagram.vertical {
            (origin.0 + cross, origin.1 + main)
        } else {
            (origin.0 + main, origin.1 + cross)
        }
    }

    fn picture(&mut self, picture: &Picture, origin: Place) {
        let places = &picture.arrangement.places;
        let things = || picture.things.iter().zip(places);
        // Boxes lie below edges, and edges below all that they lead to.
        for (thing, place) in things().filter(|(thing, _)| thing.form == Form::Box) {
            self.subflow(thing, self.place(origin, *place));
        }
        for route in &picture.arrangement.routes {
            self.edge(route, origin);
        }
        for (thing, place) in things().filter(|(thing, _)| thing.form != Form::Box) {
            self.step(thing, self.place(origin, *place));
        }
    }

    fn subflow(&mut self, thing: &Thing, (x, y): Place) {
        let Some((node, inner)) = self.node(thing).zip(thing.inner.as_ref()) else { return };
        let (left, top) = (x - thing.width / 2.0, y - thing.height / 2.0);
        let group = match node.kind() {
            super::super::NodeKind::Subflow { group: true, .. } => " group",
            _ => "",
        };
        let _ = writeln!(self.out, "<g class=\"step subflow{group}\" data-step=\"{}\">", thing.node);
        self.tooltip(node);
        self.rectangle(left, top, thing.width, thing.height, 10.0, node.iterate());
        let sign = self.sign(node, left + PAD, top + PAD - 4.0 + LINE / 2.0);
        self.lines(thing, left + PAD + sign, top + PAD - 4.0);
        self.out.push_str("</g>\n");
        let content = thing.content(self.diagram.vertical);
        let origin = if self.diagram.vertical { (left + content, top) } else { (left, top + content) };
        self.picture(inner, origin);
    }

    fn step(&mut self, thing: &Thing, (x, y): Place) {
        let Some(node) = self.node(thing) else { return };
        let class = match thing.form {
            Form::Source => "source",
            Form::Resource => "resource",
            Form::Task | Form::Box => "task",
            Form::Entry | Form::End => return self.dot(thing, node, (x, y)),
        };
        let (left, top) = (x - thing.width / 2.0, y - thing.height / 2.0);
        let _ = writeln!(self.out, "<g class=\"step {class}\" data-step=\"{}\">", thing.node);
        self.tooltip(node);
        let round = if thing.form == Form::Task { 7.0 } else { 2.0 };
        self.rectangle(left, top, thing.width, thing.height, round, node.iterate());
        if thing.form == Form::Resource {
            let (inner, right, low) = (left + 5.0, left + thing.width - 5.0, top + thing.height);
            let _ = writeln!(
                self.out,
                "<path class=\"shape\" d=\"M{inner:.1} {top:.1}V{low:.1}M{right:.1} {top:.1}V{low:.1}\"/>"
            );
        }
        let sign = if thing.signed { self.sign(node, left + 10.0, y) } else { 0.0 };
        self.lines(thing, left + PAD + sign, top + 7.0);
        self.out.push_str("</g>\n");
    }

    fn dot(&mut self, thing: &Thing, node: &Node, (x, y): Place) {
        let radius = DOT / 2.0;
        let last = thing.node == self.diagram.graph.end();
        let _ = writeln!(self.out, "<g class=\"step end\" data-step=\"{}\">", thing.node);
        if node.merge() && thing.form == Form::End {
            self.sign(node, x - 8.0, y);
        } else if last {
            let _ = writeln!(
                self.out,
                "<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\"/>",
                radius + 1.5
            );
            let _ = writeln!(self.out, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        } else {
            let radius = if thing.node == 0 { radius + 1.0 } else { 4.0 };
            let _ =
                writeln!(self.out, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
        }
        self.out.push_str("</g>\n");
    }

    /// The sign of merging or iteration, and how much space it takes.
    fn sign(&mut self, node: &Node, left: f64, y: f64) -> f64 {
        let sign = match (node.iterate(), node.merge()) {
            (true, _) => "*",
            (_, true) => "&gt;",
            _ => return 0.0,
        };
        let (x, below) = (left + 8.0, if node.iterate() { 6.5 } else { 4.2 });
        let _ = writeln!(self.out, "<circle class=\"sign\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\"/>");
        let _ =
            writeln!(self.out, "<text class=\"signed\" x=\"{x:.1}\" y=\"{:.1}\">{sign}</text>", y + below);
        SIGN
    }

    fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, round: f64, stacked: bool) {
        let mut one = |away: f64, class: &str| {
            let _ = writeln!(
                self.out,
                "<rect class=\"shape{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round}\"/>",
                x + away,
                y - away
            );
        };
        // What is done for each item looks like several.
        if stacked {
            one(5.0, " behind");
            one(2.5, " behind");
        }
        one(0.0, "");
    }

    fn lines(&mut self, thing: &Thing, left: f64, top: f64) {
        for (index, line) in thing.lines.iter().enumerate() {
            let y = top + index as f64 * LINE + 12.0;
            let text = escaped(&line.text);
            let class = match line.role {
                Role::Title => "title",
                Role::Detail => "detail",
                Role::Doc => "doc",
                Role::Guard => {
                    let _ = writeln!(
                        self.out,
                        "<rect class=\"frame\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" rx=\"3\"/>\
                         <text class=\"guard\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>",
                        y - 11.0,
                        line.width() - 2.0,
                        left + 5.0,
                        y - 0.5
                    );
                    continue;
                }
            };
            let _ = writeln!(self.out, "<text class=\"{class}\" x=\"{left:.1}\" y=\"{y:.1}\">{text}</text>");
        }
    }

    fn tooltip(&mut self, node: &Node) {
        let guard = node.guard().map(|guard| format!("? {guard}"));
        let parameters = node
            .parameters()
            .filter(|value| value.as_object().is_none_or(|map| !map.is_empty()))
            .map(ToString::to_string);
        let doc = doc_line(node).and_then(|_| node.doc()).map(|doc| doc.trim().to_owned());
        let place = node.line().map(|line| format!("line {line}"));
        let parts =
            node.task().map(str::to_owned).into_iter().chain(guard).chain(parameters).chain(doc).chain(place);
        let text: Vec<String> = parts.map(|part| shortened(&part, 300)).collect();
        let _ = writeln!(self.out, "<title>{}</title>", escaped(&text.join("\n")));
    }

    fn edge(&mut self, route: &Route, origin: Place) {
        let mut points: Vec<Place> = route.points.iter().map(|point| self.place(origin, *point)).collect();
        // A tip needs to know where it comes from.
        points.dedup_by(|(a, b), (x, y)| (*a - *x).abs() + (*b - *y).abs() < 1.0);
        let path = if route.back { angular(&points) } else { self.smooth(&points) };
        let (class, tip) = if route.back { ("edge back", "flow-tip-back") } else { ("edge", "flow-tip") };
        let _ = writeln!(self.out, "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#{tip})\"/>");
    }

    /// A line that leaves and enters along the flow.
    fn smooth(&self, points: &[Place]) -> String {
        let mut path = String::new();
        let mut last: Option<Place> = None;
        for (x, y) in points.iter().copied() {
            let _ = match last {
                None => write!(path, "M{x:.1} {y:.1}"),
                Some((a, b)) if (a - x).abs() < 0.5 || (b - y).abs() < 0.5 => write!(path, "L{x:.1} {y:.1}"),
                Some((_, b)) if self.diagram.vertical => {
                    let middle = f64::midpoint(b, y);
                    let (a, _) = last.unwrap_or_default();
                    write!(path, "C{a:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
                }
                Some((a, b)) => {
                    let middle = f64::midpoint(a, x);
                    write!(path, "C{middle:.1} {b:.1} {middle:.1} {y:.1} {x:.1} {y:.1}")
                }
            };
            last = Some((x, y));
        }
        path
    }

    fn node(&self, thing: &Thing) -> Option<&'a Node> {
        self.diagram.graph.node(thing.node)
    }
}

/// Straight lines with round corners.
fn angular(points: &[Place]) -> String {
    const ROUND: f64 = 6.0;
    let mut path = String::new();
    for (index, (x, y)) in points.iter().copied().enumerate() {
        let before = index.checked_sub(1).and_then(|index| points.get(index));
        let _ = match (before, points.get(index + 1)) {
            (None, _) => write!(path, "M{x:.1} {y:.1}"),
            (_, None) => write!(path, "L{x:.1} {y:.1}"),
            (Some(before), Some(after)) => {
                let (in_x, in_y) = toward((x, y), *before, ROUND);
                let (out_x, out_y) = toward((x, y), *after, ROUND);
                write!(path, "L{in_x:.1} {in_y:.1}Q{x:.1} {y:.1} {out_x:.1} {out_y:.1}")
            }
        };
    }
    path
}

/// From one place so far toward another, at most half of the way.
fn toward(from: Place, to: Place, far: f64) -> Place {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let part = if length > 0.0 { (far / length).min(0.5) } else { 0.0 };
    (from.0 + dx * part, from.1 + dy * part)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write these.
            char if char.is_control() && char != '\n' && char != '\t' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}
