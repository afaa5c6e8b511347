//! `mape loops`

use super::service::{Service, ServiceArguments};
use super::{Global, Output};
use anyhow::{Context, Result};
use clap::Args;
use mape::app::{ElementStatus, Topology};
use std::time::Duration;

#[derive(Debug, Args)]
pub(super) struct LoopsArguments {
    #[command(flatten)]
    service: ServiceArguments,
}

/// How long rates are measured.
const MEASURED: Duration = Duration::from_millis(500);

pub(super) async fn run(global: &Global, arguments: &LoopsArguments, output: &mut Output) -> Result<()> {
    let service = Service::of(global, &arguments.service)?;
    // A rate is what has happened since somebody last asked.
    service.json("/topology").await?;
    tokio::time::sleep(MEASURED).await;
    let json = service.json("/topology").await?;
    let topology: Topology = serde_json::from_value(json.clone()).with_context(|| {
        format!("{} says what runs there in a way that is not known here", service.shown())
    })?;
    output.write(table(&topology), &json)
}

/// A line for each element, below its loop; the default level has no heading.
fn table(topology: &Topology) -> String {
    let mut rows = vec![
        ["", "role", "state", "in", "in/s", "out", "out/s", "queued", "dropped", "errors"].map(String::from),
    ];
    for level in &topology.levels {
        let depth = usize::from(!level.uid.is_empty());
        if depth > 0 {
            rows.push(heading(&level.uid));
        }
        for one in &level.loops {
            rows.push(heading(&format!("{}{}", "  ".repeat(depth), one.uid)));
            rows.extend(one.elements.iter().map(|element| row(element, depth + 1)));
        }
    }
    if rows.len() == 1 {
        return "there are no loops".to_owned();
    }
    let mut widths = [0; 10];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 10]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            // Words to the left, numbers to the right.
            if column < 3 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn heading(uid: &str) -> [String; 10] {
    let mut row: [String; 10] = Default::default();
    uid.clone_into(&mut row[0]);
    row
}

fn row(element: &ElementStatus, depth: usize) -> [String; 10] {
    let info = &element.info;
    let links = &info.output.links;
    let dropped = info.input.dropped + links.iter().map(|link| link.stats.dropped).sum::<u64>();
    [
        format!("{}{}", "  ".repeat(depth), info.path.element()),
        info.role.to_string(),
        info.state.to_string(),
        info.input.received.to_string(),
        format!("{:.1}", element.received_per_second),
        info.output.emitted.to_string(),
        format!("{:.1}", element.emitted_per_second),
        info.input.queued.to_string(),
        dropped.to_string(),
        info.errors.to_string(),
    ]
}
