//! Any bytes: the tokens are the text, and all that is said about it lies in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mape::flow::Workflow;

fuzz_target!(|bytes: &[u8]| {
    let workflow = Workflow::from_bytes(bytes);
    let text = workflow.text();
    if std::str::from_utf8(bytes).is_ok() {
        let tokens: String = workflow.tokens().map(|(_, token)| token).collect();
        assert_eq!(tokens, text);
    }
    let lines: Vec<&str> = text.split('\n').collect();
    for one in workflow.diagnostics() {
        let line = lines[one.line() as usize - 1];
        assert!((1..=line.chars().count() + 1).contains(&(one.column() as usize)), "{one}");
        assert!(text.is_char_boundary(one.range().start), "{one}");
    }
    let _ = workflow.diagnostics().report("it", text);
});
