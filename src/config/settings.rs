//! The effective configuration.

use super::builder::{lay, single};
use super::node::Node;
use super::{
    Backend, Builder, Error, Explanation, Influxdb, Live, Model, Origin, Problem, Queue, Rest, Telemetry,
    Workflow, read,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt;

/// The effective configuration: the sections this crate knows as fields, and every key by [`get`](Self::get).
///
/// The fields are what was read; a program that wants to change a value uses [`set`](Self::set), which checks it and
/// remembers where it came from.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Log everything, as if `telemetry.log` were `debug`. Default: `false`.
    pub debug: bool,
    /// Where channels, knowledge and events live.
    pub backend: Backend,
    /// The HTTP service.
    pub rest: Rest,
    /// The InfluxDB sink.
    pub influxdb: Influxdb,
    /// The workflow engine.
    pub workflow: Workflow,
    /// The live server.
    pub live: Live,
    /// The task queues, by name. Default: none.
    pub queues: BTreeMap<String, Queue>,
    /// The models that judge what flows, by name. Default: none.
    pub models: BTreeMap<String, Model>,
    /// Logs.
    pub telemetry: Telemetry,
    tree: Node,
}

impl Config {
    /// Reads `config.yaml` in the working directory, if there is one, and the environment.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn load() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Chooses what is read.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The value of a dotted key as a `T`; a section as a struct, a map or [`serde_json::Value`].
    ///
    /// # Errors
    /// [`Error::Missing`] where nobody set the key, [`Error::Invalid`] where its value does not fit. A key that may be
    /// absent is asked for with [`find`](Self::find).
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        match self.find(key)? {
            Some(value) => Ok(value),
            None => Err(self.missing(key)),
        }
    }

    /// The value of a dotted key as a `T`, or `None` where nobody set it, or set it to nothing (`null`).
    ///
    /// # Errors
    /// [`Error::Invalid`] where the value does not fit.
    ///
    /// ```
    /// # use mape::config::Config;
    /// let config = Config::builder().text("cars: {limit: 50}").without_environment().build()?;
    /// assert_eq!(config.find::<f64>("cars.limit")?, Some(50.0));
    /// assert_eq!(config.find::<f64>("cars.minimum")?, None);
    /// # Ok::<(), mape::config::Error>(())
    /// ```
    pub fn find<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        match self.tree.at(key) {
            None => Ok(None),
            Some(node) => read::read::<Option<T>>(key, node).map_err(|problem| Error::Invalid(vec![problem])),
        }
    }

    /// Sets a dotted key, over every other layer.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the key does not exist in a known section or the value does not fit; the
    /// configuration is then as it was.
    pub fn set(&mut self, key: &str, value: impl Serialize) -> Result<(), Error> {
        let value = serde_json::to_value(value)
            .map_err(|error| Error::Invalid(vec![Problem::new(key, &Origin::Code, error.to_string())]))?;
        let mut problems = Vec::new();
        let layer = single(key, value, &Origin::Code).map_err(|problem| Error::Invalid(vec![problem]))?;
        let mut tree = self.tree.clone();
        lay(&mut tree, layer, &defaults(), &mut problems);
        *self = Self::from_tree(tree, problems)?;
        Ok(())
    }

    /// An error that says that the value at a dotted key is wrong, with where it comes from: for what a program finds out
    /// only when it uses it. Items of a list are called by their numbers, as in `live.pipelines.jobs[0].stages`.
    ///
    /// ```
    /// # use mape::config::Config;
    /// let config = Config::builder().text("cars:\n  limits:\n    - 50\n    - 500\n").without_environment().build()?;
    /// let error = config.wrong("cars.limits[1]", "`cars.limits[1]` must be at most 130");
    /// assert_eq!(error.to_string(), "config.yaml:4: `cars.limits[1]` must be at most 130");
    /// # Ok::<(), mape::config::Error>(())
    /// ```
    #[must_use]
    pub fn wrong(&self, key: &str, message: impl Into<String>) -> Error {
        Error::Invalid(vec![Problem::new(key, self.tree.nearest(key), message)])
    }

    /// Every effective value and where it comes from, without secrets.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        Explanation::new(&self.tree, &defaults())
    }

    /// Reads the sections of a tree that holds every default; all that is wrong with it is one error.
    pub(super) fn from_tree(tree: Node, mut problems: Vec<Problem>) -> Result<Self, Error> {
        let config = Self {
            debug: section(&tree, "debug", &mut problems),
            backend: section(&tree, "backend", &mut problems),
            rest: section(&tree, "rest", &mut problems),
            influxdb: section(&tree, "influxdb", &mut problems),
            workflow: section(&tree, "workflow", &mut problems),
            live: section(&tree, "live", &mut problems),
            queues: section(&tree, "queues", &mut problems),
            models: section(&tree, "models", &mut problems),
            telemetry: section(&tree, "telemetry", &mut problems),
            tree,
        };
        if problems.is_empty() { Ok(config) } else { Err(Error::Invalid(problems)) }
    }

    fn missing(&self, key: &str) -> Error {
        let explanation = self.explain();
        Error::missing(
            key,
            explanation.entries().iter().map(|entry| entry.key.as_str()).filter(|known| *known != key),
        )
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.explain().entries().iter().map(|entry| (&entry.key, &entry.value)))
            .finish()
    }
}

/// Reads a section; where that fails, the problem is noted unless its keys were already found wrong.
fn section<T: DeserializeOwned + Default>(tree: &Node, name: &str, problems: &mut Vec<Problem>) -> T {
    let Some(node) = tree.at(name) else { return T::default() };
    read::read(name, node).unwrap_or_else(|problem| {
        if problems.iter().all(|known| known.key != problem.key) {
            problems.push(problem);
        }
        T::default()
    })
}

/// Every key of every known section with its default.
pub(super) fn defaults() -> Node {
    let sections = [
        ("debug", Json::Bool(false)),
        ("backend", json(&Backend::default())),
        ("rest", json(&Rest::default())),
        ("influxdb", json(&Influxdb::default())),
        ("workflow", json(&Workflow::default())),
        ("live", json(&Live::default())),
        ("queues", Json::Object(serde_json::Map::new())),
        ("models", Json::Object(serde_json::Map::new())),
        ("telemetry", json(&Telemetry::default())),
    ];
    let map = sections.into_iter().map(|(name, keys)| (name.to_owned(), keys)).collect();
    Node::from_json(Json::Object(map), &Origin::Default)
}

/// Sections hold nothing that JSON cannot; a test compares the outcome with config.yaml.
fn json(section: &impl Serialize) -> Json {
    serde_json::to_value(section).unwrap_or_default()
}
