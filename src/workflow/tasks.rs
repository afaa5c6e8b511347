//! The tasks that a program hosts.

use super::policy::Policy;
use super::{Definition, Error, Task, definition};
use crate::flow::Graph;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::Arc;

/// The kinds of tasks that a program hosts, by name.
///
/// A name is taken by the task of exactly that name, else by the longest namespace (`a:b:*` before `a:*`), else by `*`.
///
/// ```
/// use mape::workflow::{Task, Tasks};
/// let tasks = Tasks::new().with(Task::echo("copy")).with(Task::echo("math:*"));
/// assert_eq!(tasks.find("math:add").map(Task::name), Some("math:*"));
/// assert!(tasks.find("mathematics").is_none());
/// // What others do is left to them.
/// let tasks = Tasks::new().with(Task::echo("*")).leaving("wait:*");
/// assert!(tasks.find("brew").is_some() && tasks.find("wait:delay").is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    kinds: Vec<Task>,
    by_name: HashMap<Arc<str>, Kind, RandomState>,
    /// Those that take a namespace, by its name without `:*`.
    by_space: HashMap<Arc<str>, Kind, RandomState>,
    others: bool,
    /// Those that workers of this program carry out, by the events that announce them.
    announced: Option<Arc<Self>>,
}

/// Which task takes a name: the place of one, or none that is here.
type Kind = Option<usize>;

impl Tasks {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those with this one too; it takes the place of one of the same name.
    #[must_use]
    pub fn with(mut self, task: Task) -> Self {
        if let Some(held) = self.by_name.get(&task.name).and_then(|at| self.kinds.get_mut((*at)?)) {
            *held = task;
        } else {
            let at = self.kinds.len();
            self.name(&task.name.clone(), Some(at));
            self.kinds.push(task);
        }
        self
    }

    /// Those without what is called so, or, with `:*`, is in a namespace: that is left to others, unless a task of a more
    /// exact name takes it.
    #[must_use]
    pub fn leaving(mut self, name: &str) -> Self {
        self.name(name, None);
        self
    }

    fn name(&mut self, name: &str, kind: Kind) {
        self.by_name.insert(name.into(), kind);
        if let Some(space) = name.strip_suffix(":*") {
            self.by_space.insert(space.into(), kind);
        }
    }

    /// Those with all of these too.
    #[must_use]
    pub fn with_all(self, tasks: impl IntoIterator<Item = Task>) -> Self {
        tasks.into_iter().fold(self, Self::with)
    }

    /// Those with all that is hosted elsewhere, whatever that is: no flow is refused for a task that is not here. It
    /// waits for who ends it ([`Workflows::end`](super::Workflows::end)).
    #[must_use]
    pub fn and_others(mut self) -> Self {
        self.others = true;
        self
    }

    /// The task that takes a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Task> {
        match self.announced.as_ref().and_then(|announced| announced.find(name)) {
            Some(task) => Some(task),
            None => self.position(name).and_then(|at| self.kinds.get(at)),
        }
    }

    /// Those in none of these namespaces, which know those that are; and those that are, a set for each.
    pub(super) fn split<'s>(
        &self,
        spaces: impl IntoIterator<Item = &'s str>,
    ) -> (Self, Vec<(&'s str, Self)>) {
        let within = |task: &Task, space: &str| {
            task.name.strip_prefix(space).is_some_and(|rest| rest.starts_with(':'))
        };
        let mut apart = Vec::new();
        let mut hosted = Self { others: self.others, ..Self::default() };
        let mut announced = Self::default();
        let mut rest: Vec<Task> = self.kinds.clone();
        for space in spaces {
            let (of_space, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|task| within(task, space));
            rest = others;
            if !of_space.is_empty() {
                announced = announced.with_all(of_space.iter().cloned());
                apart.push((space, Self::default().with_all(of_space)));
            }
        }
        hosted = hosted.with_all(rest);
        hosted.announced = Some(Arc::new(announced));
        (hosted, apart)
    }

    /// The place of the task that takes a name in this process.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        if self.announced.as_ref().is_some_and(|announced| announced.position(name).is_some()) {
            return None;
        }
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let mut space = name;
        while let Some((before, _)) = space.rsplit_once(':') {
            if let Some(at) = self.by_space.get(before) {
                return *at;
            }
            space = before;
        }
        self.by_name.get("*").copied().flatten()
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Task> {
        self.kinds.iter()
    }

    /// The definition of a run of this flow: every task is there, every policy is one, and the built-in
    /// tasks have the parameters that are stated, as far as that shows before data are put in.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownTask`] with what there is, [`Error::Policy`], [`Error::Parameters`].
    pub fn define(&self, graph: impl Into<Arc<Graph>>) -> Result<Definition, Error> {
        let none: (Policy, &'static [&'static str]) = (Policy::default(), &[]);
        let known = |name: &str| self.find(name).map_or(none.clone(), |task| (task.policy.clone(), task.own));
        let definition = Definition::with(graph.into(), known)?;
        self.check(&definition)?;
        let wrong = self.wrong_parameters(definition.graph());
        if wrong.is_empty() { Ok(definition) } else { Err(Error::Parameters { wrong }) }
    }

    /// What the tasks that know their parameters say of those in a flow.
    fn wrong_parameters(&self, graph: &Graph) -> Vec<String> {
        let mut wrong = Vec::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            let Some(name) = definition::task_of(node.kind()) else { continue };
            let Some(task) = self.find(name) else { continue };
            let label = graph.label(index);
            let reasons = task.wrong(name, &definition::parameters_of(node.kind()));
            wrong.extend(reasons.iter().map(|reason| format!("{label}{reason}")));
        }
        wrong
    }

    /// Whether every task of a definition is there.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownTask`].
    pub fn check(&self, definition: &Definition) -> Result<(), Error> {
        if self.others {
            return Ok(());
        }
        let nodes = definition.graph().nodes().iter();
        let names = nodes.filter_map(|node| definition::task_of(node.kind()));
        let mut missing: Vec<String> =
            names.filter(|name| self.find(name).is_none()).map(str::to_owned).collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let mut known: Vec<String> = self.kinds.iter().map(|task| task.name.to_string()).collect();
        known.sort();
        Err(Error::UnknownTask { missing, known })
    }
}
