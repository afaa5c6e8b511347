//! The one layout: it means the same, loses nothing, and is the same again.

use super::generate;
use mape::flow::{Graph, Node, TokenKind, Workflow};

/// All that is not layout, with arrows in one spelling.
fn content(workflow: &Workflow) -> Vec<(TokenKind, String)> {
    let tokens = workflow.tokens().filter(|(kind, _)| *kind != TokenKind::Space);
    let normal = tokens.map(|(kind, text)| match kind {
        TokenKind::Arrow => (kind, "→".to_owned()),
        TokenKind::EmptySource => (kind, "<>".to_owned()),
        TokenKind::Comment => (kind, text.trim_end().to_owned()),
        _ => (kind, text.to_owned()),
    });
    normal.collect()
}

/// Whether two graphs are the same but for where they stand in their texts.
fn same(one: &Graph, other: &Graph) -> bool {
    let about = |graph: &Graph| (graph.name().map(str::to_owned), graph.doc().map(str::to_owned));
    let node = |a: &Node, b: &Node| {
        (a.kind(), a.merge(), a.iterate(), a.guard(), a.doc())
            == (b.kind(), b.merge(), b.iterate(), b.guard(), b.doc())
    };
    about(one) == about(other)
        && one.parameters() == other.parameters()
        && one.nodes().len() == other.nodes().len()
        && one.nodes().iter().zip(other.nodes()).all(|(a, b)| node(a, b))
        && one.edges().eq(other.edges())
}

/// Checks a layout; says whether the text compiles.
#[track_caller]
fn check(text: &str) -> bool {
    let before = Workflow::parse(text);
    let formatted = before.format().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let after = Workflow::parse(formatted.as_str());
    assert_eq!(content(&before), content(&after), "the content of\n{text}\nis not that of\n{formatted}");
    let meant = match (before.graph(), after.graph()) {
        (Some(before), Some(after)) => same(before, after),
        (before, after) => before.is_none() && after.is_none(),
    };
    assert!(meant, "the graph of\n{text}\nis not that of\n{formatted}");
    assert_eq!(after.format().unwrap(), formatted, "\n{text}\nis not laid out at once as\n{formatted}");
    assert!(formatted.ends_with('\n') && !formatted.ends_with("\n\n"), "{formatted:?}");
    before.graph().is_some()
}

#[test]
fn ten_thousand_flows_mean_the_same_and_are_laid_out_once_for_all() {
    let mut compiled = 0;
    for seed in 0..10_000 {
        let text = generate::flow(seed);
        compiled += usize::from(check(&text));
    }
    assert_eq!(compiled, 10_000, "flows that the generator makes are right");
}

#[test]
fn the_flows_of_the_corpus_mean_the_same_in_the_layout() {
    for flow in super::conformance::agreed() {
        check(flow["source"].as_str().unwrap());
    }
}

#[test]
fn the_layout_is_this() {
    let text = "# header\n@flow   demo '''\nA doc\n'''\n@task X=A(- a: 1 -)  ;   # trailing\n@task sub { P → Q   R }\n\n\n\
        <- a: 1 ->   ->  one:a  :lab→ {  b c   } → > d|e(  )|f({\"x\":1}) -> > :end ; :lab → ? `$.x`   X\n\
        long-name-number-one → long-name-number-two → long-name-number-three → long-name-number-four → number-five\n\
        A → {   # why\n # inner\n\n B\n\n\n C → sub # behind\n # last\n} → D # x\n -> E -> # next\n F\n{ A -> { B -> {\n C } } }\n# end";
    let expected = "\
# header
@flow demo '''
A doc
'''
@task X = A (- a: 1 -); # trailing
@task sub { P → Q R }

<- a: 1 -> → one:a :lab → { b c } → > d | e() | f({\"x\":1}) → > :end;
:lab → ? `$.x` X
long-name-number-one → long-name-number-two → long-name-number-three → long-name-number-four
  → number-five
A → { # why
  # inner

  B

  C → sub # behind
  # last
} → D # x
  → E → # next
  F
{
  A → {
    B → {
      C
    }
  }
}
# end
";
    assert_eq!(Workflow::parse(text).format().unwrap(), expected);
}

#[test]
fn what_cannot_be_read_is_not_laid_out_but_what_cannot_be_compiled_is() {
    assert!(Workflow::parse("A → → B").format().is_err());
    assert_eq!(Workflow::parse("A→:nowhere").format().unwrap(), "A → :nowhere\n");
    assert_eq!(Workflow::parse("# only a remark").format().unwrap(), "# only a remark\n");
    assert_eq!(Workflow::parse(" \n ").format().unwrap(), "");
}
