//! `mape config check`

use super::{Global, Output, Usage, served_models};
use anyhow::Result;
use mape::config::{Explanation, Origin};
use mape::live::{Pipelines, Rules};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn run(global: &Global, file: Option<&Path>, output: &mut Output) -> Result<()> {
    if file.is_some() && global.names_a_file() {
        return Err(Usage::error("two files are named: give one, as FILE or as --config FILE"));
    }
    let loaded = file.map_or_else(|| global.load(), |file| global.load_file(file));
    // What is written there in a language of its own is read, too.
    let checked = loaded.and_then(|config| {
        Rules::configured(&config)?;
        Pipelines::check_configured(&config)?;
        Ok(config)
    });
    let checked = match checked {
        Ok(config) => served_models::check(&config)?.map(|()| config),
        wrong => wrong,
    };
    match checked {
        Ok(config) => {
            let text = format!("the configuration is valid: {}", summary(&config.explain()));
            output.write(text, &json!({"valid": true, "problems": []}))
        }
        Err(error) => {
            if global.json {
                let value = json!({"valid": false, "error": error.to_string(), "problems": error.problems()});
                output.write("", &value)?;
            }
            Err(error.into())
        }
    }
}

/// How many values each source gives.
fn summary(explanation: &Explanation) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for entry in explanation.entries() {
        let source = match &entry.origin {
            Origin::File { file, .. } => file.display().to_string(),
            Origin::Variable { .. } => "the environment".to_owned(),
            Origin::Option { .. } => "options".to_owned(),
            _ => "defaults".to_owned(),
        };
        *counts.entry(source).or_default() += 1;
    }
    let parts: Vec<_> = counts.iter().map(|(source, count)| format!("{count} from {source}")).collect();
    parts.join(", ")
}
