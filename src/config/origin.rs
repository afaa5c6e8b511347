//! Where a value comes from.

use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// The layer that gave a value, as exactly as it is known.
///
/// Shown as `default`, `config.yaml:3`, `MAPE_REST__ADDRESS`, `--backend` or `code`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// A line of the configuration file.
    File {
        /// The file, as it was named.
        file: PathBuf,
        /// The line, from 1; 0 where it is not known.
        line: u64,
    },
    /// A variable of the environment.
    Variable {
        /// Its whole name.
        name: String,
    },
    /// An option of the command line.
    Option {
        /// The option as it is written, e.g. `--backend`.
        name: String,
    },
    /// Set by the program.
    Code,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line: 0 } => write!(f, "{}", file.display()),
            Self::File { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Variable { name } | Self::Option { name } => f.write_str(name),
            Self::Code => f.write_str("code"),
        }
    }
}
