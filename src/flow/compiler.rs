//! From a tree to a graph.
//!
//! Nodes are made in the order of the text, so that a subflow is a range of them. Edges within a statement are made on
//! the way; those of labels when the scope that has them is complete, so that the order of statements never matters.

mod content;
mod declarations;
mod labels;
mod parameters;

use super::diagnostic::Code;
use super::diagnostics::Sink;
use super::edges::Edges;
use super::parser::MAX_NESTING;
use super::token::{Token, TokenId};
use super::tree::{Body, Destination, Resource, Source, Statement, Step, Subflow, Target, Task, Tree};
use super::{Graph, Node, NodeKind};
use crate::hint::nearest;
use content::Contents;
use declarations::Declarations;
use foldhash::HashSet;
use labels::{Scope, Side};

/// Nodes that a graph may have: declared subflows can expand to any number.
const MOST_NODES: usize = 250_000;
/// Edges that a graph may have: a label connects each of its outputs with each of its inputs.
const MOST_EDGES: usize = 1_000_000;

/// Errors that it is searched for what may have been meant; a search looks through the text.
const MOST_SEARCHES: usize = 50;
/// Names that are looked at in a search, and how long they may be.
const SEARCHED: usize = 200;
const LONGEST_SEARCHED: usize = 64;

/// A graph, and the token that each of its nodes begins with.
pub(super) struct Compiled {
    pub(super) graph: Graph,
    pub(super) tokens: Vec<TokenId>,
}

/// The graph of a tree; nothing if there is any error.
pub(super) fn compile(text: &str, tokens: &[Token], tree: &Tree, sink: &mut Sink) -> Option<Compiled> {
    let contents = Contents::new(text, tokens);
    let readable = !sink.has_errors();
    let compiler = Compiler {
        contents,
        declarations: Declarations::default(),
        sink,
        nodes: Vec::new(),
        node_tokens: Vec::new(),
        edges: Vec::new(),
        depth: 0,
        expanding: Vec::new(),
        readable,
        full: false,
        checks_only: false,
        searches: MOST_SEARCHES,
    };
    compiler.whole(tree)
}

struct Compiler<'a, 's> {
    contents: Contents<'a>,
    declarations: Declarations<'a>,
    sink: &'s mut Sink,
    nodes: Vec<Node>,
    node_tokens: Vec<TokenId>,
    edges: Vec<(u32, u32)>,
    depth: usize,
    /// Names of the declared subflows that are being expanded, outermost first.
    expanding: Vec<&'a str>,
    /// All of the text is in the tree, so what is not there is missing.
    readable: bool,
    /// A limit was passed; nothing more is made.
    full: bool,
    /// What is made now is thrown away again.
    checks_only: bool,
    /// How many times more it is searched for what may have been meant.
    searches: usize,
}

/// What stands around the body of a step.
#[derive(Clone, Copy)]
struct Around {
    iterate: bool,
    merge: bool,
    guard: Option<TokenId>,
}

impl<'a> Compiler<'a, '_> {
    fn whole(mut self, tree: &'a Tree) -> Option<Compiled> {
        let statements = self.declare(tree);
        if statements.is_empty() {
            self.contents.check_what_is_unread(self.readable, self.sink);
            if !self.sink.has_errors() {
                let help = "write at least one task, such as `A` or `A → B`";
                self.sink.error(Code::Empty, (0, 0), (1, 1), "the flow has nothing to do").help(help);
            }
            return None;
        }
        let first = TokenId(0);
        self.push(Node::new(NodeKind::Start, Some((1, 1))), first);
        let last = TokenId(u32::try_from(self.contents.tokens.len()).unwrap_or(u32::MAX).saturating_sub(1));
        let end = super::parser::end_of(self.contents.text, self.contents.tokens);
        self.flow(statements, 0, last, Some(end));
        self.check_what_is_not_invoked();
        self.contents.check_what_is_unread(self.readable, self.sink);
        if self.sink.has_errors() {
            return None;
        }
        let edges = Edges::new(self.nodes.len(), self.edges);
        let (name, doc, parameters) = self.declarations.flow.unwrap_or_default();
        let graph = Graph { name, doc, parameters, nodes: self.nodes, edges };
        Some(Compiled { graph, tokens: self.node_tokens })
    }

    /// Makes the content and the end of a scope whose entry is there; gives the end.
    fn flow(
        &mut self,
        statements: impl IntoIterator<Item = &'a Statement>,
        entry: u32,
        closing: TokenId,
        place: Option<(u32, u32)>,
    ) -> u32 {
        let mut scope = Scope::new(entry);
        for statement in statements {
            if self.full {
                break;
            }
            scope.pass(statement.unread.iter().map(|id| self.contents.label(*id)));
            self.statement(statement, &mut scope);
        }
        let mut end = Node::new(NodeKind::End { entry: entry as usize }, place);
        end.merge = scope.end_merges;
        let end = self.push(end, closing);
        for last in std::mem::take(&mut scope.ends) {
            self.connect(last, end, closing);
        }
        self.connect_labels(&scope);
        end
    }

    fn statement(&mut self, statement: &'a Statement, scope: &mut Scope<'a>) {
        let mut before = None;
        match &statement.source {
            Some((Source::Literal(literal), _)) => {
                before =
                    self.literal_source(*literal).inspect(|node| self.connect(scope.entry, *node, *literal));
            }
            Some((Source::Resource(resource), _)) => {
                let node = self.resource(resource, false);
                self.connect(scope.entry, node, resource.uri);
                before = Some(node);
            }
            _ => {}
        }
        for (_, step) in &statement.steps {
            if self.full {
                return;
            }
            let (entry, exit) = self.step(step, scope);
            match (before, &statement.source) {
                (Some(before), _) => self.connect(before, entry, first_token(step)),
                (None, Some((Source::Label(label), _))) => self.source_label(*label, entry, scope),
                (None, None) => self.connect(scope.entry, entry, first_token(step)),
                // A literal that cannot be read; there will be no graph.
                (None, Some(_)) => {}
            }
            before = Some(exit);
        }
        let Some(last) = before else { return };
        match &statement.destination {
            Some(destination) => self.destination(destination, last, scope),
            // What could not be read may have gone anywhere.
            None if statement.unread.is_empty() => scope.ends.push(last),
            None => {}
        }
    }

    fn destination(&mut self, destination: &'a Destination, last: u32, scope: &mut Scope<'a>) {
        let merge = destination.merge.is_some();
        match &destination.target {
            Target::Label(label) => match self.contents.label(*label) {
                "end" => {
                    scope.end_merges |= merge;
                    scope.ends.push(last);
                }
                "start" => {
                    self.connect(last, scope.entry, *label);
                    if let Some(entry) = self.nodes.get_mut(scope.entry as usize) {
                        entry.merge |= merge;
                    }
                }
                name => scope.destination(name, *label, last, merge),
            },
            Target::Resource(resource) => {
                let node = self.resource(resource, true);
                if let Some(sink) = self.nodes.get_mut(node as usize) {
                    sink.merge = merge;
                }
                self.connect(last, node, resource.uri);
                scope.ends.push(node);
            }
        }
    }

    /// Makes a step; gives where one enters and leaves it.
    fn step(&mut self, step: &'a Step, scope: &mut Scope<'a>) -> (u32, u32) {
        let guard = step.guard.map(|(_, guard)| guard);
        let around = Around { iterate: step.iterate.is_some(), merge: step.merge.is_some(), guard };
        let (entry, exit) = match &step.body {
            Body::Task(task) => self.task(task, around),
            Body::Group(first, others) => self.group(first, others, around),
            Body::Subflow(subflow) => self.subflow(subflow, subflow.open, around),
        };
        if let Some(label) = step.input.filter(|label| self.is_free(*label, "before")) {
            let earlier = scope.input(self.contents.label(label), label, entry);
            self.twice(label, earlier, "input", "before");
            if earlier.is_none() {
                self.check_layout(label, Side::Behind);
            }
        }
        if let Some(label) = step.output.filter(|label| self.is_free(*label, "behind")) {
            let earlier = scope.output(self.contents.label(label), label, exit);
            self.twice(label, earlier, "output", "behind");
            if earlier.is_none() {
                self.check_layout(label, Side::Before);
            }
        }
        (entry, exit)
    }

    fn task(&mut self, task: &'a Task, around: Around) -> (u32, u32) {
        let written = self.contents.text_of(task.name);
        let resolved = self.resolve(written, task.name);
        if let Some((declared, subflow)) = resolved.subflow {
            if let Some(parameters) = &task.parameters {
                let message = format!("`{written}` is a subflow: no task in it gets these parameters");
                let token = self.contents.parameters_token(*parameters);
                let help = "give them to the tasks in it";
                self.sink.warn_at(Code::UnusedParameters, token, message).help(help);
            }
            let ends = self.expand(declared, subflow, task.name, around);
            if let Some(entry) = self.nodes.get_mut(ends.0 as usize) {
                entry.doc = resolved.doc;
                if let NodeKind::Subflow { declared, .. } = &mut entry.kind {
                    *declared = Some(written.into());
                }
            }
            return ends;
        }
        let parameters = self.merged(&resolved, task.parameters);
        let kind = NodeKind::Task {
            name: resolved.name,
            alias: resolved.is_alias.then(|| written.into()),
            parameters,
        };
        let mut node = Node::new(kind, Some(self.contents.place(task.name)));
        node.doc = resolved.doc;
        self.surround(&mut node, around);
        let index = self.push(node, task.name);
        (index, index)
    }

    /// A declared subflow in place of a task.
    fn expand(
        &mut self,
        declared: &'a str,
        subflow: &'a Subflow,
        written: TokenId,
        around: Around,
    ) -> (u32, u32) {
        if let Some(at) = self.expanding.iter().position(|name| *name == declared) {
            let way: Vec<&str> = self.expanding.iter().skip(at).chain([&declared]).copied().collect();
            let message = format!("the subflow `{declared}` contains itself: {}", shown(&way));
            let token = self.contents.token(written);
            let help = "a loop is written with labels: `:again A → B → :again`";
            self.sink.error_at(Code::Recursion, token, message).help(help);
            return (0, 0);
        }
        self.expanding.push(declared);
        let ends = self.subflow(subflow, written, around);
        self.expanding.pop();
        ends
    }

    fn subflow(&mut self, subflow: &'a Subflow, written: TokenId, around: Around) -> (u32, u32) {
        if self.depth >= MAX_NESTING {
            let message =
                format!("subflows are nested more than {MAX_NESTING} deep, with those that are declared");
            let help = "let the declared subflows contain fewer others";
            self.sink.error_at(Code::Limit, self.contents.token(written), message).help(help);
            self.full = true;
            return (0, 0);
        }
        let closing = subflow.close.unwrap_or(subflow.open);
        self.enclosed(written, around, false, |compiler, entry| {
            let place = Some(compiler.contents.place(closing));
            compiler.depth += 1;
            let end = compiler.flow(&subflow.statements, entry, closing, place);
            compiler.depth -= 1;
            end
        })
    }

    fn group(&mut self, first: &'a Task, others: &'a [(TokenId, Task)], around: Around) -> (u32, u32) {
        let closing = others.last().map_or(first.name, |(_, task)| task.name);
        // Conditions and merging hold for the group, and are repeated at its members, where they change nothing.
        let member = Around { iterate: false, ..around };
        self.enclosed(first.name, around, true, |compiler, entry| {
            let tasks = std::iter::once(first).chain(others.iter().map(|(_, task)| task));
            let mut ends = Vec::new();
            for task in tasks {
                let (enter, leave) = compiler.task(task, member);
                compiler.connect(entry, enter, task.name);
                ends.push(leave);
            }
            let place = Some(compiler.contents.place(closing));
            let end = compiler.push(Node::new(NodeKind::End { entry: entry as usize }, place), closing);
            for leave in ends {
                compiler.connect(leave, end, closing);
            }
            end
        })
    }

    /// An entry, and what `content` makes with an end.
    fn enclosed(
        &mut self,
        written: TokenId,
        around: Around,
        group: bool,
        content: impl FnOnce(&mut Self, u32) -> u32,
    ) -> (u32, u32) {
        let mut node = Node::new(
            NodeKind::Subflow { end: 0, group, declared: None },
            Some(self.contents.place(written)),
        );
        self.surround(&mut node, around);
        let entry = self.push(node, written);
        if self.full {
            return (entry, entry);
        }
        let last = content(self, entry);
        if let Some(Node { kind: NodeKind::Subflow { end, .. }, .. }) = self.nodes.get_mut(entry as usize) {
            *end = last as usize;
        }
        (entry, last)
    }

    fn surround(&mut self, node: &mut Node, around: Around) {
        node.iterate = around.iterate;
        node.merge = around.merge;
        node.guard = around.guard.and_then(|guard| self.contents.guard(guard, self.sink));
    }

    fn literal_source(&mut self, literal: TokenId) -> Option<u32> {
        let value = self.contents.source(literal, self.sink)?;
        let place = Some(self.contents.place(literal));
        Some(self.push(Node::new(NodeKind::Source { value }, place), literal))
    }

    fn resource(&mut self, resource: &'a Resource, sink: bool) -> u32 {
        let parameters = match resource.parameters {
            Some(parameters) => self.contents.parameters(parameters, self.sink),
            None => self.contents.nothing(),
        };
        let uri = self.contents.uri(resource.uri);
        let kind =
            if sink { NodeKind::Sink { uri, parameters } } else { NodeKind::Resource { uri, parameters } };
        self.push(Node::new(kind, Some(self.contents.place(resource.uri))), resource.uri)
    }

    // --- nodes and edges ------------------------------------------------------------------------------------------

    fn push(&mut self, node: Node, token: TokenId) -> u32 {
        if self.nodes.len() >= MOST_NODES {
            let message = format!("the flow has more than {MOST_NODES} steps");
            self.stop(token, &message, "declared subflows may expand to more than they seem to");
            return 0;
        }
        self.nodes.push(node);
        self.node_tokens.push(token);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    fn connect(&mut self, from: u32, to: u32, token: TokenId) {
        if self.full {
            return;
        }
        if self.edges.len() >= MOST_EDGES {
            let message = format!("the flow has more than {MOST_EDGES} edges");
            let help =
                "a label connects each of its outputs with each of its inputs; put a task between them";
            return self.stop(token, &message, help);
        }
        self.edges.push((from, to));
    }

    fn stop(&mut self, token: TokenId, message: &str, help: &str) {
        if !self.full {
            self.sink.error_at(Code::Limit, self.contents.token(token), message).help(help);
            self.full = true;
        }
    }

    /// Compiles the subflows that nothing invokes, only to see what is wrong with them, and says that of what is
    /// declared nothing invokes it.
    fn check_what_is_not_invoked(&mut self) {
        self.checks_only = true;
        let names: HashSet<&str> = self.contents.names().take(SEARCHED).collect();
        for (name, declaration) in self.declarations.not_invoked() {
            if let Some(parameters) = declaration.parameters {
                self.contents.parameters(parameters, self.sink);
            }
            if let Some(alias) = declaration.alias {
                self.resolve(name, alias);
            }
            if let Some(subflow) = &declaration.subflow {
                let (nodes, edges) = (self.nodes.len(), self.edges.len());
                let around = Around { iterate: false, merge: false, guard: None };
                self.expand(name, subflow, declaration.name, around);
                self.nodes.truncate(nodes);
                self.node_tokens.truncate(nodes);
                self.edges.truncate(edges);
            }
            if !self.readable {
                continue;
            }
            let near = self.near(name, names.iter().copied().filter(|other| *other != name));
            let token = self.contents.token(declaration.name);
            let message = format!("nothing invokes the task `{name}`");
            let warning = self.sink.warn_at(Code::UnusedDeclaration, token, message);
            if let Some(near) = near {
                warning.help(format!("is it what `{near}` was meant to be?"));
            }
        }
        self.checks_only = false;
    }
}

impl<'a> Compiler<'a, '_> {
    /// The name that a wrong one was most likely meant to be, as far as it is searched for.
    fn near(&mut self, wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        self.searches = self.searches.checked_sub(1)?;
        if wrong.len() > LONGEST_SEARCHED {
            return None;
        }
        nearest(wrong, known.take(SEARCHED).filter(|name| name.len() <= LONGEST_SEARCHED))
    }
}

/// The token that a step is known by.
fn first_token(step: &Step) -> TokenId {
    match &step.body {
        Body::Task(task) | Body::Group(task, _) => task.name,
        Body::Subflow(subflow) => subflow.open,
    }
}

/// The way from one name to the next; of a long one, both ends.
fn shown(way: &[&str]) -> String {
    const LONGEST: usize = 8;
    if way.len() <= LONGEST {
        return way.join(" → ");
    }
    let (first, last) = (way.get(..3).unwrap_or_default(), way.last().copied().unwrap_or_default());
    format!("{} → … → {last}", first.join(" → "))
}
