//! Declarations read from text, with the places of what is wrong.

use super::{InvalidPipelines, Pipelines};
use serde_json::Value;

/// The longest text.
const LONGEST: usize = 1024 * 1024;

impl Pipelines {
    /// Reads JSON, and checks it.
    ///
    /// # Errors
    /// [`InvalidPipelines`], with the place.
    pub fn from_json(text: &str) -> Result<Self, InvalidPipelines> {
        is_short(text)?;
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            // serde_json ends its messages with the place, which ours begin with.
            let message = full.split(" at line ").next().unwrap_or(&full);
            InvalidPipelines::new("", format!("it is no JSON: {message}"))
                .at(Some((error.line(), error.column())))
        })?;
        Self::from_value(value).map_err(|invalid| {
            #[cfg(any(feature = "flow", feature = "config"))]
            let at = super::yaml::Tree::read(text).ok().map(|tree| tree.place(&invalid.path));
            #[cfg(not(any(feature = "flow", feature = "config")))]
            let at = None;
            invalid.at(at)
        })
    }

    /// Reads YAML, which may be JSON, and checks it. Tags are refused.
    ///
    /// # Errors
    /// [`InvalidPipelines`], with the place.
    #[cfg(any(feature = "flow", feature = "config"))]
    pub fn from_yaml(text: &str) -> Result<Self, InvalidPipelines> {
        is_short(text)?;
        let tree = super::yaml::Tree::read(text)?;
        Self::from_value(tree.to_json()).map_err(|invalid| {
            let at = tree.place(&invalid.path);
            invalid.at(Some(at))
        })
    }

    fn from_value(value: Value) -> Result<Self, InvalidPipelines> {
        if !value.is_object() {
            let message = "it is no declaration: write `jobs` and `results` with a list each, or {} for none";
            return Err(InvalidPipelines::new("", message));
        }
        let read: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            InvalidPipelines::new(if path == "." { "" } else { &path }, error.inner().to_string())
        })?;
        read.check()?;
        Ok(read)
    }
}

fn is_short(text: &str) -> Result<(), InvalidPipelines> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    Err(InvalidPipelines::new("", format!("a declaration has at most {LONGEST} bytes, not {}", text.len())))
}
