//! Which layers a configuration is made of.

use super::node::Node;
use super::{Config, Error, Origin, Problem, Server, alias, check, environment, settings, standard, yaml};
use serde::Serialize;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file that is read when nobody names one, if it is there.
const FILE: &str = "config.yaml";

/// Chooses the layers of a [`Config`]: the file, the environment, and values set in code.
///
/// Without any call it is what [`Config::load`] reads.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    file: File,
    environment: Option<Vec<(OsString, OsString)>>,
    server: Option<Server>,
    set: Vec<(String, Origin, Result<serde_json::Value, String>)>,
}

#[derive(Clone, Debug, Default)]
enum File {
    /// `config.yaml` in the working directory, if it is there.
    #[default]
    Usual,
    Named(PathBuf),
    Text(String),
    None,
}

impl Builder {
    /// Reads this file, which must exist, in place of `config.yaml` in the working directory.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = File::Named(file.into());
        self
    }

    /// Takes this text in place of a file. Errors call it `config.yaml`.
    pub fn text(mut self, yaml: impl Into<String>) -> Self {
        self.file = File::Text(yaml.into());
        self
    }

    /// Reads no file.
    pub fn without_file(mut self) -> Self {
        self.file = File::None;
        self
    }

    /// Takes these variables in place of those of the process; names without `MAPE_` in front are left alone, but for
    /// those that [others](super) have given.
    pub fn environment<N, V>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        self.environment =
            Some(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Takes no variable of the environment.
    pub fn without_environment(mut self) -> Self {
        self.environment = Some(Vec::new());
        self
    }

    /// Takes a Redis server from options such as `--host` and from variables such as `REDIS_HOST`, if any is there: it is
    /// `backend.url` then, over the environment and the file.
    ///
    /// ```
    /// # use mape::config::{Config, Server};
    /// let variables = [("REDIS_HOST", "db"), ("REDIS_PASSWORD", "hunter2"), ("MAPE_BACKEND__URL", "memory:")];
    /// let config = Config::builder().without_file().environment(variables).server(Server::default()).build()?;
    /// assert_eq!(config.backend.url.unwrap().expose(), "redis://db:6379/0");
    /// # Ok::<(), mape::config::Error>(())
    /// ```
    pub fn server(mut self, server: Server) -> Self {
        self.server = Some(server);
        self
    }

    /// Sets a dotted key, over the environment and the file. Of several calls for a key, the last one holds.
    ///
    /// A value that cannot be serialised is reported by [`build`](Self::build).
    pub fn set(self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.with(key.into(), value, Origin::Code)
    }

    /// Sets a dotted key like [`set`](Self::set), on behalf of an option of the command line such as `--backend`.
    pub fn option(self, option: impl Into<String>, key: impl Into<String>, value: impl Serialize) -> Self {
        self.with(key.into(), value, Origin::Option { name: option.into() })
    }

    fn with(mut self, key: String, value: impl Serialize, origin: Origin) -> Self {
        let value = serde_json::to_value(value).map_err(|error| error.to_string());
        self.set.push((key, origin, value));
        self
    }

    /// Reads the layers and checks what they say.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Syntax`] for the file; [`Error::Invalid`] with everything that is wrong in any of
    /// the layers, also where a later layer hides it.
    pub fn build(self) -> Result<Config, Error> {
        let defaults = settings::defaults();
        let mut problems = Vec::new();
        let mut tree = defaults.clone();
        lay(&mut tree, self.file.read()?, &defaults, &mut problems);

        let variables = self.environment.unwrap_or_else(environment::of_this_process);
        let sections: Vec<&str> = defaults
            .map()
            .into_iter()
            .flat_map(|map| map.keys().map(String::as_str))
            .chain([alias::SECTION])
            .collect();
        let server = self.server.map(|server| server.keys(&variables, &mut problems)).into_iter().flatten();
        let server: Vec<_> = server.map(|(key, origin, value)| (key.to_owned(), origin, Ok(value))).collect();
        for layer in standard::layers(&variables) {
            lay(&mut tree, layer, &defaults, &mut problems);
        }
        let layer = environment::layer(variables, &tree, &sections, &mut problems);
        lay(&mut tree, layer, &defaults, &mut problems);

        for (key, origin, value) in server.into_iter().chain(self.set) {
            match value
                .map_err(|error: String| Problem::new(&key, &origin, error))
                .and_then(|value| single(&key, value, &origin))
            {
                Ok(layer) => lay(&mut tree, layer, &defaults, &mut problems),
                Err(problem) => problems.push(problem),
            }
        }
        Config::from_tree(tree, problems)
    }
}

/// Lays a layer over a tree, with its aliases resolved and its keys checked.
pub(super) fn lay(tree: &mut Node, mut layer: Node, defaults: &Node, problems: &mut Vec<Problem>) {
    alias::resolve(&mut layer, problems);
    check::keys(&layer, defaults, problems);
    tree.merge(layer);
}

/// A layer that holds one key.
pub(super) fn single(key: &str, value: serde_json::Value, origin: &Origin) -> Result<Node, Problem> {
    let path: Vec<String> = key.split('.').map(String::from).collect();
    if path.iter().any(String::is_empty) {
        let problem = Problem::new(key, origin, format!("`{key}` is not a key"));
        return Err(problem.help("write section.key, such as `rest.address`"));
    }
    let mut layer = Node::empty(origin.clone());
    // An empty layer has nothing in the way.
    drop(layer.put(&path, Node::from_json(value, origin)));
    Ok(layer)
}

impl File {
    fn read(self) -> Result<Node, Error> {
        match self {
            Self::None => Ok(Node::empty(Origin::Default)),
            Self::Text(text) => yaml::file(&text, Path::new(FILE)),
            Self::Named(file) => match std::fs::read(&file) {
                Ok(bytes) => decode(&bytes, &file),
                Err(source) => Err(Error::Read { file, source }),
            },
            Self::Usual => match std::fs::read(FILE) {
                Ok(bytes) => decode(&bytes, Path::new(FILE)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Node::empty(Origin::Default)),
                Err(source) => Err(Error::Read { file: FILE.into(), source }),
            },
        }
    }
}

fn decode(bytes: &[u8], file: &Path) -> Result<Node, Error> {
    match std::str::from_utf8(bytes) {
        Ok(text) => yaml::file(text, file),
        Err(error) => {
            let good =
                String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned();
            let column = good.rsplit('\n').next().map_or(0, |line| line.chars().count());
            Err(Error::Syntax {
                file: file.to_owned(),
                line: u64::try_from(good.matches('\n').count()).unwrap_or(u64::MAX).saturating_add(1),
                column: u64::try_from(column).unwrap_or(u64::MAX).saturating_add(1),
                message: "the file is not UTF-8 from here on".to_owned(),
            })
        }
    }
}
