//! `mape config check`

use super::builtin::builtin;
use super::{Global, Output, Usage, queue_workers, served_models};
use anyhow::Result;
use mape::backend::Backend;
use mape::config::{Config, Error, Explanation, Origin};
use mape::live::{Pipelines, Rules};
use mape::queue::{Declared, Queues};
use mape::workflow::{Task, Tasks};
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
        Declared::configured(&config)?;
        if config.queues.values().any(|queue| queue.task.is_some()) {
            tasks_of_queues(global, &config)?;
        }
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

/// Looks whether the tasks are there that do the jobs of queues.
fn tasks_of_queues(global: &Global, config: &Config) -> Result<(), Error> {
    let backend = Backend::memory();
    // What else is wrong with tasks is said where they are used.
    let Ok(builtin) = builtin(config, &backend, &global.stream, false) else { return Ok(()) };
    let tasks = Tasks::new().with_all(builtin.tasks()).with(Queues::of(&backend).task());
    let tasks = tasks.with(Task::echo("live:publish"));
    let tasks = if cfg!(feature = "inference") { tasks.with(Task::echo("infer:*")) } else { tasks };
    queue_workers::check(config, &tasks)
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
