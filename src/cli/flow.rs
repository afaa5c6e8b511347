//! `mape flow`

use super::arguments::{FlowCommand, PictureFormat};
use super::{Global, Output, Usage, note};
use anyhow::{Context, Result, anyhow};
use mape::flow::{Diagnostics, Diagram, DiagramFormat, Graph, Workflow};
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::io::{Read, Write, stdin};
use std::path::Path;

/// Stands for standard input.
const STDIN: &str = "-";

pub(super) fn run(global: &Global, command: &FlowCommand, output: &mut Output) -> Result<()> {
    let files = match command {
        FlowCommand::Check { files } => return check(files, output),
        FlowCommand::Compile { files } | FlowCommand::Doc { files, .. } | FlowCommand::Fmt { files, .. } => {
            files
        }
    };
    // A file that cannot be read is an argument that is wrong: then nothing is begun.
    let texts = files.iter().map(|file| read(file)).collect::<Result<Vec<_>>>()?;
    let mut failed = 0;
    for (file, text) in files.iter().zip(texts) {
        let flow = File { name: file, workflow: Workflow::from_bytes(&text) };
        let good = match command {
            FlowCommand::Check { .. } | FlowCommand::Compile { .. } => flow.compile(global, output),
            FlowCommand::Doc { format, vertical, no_docs, .. } => {
                flow.doc(global, *format, *vertical, !no_docs, output)
            }
            FlowCommand::Fmt { check: true, .. } => flow.check_layout(global, output),
            FlowCommand::Fmt { stdout, .. } => flow.fmt(global, *stdout || file == STDIN, output),
        }?;
        failed += usize::from(!good);
    }
    let count = files.len();
    match (failed, command) {
        (0, _) => Ok(()),
        (_, FlowCommand::Fmt { check: true, .. }) => {
            Err(anyhow!("{failed} of {count} flows are not formatted"))
        }
        _ => Err(anyhow!(bad(failed, count))),
    }
}

/// Says what is wrong with each file that can be read, and at the end which cannot; that changes nothing, so there is no
/// need to read all of them before.
fn check(files: &[String], output: &mut Output) -> Result<()> {
    let several = files.len() > 1;
    let mut unread = Vec::new();
    let mut failed = 0;
    for file in files {
        match read(file) {
            Ok(text) => {
                let flow = File { name: file, workflow: Workflow::from_bytes(&text) };
                failed += usize::from(!flow.check(several, output)?);
            }
            Err(error) => unread.push(error.to_string()),
        }
    }
    let bad = (failed > 0).then(|| bad(failed, files.len()));
    if unread.is_empty() {
        return bad.map_or(Ok(()), |bad| Err(anyhow!(bad)));
    }
    unread.extend(bad);
    Err(Usage::error(unread.join("; ")))
}

/// How many flows have errors, in words.
fn bad(failed: usize, count: usize) -> String {
    if count == 1 {
        "the flow has errors".to_owned()
    } else {
        format!("{failed} of {count} flows have errors")
    }
}

fn read(file: &str) -> Result<Vec<u8>> {
    let bytes = if file == STDIN {
        let mut bytes = Vec::new();
        stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    bytes.map_err(|error| Usage::error(format!("cannot read the flow {file}: {error}")))
}

/// What is wrong with a flow, for programs.
#[derive(Serialize)]
struct Checked<'a> {
    #[serde(flatten)]
    diagnostics: &'a Diagnostics,
    /// Which flow it is, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

/// A flow and where it comes from.
struct File<'a> {
    name: &'a str,
    workflow: Workflow,
}

/// Each command says whether the flow is good.
impl File<'_> {
    /// What people know it by.
    fn title(&self) -> &str {
        if self.name == STDIN { "standard input" } else { self.name }
    }

    fn report(&self) -> String {
        self.workflow.diagnostics().report(self.title(), self.workflow.text())
    }

    /// Shows what is wrong beside the results.
    fn complain(&self, global: &Global) {
        let diagnostics = self.workflow.diagnostics();
        if !diagnostics.is_empty() && !global.json {
            note(global, "diagnostics", self.report().trim_end());
        }
    }

    fn checked<'b>(&'b self, file: Option<&'b str>) -> Checked<'b> {
        Checked { diagnostics: self.workflow.diagnostics(), file }
    }

    fn check(&self, several: bool, output: &mut Output) -> Result<bool> {
        let summary = self.workflow.diagnostics().summary();
        let title = self.title();
        let text = match self.workflow.graph() {
            Some(graph) if summary.is_empty() => format!("{title}: {}", size(graph)),
            Some(graph) => format!("{}{title}: {}; {summary}", self.report(), size(graph)),
            None => format!("{}{title}: {summary}", self.report()),
        };
        output.write(text, &self.checked(several.then_some(self.name)))?;
        Ok(self.workflow.graph().is_some())
    }

    fn compile(&self, global: &Global, output: &mut Output) -> Result<bool> {
        self.complain(global);
        let Some(graph) = self.workflow.graph() else {
            if global.json {
                output.write("", &self.checked(None))?;
            }
            return Ok(false);
        };
        output.write(table(graph), &graph.outline())?;
        Ok(true)
    }

    fn doc(
        &self,
        global: &Global,
        format: PictureFormat,
        vertical: bool,
        docs: bool,
        output: &mut Output,
    ) -> Result<bool> {
        self.complain(global);
        let Some(graph) = self.workflow.graph() else {
            if global.json {
                output.write("", &self.checked(None))?;
            }
            return Ok(false);
        };
        let (name, format) = match format {
            PictureFormat::Mermaid => ("mermaid", DiagramFormat::Mermaid),
            PictureFormat::Dot => ("dot", DiagramFormat::Dot),
            PictureFormat::Svg => ("svg", DiagramFormat::Svg),
        };
        let text = Diagram::new(graph).vertical(vertical).docs(docs).render(format)?;
        output.write(&text, &json!({"file": self.name, "format": name, "text": text}))?;
        Ok(true)
    }

    /// The text in its layout; if it cannot be read, what is wrong with it is said.
    fn laid_out(&self, global: &Global, output: &mut Output) -> Result<Option<String>> {
        if let Ok(text) = self.workflow.format() {
            return Ok(Some(text));
        }
        self.complain(global);
        if global.json {
            output.write("", &self.checked(None))?;
        }
        Ok(None)
    }

    fn fmt(&self, global: &Global, to_stdout: bool, output: &mut Output) -> Result<bool> {
        let Some(text) = self.laid_out(global, output)? else { return Ok(false) };
        let changed = text != self.workflow.text();
        if to_stdout {
            output.write(&text, &json!({"file": self.name, "changed": changed, "text": text}))?;
            return Ok(true);
        }
        if changed {
            replace(Path::new(self.name), &text)
                .with_context(|| format!("cannot write the flow {}; it is as it was", self.name))?;
        }
        if changed || global.json {
            output
                .write(format!("formatted {}", self.name), &json!({"file": self.name, "changed": changed}))?;
        }
        Ok(true)
    }

    fn check_layout(&self, global: &Global, output: &mut Output) -> Result<bool> {
        let Some(text) = self.laid_out(global, output)? else { return Ok(false) };
        let changed = text != self.workflow.text();
        if changed || global.json {
            let same = self.workflow.text().lines().zip(text.lines()).take_while(|(is, should)| is == should);
            let line = 1 + same.count();
            let hint = format!("{}:{line}: would be changed; run `mape flow fmt {}`", self.name, self.name);
            output.write(hint, &json!({"file": self.name, "changed": changed}))?;
        }
        Ok(!changed)
    }
}

/// Writes a file anew, so that at each moment it is the old one or the new one.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // What a link leads to is replaced, not the link.
    let file = fs::canonicalize(file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let new = file.with_file_name(name);
    let written = fs::File::create_new(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let permissions = fs::metadata(&file).and_then(|known| fs::set_permissions(&new, known.permissions()));
    let done = written.and(permissions).and_then(|()| fs::rename(&new, &file));
    if done.is_err() {
        // What is left is of no use; that it is left does no harm.
        let _ = fs::remove_file(&new);
    }
    done
}

fn size(graph: &Graph) -> String {
    let tasks = graph.nodes().iter().filter(|node| node.task().is_some()).count();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", counted(tasks, "task"), counted(graph.edge_count(), "edge"))
}

/// The steps of a flow, and what follows each.
fn table(graph: &Graph) -> String {
    let labels: Vec<String> = (0..graph.nodes().len()).map(|index| graph.label(index)).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(40);
    let mut table = String::new();
    for (index, label) in labels.iter().enumerate() {
        let next: Vec<String> = graph.successors(index).iter().map(ToString::to_string).collect();
        let arrow = if next.is_empty() { "" } else { "→ " };
        table += format!("{index:>5}  {label:width$}  {arrow}{}", next.join(" ")).trim_end();
        table.push('\n');
    }
    table
}
