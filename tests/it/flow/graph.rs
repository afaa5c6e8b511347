//! Graphs: what they say, and their forms as JSON.

use super::generate;
use mape::flow::{Error, Graph, NodeKind, Workflow};
use serde_json::{Value, json};

fn graph(text: &str) -> Graph {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn back_edges_are_those_that_close_a_cycle_and_the_rest_is_waited_for() {
    let graph = graph("A → :x B :y → C → :x; :y → D");
    let back: Vec<_> = (0..graph.nodes().len())
        .flat_map(|from| {
            graph.successors(from).iter().zip(graph.back(from)).map(move |(to, back)| (from, *to, *back))
        })
        .filter(|(.., back)| *back)
        .collect();
    assert_eq!(back, [(3, 2, true)]);
    assert_eq!((graph.threshold(2), graph.predecessors(2)), (1, &[1, 3][..]));
    assert_eq!(graph.threshold(0), 0, "the start waits for nothing");
    let graph = self::graph("A → B → :start; C");
    assert_eq!((graph.threshold(0), graph.predecessors(0)), (0, &[2][..]));
}

#[test]
fn aliases_and_declared_subflows_keep_the_names_they_were_written_by() {
    let graph = graph(
        "@task fetch = request:get (- url: a -) '''Gets it'''\n@task both { A B }\nfetch(- url: b -) → both",
    );
    let NodeKind::Task { name, alias, parameters } = graph.node(1).unwrap().kind() else { panic!() };
    assert_eq!(
        (&**name, alias.as_deref(), &**parameters),
        ("request:get", Some("fetch"), &json!({"url": "b"}))
    );
    assert_eq!(graph.node(1).unwrap().doc(), Some("Gets it"));
    assert!(
        matches!(graph.node(2).unwrap().kind(), NodeKind::Subflow { declared: Some(name), end: 5, .. } if &**name == "both")
    );
    assert_eq!(graph.parents(), [None, None, None, Some(2), Some(2), None, None]);
    let outline = serde_json::to_value(graph.outline()).unwrap();
    assert_eq!(
        outline["nodes"][1],
        json!({"i": 1, "kind": "task", "name": "request:get", "base": "request:get", "params": {"url": "b"},
            "merge": false, "guard": null, "doc": "Gets it", "line": 3, "column": 1})
    );
    assert_eq!(outline["nodes"][2].as_object().unwrap().keys().count(), 8);
}

#[test]
fn places_are_lines_and_characters_from_one_on() {
    let graph = graph("größe → e1\n  → { # x\n  B } → C");
    let places: Vec<_> =
        graph.nodes().iter().map(|node| (node.line().unwrap(), node.column().unwrap())).collect();
    assert_eq!(places, [(1, 1), (1, 1), (1, 9), (2, 5), (3, 3), (3, 5), (3, 9), (3, 10)]);
}

#[test]
fn every_graph_is_the_same_after_saving_and_loading() {
    let saved = |graph: &Graph| serde_json::to_string(graph).unwrap();
    let corpus = super::conformance::agreed();
    let corpus = corpus.iter().map(|flow| flow["source"].as_str().unwrap().to_owned());
    for text in corpus.chain((0..500).map(generate::flow)) {
        let graph = graph(&text);
        assert_eq!(Graph::from_json(&saved(&graph)).unwrap(), graph, "{text}");
    }
}

#[test]
fn pythons_form_has_exactly_the_keys_that_python_knows_and_can_be_read_back() {
    let text = "@flow demo\n@task A '''doc'''\n<{\"a\": 5}> → A({\"x\": 1}) → > ? `$.a` { B  C } → > :end";
    let graph = graph(text);
    let python = graph.to_python().unwrap();
    assert_eq!(python["name"], "demo");
    assert_eq!(python["F"][2], json!([0, 0, 0, 1, 0, 0, 0, 0]));
    assert_eq!(
        python["T"],
        json!([
            ["StartFlow", {"index": 0}],
            ["Source", {"index": 1, "value": {"a": 5}}],
            ["InvokeTask", {"index": 2, "name": "A", "parameters": {"x": 1}, "base": null, "doc": "doc",
                "merge": false, "guard": null}],
            ["InvokeFlow", {"index": 3, "end": 6, "merge": true, "guard": "$.a"}],
            ["InvokeTask", {"index": 4, "name": "B", "parameters": {}, "base": null, "doc": null, "merge": false,
                "guard": null}],
            ["InvokeTask", {"index": 5, "name": "C", "parameters": {}, "base": null, "doc": null, "merge": false,
                "guard": null}],
            ["Sink", {"index": 6, "merge": false}],
            ["Sink", {"index": 7, "merge": true}],
        ])
    );
    let read = Graph::from_json(&python.to_string()).unwrap();
    assert_eq!(read.to_python().unwrap(), python);
    assert!(read.edges().eq(graph.edges()));
    assert_eq!(read.node(2).unwrap().line(), None);
}

#[test]
fn what_python_has_not_is_named_and_so_is_what_is_too_large() {
    for (text, part) in [
        ("A → * B", "B (#2) is done for each item"),
        ("<a.json> → B", "<a.json> (#1) is a resource"),
        ("A → > :start; B", "the start merges"),
    ] {
        let error = graph(text).to_python().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(graph(&"A ".repeat(998)).to_python().is_ok());
    let error = graph(&"A ".repeat(999)).to_python().unwrap_err();
    assert!(matches!(&error, Error::NotInPython(reason) if reason.contains("1001 steps")), "{error}");
}

#[test]
fn what_is_no_graph_is_refused_with_the_reason() {
    let good: Value = serde_json::to_value(graph("A → { B } → C")).unwrap();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        Graph::from_json(&changed.to_string()).unwrap_err().to_string()
    };
    for (error, part) in [
        (
            change(&|graph| graph["edges"][0] = json!([0, 99])),
            "the edge from 0 to 99 leads to no node; there are 7",
        ),
        (change(&|graph| graph["nodes"][0]["kind"] = "task".into()), "the node 0: it has no name"),
        (change(&|graph| graph["nodes"][2]["end"] = json!(5)), "the node 4 is the end of nothing"),
        (change(&|graph| graph["nodes"][3]["i"] = json!(7)), "the node 3: it says that it is the node 7"),
        (change(&|graph| graph["nodes"][3]["guard"] = "$[".into()), "is no JSON path"),
        (change(&|graph| graph["nodes"][3]["colour"] = "red".into()), "unknown field `colour`"),
        (change(&|graph| graph["nodes"] = json!([])), "there are no nodes"),
        (change(&|graph| graph["F"] = json!([[0]])), "missing field `T`"),
        (
            Graph::from_json("A → B").unwrap_err().to_string(),
            "loading a graph: expected value at line 1 column 1",
        ),
        (
            Graph::from_json(r#"{"F": [[0]], "T": [["StartFlow", {"index": 0}], ["Sink", {"index": 1}]]}"#)
                .unwrap_err()
                .to_string(),
            "`F` must have 2 rows of 2 numbers",
        ),
        (
            Graph::from_json(r#"{"F": [[0]], "T": [["StartFlow", {"index": 0, "name": "x"}]]}"#)
                .unwrap_err()
                .to_string(),
            "unknown field `name`",
        ),
    ] {
        assert!(error.contains(part), "{error}\nhas no\n{part}");
    }
}

#[test]
fn a_chain_and_a_fan_have_as_many_edges_as_arrows_need() {
    let chain = graph(&(0..10_000).map(|n| format!("t{n}")).collect::<Vec<_>>().join(" → "));
    assert_eq!((chain.nodes().len(), chain.edge_count()), (10_002, 10_001));
    let fan = graph(&format!("A → {{ {} }} → B", "t ".repeat(10_000)));
    assert_eq!((fan.nodes().len(), fan.edge_count()), (10_006, 20_004));
    let workflow = Workflow::parse("A");
    assert_eq!(workflow.graph().unwrap().end(), 2);
}
