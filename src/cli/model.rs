//! `mape model`

use super::model_output::{show, table};
use super::service::{Service, ServiceArguments};
use super::{Global, Output, Usage, note};
use anyhow::{Context, Error, Result};
use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// List the models of a service with their versions
    List {
        #[command(flatten)]
        service: ServiceArguments,
    },
    /// Show a model: its versions, what they take and give, what was counted
    Show(OneModel),
    /// Send a file as a version of a model; the first one of a name is live at once, others when they are swapped in
    Load(LoadArguments),
    /// Make a version live, while items flow
    Swap(OneVersion),
    /// Make the version live again that was before
    Rollback(OneModel),
    /// Try a version beside the live one, or none any more
    Shadow(ShadowArguments),
    /// Show what the version that is tried judges differently, as it happens: a line of JSON each, until Ctrl-C
    Disagreements {
        /// The model
        name: String,
        /// End after this many
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        #[command(flatten)]
        service: ServiceArguments,
    },
    /// Let a model judge a row, or a list of rows
    Run {
        /// The model
        name: String,
        /// A list of numbers, a text, or {"input": …}; or a list of those; as JSON
        #[arg(value_name = "JSON")]
        rows: String,
        #[command(flatten)]
        service: ServiceArguments,
    },
    /// Remove a version that is neither live nor tried
    Retire(OneVersion),
    /// Remove a model with all its versions
    Remove(OneModel),
}

#[derive(Debug, Args)]
pub(super) struct OneModel {
    /// The model
    name: String,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Debug, Args)]
pub(super) struct OneVersion {
    /// The model
    name: String,
    /// The version
    version: String,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Debug, Args)]
pub(super) struct LoadArguments {
    /// The model
    name: String,
    /// The file: .onnx, or .pb, a frozen graph of TensorFlow
    file: PathBuf,
    /// What the version is called [default: the next number]
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// What the file is, where its name does not say it
    #[arg(long, value_enum)]
    kind: Option<FileKind>,
    /// The input tensor; as with the version that is live, or the only one, if it is left out
    #[arg(long, value_name = "NAME")]
    input: Option<String>,
    /// The output tensor; as with the version that is live, or the only one, if it is left out
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// The shape of a row, such as 3,224,224, where the model leaves it open [default: as with the version that is live]
    #[arg(long, value_name = "SHAPE")]
    shape: Option<String>,
    /// The names of the classes, with commas between them [default: those of the version that is live]
    #[arg(long, value_name = "NAMES")]
    classes: Option<String>,
    /// A verdict whose score is below is `unknown` [default: as with the version that is live]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Make it live at once
    #[arg(long)]
    swap: bool,
    #[command(flatten)]
    service: ServiceArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FileKind {
    /// ONNX
    Onnx,
    /// A frozen graph of TensorFlow
    Tensorflow,
}

#[derive(Debug, Args)]
pub(super) struct ShadowArguments {
    /// The model
    name: String,
    /// The version; none if it is left out
    version: Option<String>,
    /// How much scores may differ [default: any amount, classes alone are compared]
    #[arg(long, value_name = "DIFFERENCE", requires = "version")]
    tolerance: Option<f64>,
    #[command(flatten)]
    service: ServiceArguments,
}

pub(super) async fn run(global: &Global, command: &ModelCommand, output: &mut Output) -> Result<()> {
    match command {
        ModelCommand::List { service } => list(global, service, output).await,
        ModelCommand::Show(OneModel { name, service }) => {
            let json = Service::of(global, service)?.json(&path(name, "")?).await?;
            output.write(show(&json), &json)
        }
        ModelCommand::Load(arguments) => load(global, arguments, output).await,
        ModelCommand::Swap(OneVersion { name, version, service }) => {
            let service = Service::of(global, service)?;
            swap(&service, name, version, output).await
        }
        ModelCommand::Rollback(OneModel { name, service }) => {
            let json =
                Service::of(global, service)?.post(&path(name, "/rollback")?, &[], String::new()).await?;
            output.write(format!("{name}: version {} is live again", text(&json, "live")), &json)
        }
        ModelCommand::Shadow(arguments) => shadow(global, arguments, output).await,
        ModelCommand::Disagreements { name, count, service } => {
            disagreements(global, name, count.unwrap_or(u64::MAX), service, output).await
        }
        ModelCommand::Run { name, rows, service } => {
            let rows: Json = Usage::json("the rows", rows)?;
            let json =
                Service::of(global, service)?.post(&path(name, "/run")?, &[], rows.to_string()).await?;
            output.line(&json.to_string())
        }
        ModelCommand::Retire(OneVersion { name, version, service }) => {
            let place = path(name, &format!("/versions/{}", checked(version)?))?;
            Service::of(global, service)?.delete(&place).await?;
            let json = json!({"name": name, "version": version, "removed": true});
            output.write(format!("{name}: version {version} is removed"), &json)
        }
        ModelCommand::Remove(OneModel { name, service }) => {
            Service::of(global, service)?.delete(&path(name, "")?).await?;
            output.write(format!("{name} is removed"), &json!({"name": name, "removed": true}))
        }
    }
}

async fn list(global: &Global, service: &ServiceArguments, output: &mut Output) -> Result<()> {
    let json = Service::of(global, service)?.json("/models").await?;
    let models = json.as_array().map(Vec::as_slice).unwrap_or_default();
    if models.is_empty() && !global.json {
        note(
            global,
            "empty",
            "there are no models; `mape model load NAME FILE` sends one, and config.yaml names them in the section `models`",
        );
        return Ok(());
    }
    output.write(table(models), &json)
}

async fn load(global: &Global, arguments: &LoadArguments, output: &mut Output) -> Result<()> {
    let LoadArguments {
        name,
        file,
        version,
        kind,
        input,
        output: tensor,
        shape,
        classes,
        threshold,
        swap: at_once,
        service,
    } = arguments;
    let bytes = std::fs::read(file)
        .map_err(|error| Usage::error(format!("cannot read the model {}: {error}", file.display())))?;
    let kind = kind.or_else(|| match file.extension()?.to_str()? {
        "onnx" => Some(FileKind::Onnx),
        "pb" => Some(FileKind::Tensorflow),
        _ => None,
    });
    let kind = kind.map(|kind| if kind == FileKind::Onnx { "onnx" } else { "tensorflow" }.to_owned());
    let threshold = threshold.map(|score| score.to_string());
    let said = [
        ("version", version),
        ("kind", &kind),
        ("input", input),
        ("output", tensor),
        ("shape", shape),
        ("classes", classes),
        ("threshold", &threshold),
    ];
    let query: Vec<(&str, &str)> =
        said.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect();
    let service = Service::of(global, service)?;
    let (is_new, json) = service.put_bytes(&path(name, "")?, &query, bytes).await?;
    let versions = json.get("versions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let loaded = versions.last().map_or("?", |version| text(version, "version"));
    if *at_once && !is_new {
        return swap(&service, name, loaded, output).await;
    }
    let told = if is_new {
        format!("{name}: version {loaded} is loaded, and live")
    } else {
        format!("{name}: version {loaded} is loaded; `mape model swap {name} {loaded}` makes it live")
    };
    output.write(told, &json)
}

async fn swap(service: &Service, name: &str, version: &str, output: &mut Output) -> Result<()> {
    let json = service.post(&path(name, "/swap")?, &[], json!({"version": version}).to_string()).await?;
    let before = json.get("former").and_then(Json::as_str);
    let before = before.map(|before| format!(", and {before} was before")).unwrap_or_default();
    output.write(format!("{name}: version {version} is live{before}"), &json)
}

async fn shadow(global: &Global, arguments: &ShadowArguments, output: &mut Output) -> Result<()> {
    let ShadowArguments { name, version, tolerance, service } = arguments;
    let (service, place) = (Service::of(global, service)?, path(name, "/shadow")?);
    let Some(version) = version else {
        service.delete(&place).await?;
        return output.write(format!("{name}: no version is tried"), &json!({"name": name, "shadow": null}));
    };
    let asked = json!({"version": version, "tolerance": tolerance});
    let json = service.put(&place, asked.to_string()).await?;
    let told = format!(
        "{name}: version {version} is tried beside {}; `mape model disagreements {name}` shows what it judges differently",
        text(&json, "live")
    );
    output.write(told, &json)
}

async fn disagreements(
    global: &Global,
    name: &str,
    mut left: u64,
    service: &ServiceArguments,
    output: &mut Output,
) -> Result<()> {
    let service = Service::of(global, service)?;
    let events = service.events(&path(name, "/disagreements/stream")?, &[]).await?;
    note(global, "listening", &format!("listening to {name} on {}", service.shown()));
    let (mut parts, mut told) = (events.bytes_stream(), super::events::Events::default());
    while left > 0 {
        let Some(part) = parts.next().await else {
            note(global, "ended", "the model or the service has ended");
            break;
        };
        let part = part.map_err(|error| Error::from(error.without_url()));
        told.push(&part.context("the service went away")?);
        while left > 0
            && let Some((_, data)) = told.next()
        {
            output.line(&data)?;
            left -= 1;
        }
    }
    Ok(())
}

/// The path of a model in a service.
fn path(name: &str, below: &str) -> Result<String> {
    Ok(format!("/models/{}{below}", checked(name)?))
}

/// A name that is one part of a path.
fn checked(name: &str) -> Result<String> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(Usage::error(format!("`{name}` is no name of a model or a version")));
    }
    // All else that a path cannot hold is encoded with it.
    Ok(name.replace('%', "%25"))
}

fn text<'a>(json: &'a Json, field: &str) -> &'a str {
    json.get(field).and_then(Json::as_str).unwrap_or("?")
}
