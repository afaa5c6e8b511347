//! What `@flow` and `@task` say, and what a name stands for.

use super::super::diagnostic::Code;
use super::super::token::TokenId;
use super::super::tree::{Declaration, Item, Kind, Statement, Subflow, Tree};
use super::{Compiler, shown};
use foldhash::{HashMap, HashSet};
use serde_json::Value;
use std::sync::Arc;

/// Aliases of aliases that are followed.
const LONGEST_CHAIN: usize = 64;

#[derive(Default)]
pub(super) struct Declarations<'a> {
    /// Name, documentation and parameters of the flow.
    pub(super) flow: Option<(Option<String>, Option<String>, Option<Value>)>,
    tasks: HashMap<&'a str, &'a Declaration>,
    /// Their names in the order of the text.
    order: Vec<&'a str>,
    invoked: HashSet<&'a str>,
    resolved: HashMap<&'a str, Resolved<'a>>,
    /// Entries of defaults that were copied into parameters.
    pub(super) copied: usize,
}

/// What a name stands for.
#[derive(Clone)]
pub(super) struct Resolved<'a> {
    pub(super) name: Arc<str>,
    pub(super) is_alias: bool,
    /// `{}` without any.
    pub(super) defaults: Arc<Value>,
    pub(super) doc: Option<Arc<str>>,
    /// A declared subflow, and the name it is declared by.
    pub(super) subflow: Option<(&'a str, &'a Subflow)>,
}

impl<'a> Declarations<'a> {
    /// Tasks that are declared and not invoked, with their declarations, in the order of the text.
    pub(super) fn not_invoked(&self) -> Vec<(&'a str, &'a Declaration)> {
        let names = self.order.iter().filter(|name| !self.invoked.contains(*name));
        names.filter_map(|name| Some((*name, *self.tasks.get(name)?))).collect()
    }
}

impl<'a> Compiler<'a, '_> {
    /// Takes in all declarations of a text; gives its statements.
    pub(super) fn declare(&mut self, tree: &'a Tree) -> Vec<&'a Statement> {
        let mut statements = Vec::new();
        for item in &tree.items {
            match item {
                Item::Statement(statement) => statements.push(statement),
                Item::Declaration(declaration) => match declaration.kind {
                    Kind::Flow => self.declare_flow(declaration),
                    Kind::Task => self.declare_task(declaration),
                    Kind::Unknown => {}
                },
            }
        }
        statements
    }

    fn declare_flow(&mut self, declaration: &'a Declaration) {
        let at = self.contents.token(declaration.at);
        let refused = if self.declarations.flow.is_some() {
            Some(("there can be only one `@flow`", "take the other one away"))
        } else if declaration.alias.is_some() {
            Some((
                "`@flow` only names the flow",
                "take `= …` away; `@task name = other` gives tasks other names",
            ))
        } else if declaration.subflow.is_some() {
            Some((
                "`@flow` has no subflow",
                "write its statements without `{ }`; what is not declared is the flow",
            ))
        } else {
            None
        };
        if let Some((message, help)) = refused {
            self.sink.error_at(Code::Declaration, at, message).help(help);
            return;
        }
        let name = self.contents.text_of(declaration.name).to_owned();
        let doc = declaration.documentation.map(|doc| self.contents.documentation(doc).to_string());
        let parameters = declaration.parameters.map(|parameters| {
            let value = self.contents.parameters(parameters, self.sink);
            Value::clone(&value)
        });
        self.declarations.flow = Some((Some(name), doc, parameters));
    }

    fn declare_task(&mut self, declaration: &'a Declaration) {
        let name = self.contents.text_of(declaration.name);
        let at = self.contents.token(declaration.at);
        if declaration.alias.is_some() && declaration.subflow.is_some() {
            let message = format!("`{name}` cannot be both another task and a subflow");
            self.sink.error_at(Code::Declaration, at, message).help("take either `= …` or `{ … }` away");
        }
        if let (Some(parameters), Some(_)) = (declaration.parameters, &declaration.subflow) {
            let message = format!("`{name}` is a subflow: no task in it gets these parameters");
            let token = self.contents.parameters_token(parameters);
            let help = "give them to the tasks in it";
            self.sink.warn_at(Code::UnusedParameters, token, message).help(help);
        }
        if let Some(first) = self.declarations.tasks.get(name) {
            let line = self.contents.place(first.at).0;
            let message = format!("the task `{name}` is declared already, in line {line}");
            self.sink.error_at(Code::Declaration, at, message).help("make one declaration of the two");
            return;
        }
        self.declarations.tasks.insert(name, declaration);
        self.declarations.order.push(name);
    }

    /// What a name that is written at `at` stands for.
    pub(super) fn resolve(&mut self, written: &'a str, at: TokenId) -> Resolved<'a> {
        if !self.declarations.tasks.contains_key(written) {
            let defaults = self.contents.nothing();
            return Resolved { name: written.into(), is_alias: false, defaults, doc: None, subflow: None };
        }
        if !self.checks_only {
            self.mark_invoked(written);
        }
        if let Some(known) = self.declarations.resolved.get(written) {
            return known.clone();
        }
        // From the name as it is written to what it stands for in the end.
        let mut chain: Vec<(&'a str, &'a Declaration)> = Vec::new();
        let mut name = written;
        while let Some(declaration) = self.declarations.tasks.get(name).copied() {
            let known = chain.iter().position(|(earlier, _)| *earlier == name);
            if known.is_some() || chain.len() >= LONGEST_CHAIN {
                let names: Vec<&str> = chain.iter().skip(known.unwrap_or(0)).map(|(name, _)| *name).collect();
                let names = [names.as_slice(), &[name]].concat();
                let token = chain.get(known.unwrap_or(0)).and_then(|(_, first)| first.alias).unwrap_or(at);
                let token = self.contents.token(token);
                let (code, message) = match known {
                    Some(_) => {
                        (Code::Recursion, format!("`{name}` is another name of itself: {}", shown(&names)))
                    }
                    None => (Code::Limit, format!("more than {LONGEST_CHAIN} names stand for one another")),
                };
                self.sink
                    .error_at(code, token, message)
                    .help("let one of them stand for the task that is meant");
                break;
            }
            chain.push((name, declaration));
            match declaration.alias {
                Some(alias) if declaration.subflow.is_none() => name = self.contents.text_of(alias),
                _ => break,
            }
        }
        let is_alias = name != written;
        let defaults = self.contents.nothing();
        let mut resolved = Resolved { name: name.into(), is_alias, defaults, doc: None, subflow: None };
        for (declared, declaration) in chain.iter().rev() {
            if let Some(doc) = declaration.documentation {
                resolved.doc = Some(self.contents.documentation(doc));
            }
            if let Some(subflow) = &declaration.subflow {
                resolved.subflow = Some((declared, subflow));
            } else {
                resolved.defaults = self.merged(&resolved, declaration.parameters);
            }
        }
        self.declarations.resolved.insert(written, resolved.clone());
        resolved
    }

    fn mark_invoked(&mut self, written: &'a str) {
        let mut name = written;
        while self.declarations.invoked.insert(name) {
            let alias = self.declarations.tasks.get(name).and_then(|declaration| declaration.alias);
            match alias {
                Some(alias) => name = self.contents.text_of(alias),
                None => break,
            }
        }
    }
}
