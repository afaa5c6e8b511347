//! Any text: what compiles can be laid out, saved, loaded and drawn, and means the same after it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::flow::{Diagram, DiagramFormat, Graph, Workflow};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let workflow = Workflow::parse(text);
    let refused = workflow.diagnostics().errors().next().is_some();
    assert_eq!(workflow.graph().is_none(), refused);
    if let Ok(once) = workflow.format() {
        let again = Workflow::parse(once.as_str());
        assert_eq!(again.format().unwrap(), once, "laid out twice");
        assert_eq!(again.graph().map(meaning), workflow.graph().map(meaning), "laid out as {once:?}");
    }
    if let Some(graph) = workflow.graph() {
        let saved = serde_json::to_string(graph).unwrap();
        assert_eq!(&Graph::from_json(&saved).unwrap(), graph);
        if let Ok(python) = graph.to_python() {
            Graph::from_json(&python.to_string()).unwrap();
        }
        for format in [DiagramFormat::Mermaid, DiagramFormat::Dot, DiagramFormat::Svg] {
            let _ = Diagram::new(graph).render(format);
        }
    }
});

/// All of a graph but where it stands in the text.
fn meaning(graph: &Graph) -> Value {
    let mut saved = serde_json::to_value(graph).unwrap();
    for node in saved["nodes"].as_array_mut().unwrap() {
        let node = node.as_object_mut().unwrap();
        node.remove("line");
        node.remove("column");
    }
    saved
}
