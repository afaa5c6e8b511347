//! Pictures of flows.

use super::generate;
use mape::flow::{Diagram, DiagramFormat, Error, Graph};

fn graph(text: &str) -> Graph {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn mermaid_is_what_the_original_writes() {
    let mut compared = 0;
    for flow in super::conformance::agreed() {
        let Some(expected) = flow["mermaid"].as_str() else { continue };
        let graph = graph(flow["source"].as_str().unwrap());
        assert_eq!(Diagram::new(&graph).mermaid().trim_end(), expected.trim_end(), "{}", flow["id"]);
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn mermaid_declares_sources_and_resources_and_can_leave_documentation_out() {
    let graph = graph("@task B '''\nDoes it\n'''\n<{\"a\": \"x;y\"}> → * B :x; <in.json> → C → <out.json>");
    assert_eq!(
        Diagram::new(&graph).docs(false).vertical(true).mermaid(),
        "\
stateDiagram-v2
  state \"a: x#59;y\" as _source_1_
  state \"* B\" as B.2
  state \"in.json\" as _resource_3_
  state \"C\" as C.4
  state \"out.json\" as _sink_5_
  [*]-->_source_1_
  [*]-->_resource_3_
  _source_1_-->B.2
  B.2-->[*]
  _resource_3_-->C.4
  C.4-->_sink_5_
  _sink_5_-->[*]
"
    );
    assert!(Diagram::new(&graph).mermaid().contains("note left of B.2\n    Does it\n  end note"));
}

#[test]
fn graphviz_gets_clusters_and_everything_in_quotes() {
    let graph = graph("@flow demo\nA(- a: 1 -) → ? `$[?(@.a=\"x\")]` { * B C → :start }");
    let dot = Diagram::new(&graph).dot();
    assert!(dot.starts_with("digraph \"demo\" {\n  rankdir=LR;\n"), "{dot}");
    for part in [
        "subgraph cluster_2 {",
        "label=\"? $[?(@.a=\\\"x\\\")]\";",
        "3 [label=\"* B\"];",
        "1 [label=\"A\\na: 1\"];",
        "3 -> 5;",
        "4 -> 2 [style=dashed, constraint=false];",
    ] {
        assert!(dot.contains(part), "{part} is not in\n{dot}");
    }
    assert_eq!(dot.matches('{').count() - dot.matches("{\\").count(), dot.matches('}').count());
}

#[test]
fn a_drawing_is_well_formed_and_shows_every_step_once() {
    let corpus = super::conformance::agreed();
    let corpus = corpus.iter().map(|flow| flow["source"].as_str().unwrap().to_owned());
    let mut drawn = 0;
    for text in corpus.chain((0..300).map(generate::flow)) {
        let graph = graph(&text);
        for vertical in [false, true] {
            // A few expand to more than is drawn.
            let Ok(svg) = Diagram::new(&graph).vertical(vertical).svg() else { continue };
            drawn += 1;
            well_formed(&svg);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{text}");
            let shown = svg.matches("data-step=").count();
            let inner = |graph: &Graph| {
                graph
                    .nodes()
                    .iter()
                    .filter(|node| matches!(node.kind(), mape::flow::NodeKind::Subflow { .. }))
                    .count()
            };
            // A subflow is a box, and a dot where one enters it.
            assert_eq!(shown, graph.nodes().len() + inner(&graph), "{text}");
        }
    }
    assert!(drawn > 1_000, "{drawn}");
}

#[test]
fn text_from_outside_is_text_in_a_drawing() {
    let graph = graph("@flow x '''<script>alert(1)</script>'''\nA(- note: '<b>&\"' -) → <a&b.json>");
    let svg = Diagram::new(&graph).svg().unwrap();
    assert!(!svg.contains("<script") && !svg.contains("<b>"), "{svg}");
    assert!(svg.contains("&lt;script&gt;") && svg.contains("a&amp;b.json"), "{svg}");
    well_formed(&svg);
}

#[test]
fn what_nobody_could_find_their_way_in_is_not_drawn() {
    let graph = graph(&"A ".repeat(2_000));
    let error = Diagram::new(&graph).render(DiagramFormat::Svg).unwrap_err();
    assert!(matches!(error, Error::TooLarge { nodes: 2_002, .. }), "{error}");
    assert!(error.to_string().contains("use the format dot or mermaid"));
    for format in [DiagramFormat::Dot, DiagramFormat::Mermaid] {
        assert!(Diagram::new(&graph).render(format).is_ok());
    }
}

/// Tags are closed in the order in which they were opened.
#[track_caller]
fn well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag has an end");
        assert!(!text.contains('&') || text.split('&').skip(1).all(|rest| rest.contains(';')), "{text}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
