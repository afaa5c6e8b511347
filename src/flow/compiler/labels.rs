//! Labels of one scope: what they connect, and what is wrong with them.

use super::super::diagnostic::Code;
use super::super::token::{Token, TokenId};
use super::Compiler;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// The flow at the top, or a subflow: labels do not reach beyond it.
pub(super) struct Scope<'a> {
    pub(super) entry: u32,
    /// What the end follows.
    pub(super) ends: Vec<u32>,
    pub(super) end_merges: bool,
    labels: Vec<Label<'a>>,
    places: HashMap<&'a str, usize>,
    /// Labels in what could not be read.
    unread: HashSet<&'a str>,
}

#[derive(Default)]
struct Label<'a> {
    name: &'a str,
    /// What its outputs leave: of `A :x` and of `A → :x`.
    outputs: Vec<u32>,
    /// What its inputs enter: of `:x A` and of `:x → A`.
    inputs: Vec<u32>,
    /// `A :x`
    behind: Option<TokenId>,
    /// `:x A`
    before: Option<TokenId>,
    /// `:x → A`
    sources: Vec<TokenId>,
    /// `A → :x`
    destinations: Vec<TokenId>,
    merges: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(entry: u32) -> Self {
        Self {
            entry,
            ends: Vec::new(),
            end_merges: false,
            labels: Vec::new(),
            places: HashMap::new(),
            unread: HashSet::new(),
        }
    }

    /// Labels that stand in what could not be read.
    pub(super) fn pass(&mut self, labels: impl Iterator<Item = &'a str>) {
        self.unread.extend(labels);
    }

    /// `:x A`; gives an earlier one.
    pub(super) fn input(&mut self, name: &'a str, token: TokenId, entry: u32) -> Option<TokenId> {
        let label = self.label(name)?;
        label.inputs.push(entry);
        let earlier = label.before;
        label.before.get_or_insert(token);
        earlier
    }

    /// `A :x`; gives an earlier one.
    pub(super) fn output(&mut self, name: &'a str, token: TokenId, exit: u32) -> Option<TokenId> {
        let label = self.label(name)?;
        label.outputs.push(exit);
        let earlier = label.behind;
        label.behind.get_or_insert(token);
        earlier
    }

    /// `:x → A`
    fn source(&mut self, name: &'a str, token: TokenId, entry: u32) {
        if let Some(label) = self.label(name) {
            label.inputs.push(entry);
            label.sources.push(token);
        }
    }

    /// `A → :x`
    pub(super) fn destination(&mut self, name: &'a str, token: TokenId, exit: u32, merge: bool) {
        if let Some(label) = self.label(name) {
            label.outputs.push(exit);
            label.destinations.push(token);
            label.merges |= merge;
        }
    }

    fn label(&mut self, name: &'a str) -> Option<&mut Label<'a>> {
        let next = self.labels.len();
        let at = *self.places.entry(name).or_insert(next);
        if at == next {
            self.labels.push(Label { name, ..Label::default() });
        }
        self.labels.get_mut(at)
    }
}

impl<'a> Compiler<'a, '_> {
    /// The statement begins with a label.
    pub(super) fn source_label(&mut self, label: TokenId, entry: u32, scope: &mut Scope<'a>) {
        match self.contents.label(label) {
            "start" => self.connect(scope.entry, entry, label),
            "end" => {
                let help = "nothing follows the end; take `:end →` away, or use another label";
                let message = "`:end` is the end of the flow, and begins no statement";
                self.sink.error_at(Code::ReservedLabel, self.contents.token(label), message).help(help);
            }
            name => scope.source(name, label, entry),
        }
    }

    /// Whether a label can stand next to a step; if not, that is reported.
    pub(super) fn is_free(&mut self, label: TokenId, side: &str) -> bool {
        let name = self.contents.label(label);
        let help = match (name, side) {
            ("start", "before") => "write `:start → …`; a statement without a label begins there too",
            ("end", "before") => "put `;` behind `:end` if the next task begins a new statement",
            ("end", _) => "write `… → :end`; a statement without a label ends there too",
            ("start", _) => "write `… → :start` to go back there",
            _ => return true,
        };
        let message = format!("`:{name}` cannot stand {side} a task: it is the {name} of the flow");
        self.sink.error_at(Code::ReservedLabel, self.contents.token(label), message).help(help);
        false
    }

    /// Reports a label that stands twice on the same side of tasks.
    pub(super) fn twice(&mut self, label: TokenId, earlier: Option<TokenId>, what: &str, side: &str) {
        let Some(earlier) = earlier else { return };
        let name = self.contents.label(label);
        let (line, column) = self.contents.place(earlier);
        let message = format!("`:{name}` labels an {what} already, at {line}:{column}");
        let help = if side == "behind" {
            format!(
                "put `;` before it if it begins a statement, or write `→ :{name}` if something goes there"
            )
        } else {
            format!("write `:{name} → …` to begin several tasks with what goes there")
        };
        self.sink.error_at(Code::DuplicateLabel, self.contents.token(label), message).help(help);
    }

    /// Makes the edges of all labels of a scope.
    pub(super) fn connect_labels(&mut self, scope: &Scope<'a>) {
        let mut suggested: HashSet<&str> = HashSet::new();
        for label in &scope.labels {
            if label.merges {
                for input in &label.inputs {
                    if let Some(node) = self.nodes.get_mut(*input as usize) {
                        node.merge = true;
                    }
                }
            }
            let token = label.destinations.first().or(label.behind.as_ref()).copied().unwrap_or(TokenId(0));
            for output in &label.outputs {
                for input in &label.inputs {
                    if self.full {
                        return;
                    }
                    self.connect(*output, *input, token);
                }
            }
            if !scope.unread.contains(label.name) {
                suggested.extend(self.check_label(label, scope));
            }
        }
        // What another label was most likely meant to be is not without use.
        for label in &scope.labels {
            if !scope.unread.contains(label.name) && !suggested.contains(label.name) {
                self.warn_of_unused(label);
            }
        }
    }

    /// Reports a label that has only one side; gives the one that it was most likely meant to be.
    fn check_label(&mut self, label: &Label<'a>, scope: &Scope<'a>) -> Option<&'a str> {
        let name = label.name;
        let lacks_output = label.outputs.is_empty();
        let (tokens, message, elsewhere) = if lacks_output {
            let message = format!("nothing goes to `:{name}`, so nothing can begin with it");
            let help =
                format!("`:{name}` is an input here; write `A :{name}` or `A → :{name}` where it comes from");
            (&label.sources, message, label.before.map(|_| help))
        } else if label.inputs.is_empty() {
            let message = format!("nothing begins with `:{name}`, so nothing can go there");
            let help =
                format!("`:{name}` is an output here; write `:{name} A` or `:{name} → A` where it leads to");
            (&label.destinations, message, label.behind.map(|_| help))
        } else {
            return None;
        };
        let first = tokens.first()?;
        let fits = |label: &&Label<'_>| {
            !if lacks_output { label.outputs.is_empty() } else { label.inputs.is_empty() }
        };
        let near = match elsewhere {
            Some(_) => None,
            None => self.near(name, scope.labels.iter().filter(fits).map(|label| label.name)),
        };
        let help = match near {
            Some(near) => Some(format!("did you mean the label `:{near}`?")),
            None => elsewhere.or_else(|| self.in_another_scope(*first, tokens.len())),
        };
        for token in tokens {
            let error = self.sink.error_at(Code::UnknownLabel, self.contents.token(*token), message.as_str());
            if let Some(help) = &help {
                error.help(help.as_str());
            }
        }
        near
    }

    /// Help for a label that is there more often than in its own scope.
    fn in_another_scope(&self, label: TokenId, here: usize) -> Option<String> {
        if self.searches == 0 {
            return None;
        }
        let written = self.contents.text_of(label);
        let same = self.contents.tokens.iter().filter(|token| token.text(self.contents.text) == written);
        let elsewhere = same.take(here + 1).count() > here;
        elsewhere.then(|| {
            format!("`{written}` is in another `{{ }}`; labels do not reach into or out of a subflow")
        })
    }

    fn warn_of_unused(&mut self, label: &Label<'a>) {
        let name = label.name;
        let (token, message, help) = match (label.behind, label.before) {
            // That it belongs to what it belongs to was a surprise then.
            (Some(token), _) if self.is_line_end(token, Side::Before) => return,
            (_, Some(token)) if self.is_line_end(token, Side::Behind) => return,
            (Some(token), _) if label.inputs.is_empty() => {
                let message = format!("`:{name}` labels an output that nothing takes");
                (token, message, format!("take it away, or write `:{name} → …`"))
            }
            (_, Some(token)) if label.outputs.is_empty() => {
                let message = format!("`:{name}` labels an input that nothing goes to");
                (token, message, format!("take it away, or write `… → :{name}`"))
            }
            _ => return,
        };
        self.sink.warn_at(Code::UnusedLabel, self.contents.token(token), message).help(help);
    }

    /// Warns of a label that belongs to a task in another line.
    pub(super) fn check_layout(&mut self, label: TokenId, side: Side) {
        if !self.is_line_end(label, side) {
            return;
        }
        let name = self.contents.label(label);
        let (message, help) = match side {
            Side::Before => (
                format!("`:{name}` labels the output of what stands in the line before"),
                format!("put `;` before `:{name}` if it begins a statement, or write it in that line"),
            ),
            Side::Behind => (
                format!("`:{name}` labels the input of what stands in the next line"),
                format!("put `;` behind `:{name}` if the statement ends there, or write it in that line"),
            ),
        };
        self.sink.warn_at(Code::MisleadingLayout, self.contents.token(label), message).help(help);
    }

    /// Whether the line of the text ends on that side of a token.
    fn is_line_end(&self, id: TokenId, side: Side) -> bool {
        let at = id.0 as usize;
        let ends = |tokens: &mut dyn Iterator<Item = &Token>| {
            tokens
                .take_while(|token| token.is_trivia())
                .any(|token| token.text(self.contents.text).contains('\n'))
        };
        let tokens = self.contents.tokens;
        match side {
            Side::Before => ends(&mut tokens.get(..at).unwrap_or_default().iter().rev()),
            Side::Behind => ends(&mut tokens.get(at + 1..).unwrap_or_default().iter()),
        }
    }
}

/// A side of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    Behind,
}
