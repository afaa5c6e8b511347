//! The one layout of all flows.
//!
//! A statement or declaration is a line, as far as it fits; longer ones go on in lines that are indented and begin with
//! an arrow. A subflow stays in one line if it was begun in one and fits, else each of its statements has its own.
//! Literals, guards, documentation and comments stay as they are; single blank lines between statements do too.

mod printer;

use super::token::{Token, TokenId};
use super::tree::{
    Body, Declaration, Destination, Item, Parameters, Resource, Source, Statement, Step, Subflow, Target,
    Task, Tree,
};
use foldhash::{HashMap, HashMapExt};
use printer::{Gap, Printer};

/// Characters of a line.
const WIDTH: usize = 100;
/// By how much what belongs to something is indented.
const INDENT: usize = 2;

/// The text of a tree in its layout.
pub(super) fn format(text: &str, tokens: &[Token], tree: &Tree) -> String {
    let mut layout = Layout { printer: Printer::new(text, tokens), widths: HashMap::new() };
    for item in &tree.items {
        match item {
            Item::Declaration(declaration) => layout.declaration(declaration),
            Item::Statement(statement) => layout.statement(statement, Gap::Line(0)),
        }
    }
    layout.printer.finish()
}

struct Layout<'a> {
    printer: Printer<'a>,
    /// How long subflows are in one line, by their first token; nothing if they cannot be.
    widths: HashMap<TokenId, Option<usize>>,
}

impl Layout<'_> {
    fn declaration(&mut self, declaration: &Declaration) {
        self.printer.begin(0);
        self.printer.token(declaration.at, Gap::Line(0));
        self.printer.token(declaration.name, Gap::Blank);
        if let Some(alias) = declaration.alias {
            self.printer.token_before(alias, Gap::Blank);
            self.printer.token(alias, Gap::Blank);
        }
        self.parameters(declaration.parameters, Gap::Blank);
        self.optional(declaration.documentation, Gap::Blank);
        if let Some(subflow) = &declaration.subflow {
            self.subflow(subflow, Gap::Blank);
        }
        self.optional(declaration.semicolon, Gap::None);
    }

    fn statement(&mut self, statement: &Statement, gap: Gap) {
        if let Gap::Line(indent) = gap {
            self.printer.begin(indent);
        }
        let mut gap = gap;
        if let Some((source, arrow)) = &statement.source {
            match source {
                Source::Label(token) | Source::Literal(token) => self.printer.token(*token, gap),
                Source::Resource(resource) => self.resource(resource, gap),
            }
            let width = statement.steps.first().and_then(|(_, step)| self.step_width(step));
            self.arrow(*arrow, width);
            gap = Gap::Blank;
        }
        for (arrow, step) in &statement.steps {
            if let Some(arrow) = arrow {
                let width = self.step_width(step);
                self.arrow(*arrow, width);
                gap = Gap::Blank;
            }
            self.step(step, gap);
        }
        if let Some(Destination { arrow, merge, target }) = &statement.destination {
            let merged = if merge.is_some() { 2 } else { 0 };
            let width = match target {
                Target::Label(label) => self.printer.width(*label),
                Target::Resource(resource) => self.resource_width(resource),
            };
            self.arrow(*arrow, width.map(|width| width + merged));
            self.optional(*merge, Gap::Blank);
            match target {
                Target::Label(label) => self.printer.token(*label, Gap::Blank),
                Target::Resource(resource) => self.resource(resource, Gap::Blank),
            }
        }
        self.optional(statement.semicolon, Gap::None);
    }

    /// An arrow in this line if what follows fits behind it, or would not fit in the next one either.
    fn arrow(&mut self, arrow: TokenId, width: Option<usize>) {
        const ARROW: usize = 3;
        let fits = |column: usize| width.is_some_and(|width| column + ARROW + width <= WIDTH);
        let next = self.printer.continued();
        if fits(self.printer.column()) || !fits(next) {
            self.printer.token(arrow, Gap::Blank);
        } else {
            self.printer.token(arrow, Gap::Line(next));
        }
    }

    fn step(&mut self, step: &Step, gap: Gap) {
        let mut gap = gap;
        let guard = step.guard.map(|(question, guard)| [question, guard]).into_iter().flatten();
        for token in step.input.into_iter().chain(step.iterate).chain(step.merge).chain(guard) {
            self.printer.token(token, gap);
            gap = Gap::Blank;
        }
        match &step.body {
            Body::Task(task) => self.task(task, gap),
            Body::Group(first, others) => {
                self.task(first, gap);
                for (bar, task) in others {
                    self.printer.token(*bar, Gap::Blank);
                    self.task(task, Gap::Blank);
                }
            }
            Body::Subflow(subflow) => self.subflow(subflow, gap),
        }
        self.optional(step.output, Gap::Blank);
    }

    fn task(&mut self, task: &Task, gap: Gap) {
        self.printer.token(task.name, gap);
        self.parameters(task.parameters, Gap::None);
    }

    fn resource(&mut self, resource: &Resource, gap: Gap) {
        self.printer.token(resource.uri, gap);
        self.parameters(resource.parameters, Gap::None);
    }

    fn parameters(&mut self, parameters: Option<Parameters>, gap: Gap) {
        match parameters {
            Some(Parameters::Literal(literal)) => self.printer.token(literal, gap),
            Some(Parameters::Empty(open, close)) => {
                self.printer.token(open, gap);
                self.printer.token(close, Gap::None);
            }
            None => {}
        }
    }

    fn optional(&mut self, token: Option<TokenId>, gap: Gap) {
        if let Some(token) = token {
            self.printer.token(token, gap);
        }
    }

    fn subflow(&mut self, subflow: &Subflow, gap: Gap) {
        let width = self.subflow_width(subflow);
        let column = self.printer.column() + 1;
        let in_line = width.is_some_and(|width| column + width <= WIDTH);
        self.printer.token(subflow.open, gap);
        let indent = self.printer.indent();
        let (inner, outer) =
            if in_line { (Gap::Blank, Gap::Blank) } else { (Gap::Line(indent + INDENT), Gap::Line(indent)) };
        let around = self.printer.statement();
        for statement in &subflow.statements {
            self.statement(statement, inner);
        }
        self.printer.end(around);
        if let Some(close) = subflow.close {
            self.printer.closing(close, outer, indent + INDENT);
        }
    }

    // --- widths: nothing for what takes several lines ---------------------------------------------------------

    fn step_width(&mut self, step: &Step) -> Option<usize> {
        let before = [step.input, step.iterate, step.merge, step.guard.map(|(question, _)| question)];
        let guard = step.guard.map(|(_, guard)| guard);
        let mut width = 0;
        for token in before.into_iter().chain([guard, step.output]).flatten() {
            width += self.printer.width(token)? + 1;
        }
        Some(
            width
                + match &step.body {
                    Body::Task(task) => self.task_width(task)?,
                    Body::Group(first, others) => {
                        let mut tasks = self.task_width(first)?;
                        for (_, task) in others {
                            tasks += 3 + self.task_width(task)?;
                        }
                        tasks
                    }
                    Body::Subflow(subflow) => self.subflow_width(subflow)?,
                },
        )
    }

    fn task_width(&self, task: &Task) -> Option<usize> {
        Some(self.printer.width(task.name)? + self.parameters_width(task.parameters)?)
    }

    fn resource_width(&self, resource: &Resource) -> Option<usize> {
        Some(self.printer.width(resource.uri)? + self.parameters_width(resource.parameters)?)
    }

    fn parameters_width(&self, parameters: Option<Parameters>) -> Option<usize> {
        match parameters {
            Some(Parameters::Literal(literal)) => self.printer.width(literal),
            Some(Parameters::Empty(open, close)) => {
                Some(self.printer.width(open)? + self.printer.width(close)?)
            }
            None => Some(0),
        }
    }

    fn statement_width(&mut self, statement: &Statement) -> Option<usize> {
        let mut width = match &statement.source {
            Some((Source::Label(token) | Source::Literal(token), _)) => self.printer.width(*token)? + 3,
            Some((Source::Resource(resource), _)) => self.resource_width(resource)? + 3,
            None => 0,
        };
        for (arrow, step) in &statement.steps {
            width += self.step_width(step)? + if arrow.is_some() { 3 } else { 0 };
        }
        if let Some(Destination { merge, target, .. }) = &statement.destination {
            width += if merge.is_some() { 5 } else { 3 };
            width += match target {
                Target::Label(label) => self.printer.width(*label)?,
                Target::Resource(resource) => self.resource_width(resource)?,
            };
        }
        Some(width + usize::from(statement.semicolon.is_some()))
    }

    fn subflow_width(&mut self, subflow: &Subflow) -> Option<usize> {
        if let Some(known) = self.widths.get(&subflow.open) {
            return *known;
        }
        let width = self.measure(subflow);
        self.widths.insert(subflow.open, width);
        width
    }

    fn measure(&mut self, subflow: &Subflow) -> Option<usize> {
        let close = subflow.close?;
        if self.printer.breaks_behind(subflow.open) || self.printer.has_comment(subflow.open, close) {
            return None;
        }
        let mut width = 3;
        for statement in &subflow.statements {
            width += self.statement_width(statement)? + 1;
            if width > WIDTH {
                return None;
            }
        }
        Some(width)
    }
}
