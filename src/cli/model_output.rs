//! How models are shown.

use serde_json::Value as Json;
use std::fmt::Write;

/// A line for each model.
pub(super) fn table(models: &[Json]) -> String {
    let heading = ["model", "live", "versions", "shadow", "input", "output", "rows"].map(str::to_owned);
    let rows = models.iter().map(|model| {
        let live = version(model, text(model, "live"));
        let port = |side| live.and_then(|live| live.pointer(side)).map_or_else(String::new, port);
        [
            text(model, "name").to_owned(),
            text(model, "live").to_owned(),
            versions(model).len().to_string(),
            model.pointer("/shadow/version").and_then(Json::as_str).unwrap_or("-").to_owned(),
            port("/description/input"),
            port("/description/output"),
            number(model, "/counts/rows").to_string(),
        ]
    });
    lay_out(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

/// All of a model.
pub(super) fn show(model: &Json) -> String {
    let mut shown = text(model, "name").to_owned();
    for version in versions(model) {
        let name = text(version, "version");
        let mut is = Vec::new();
        if name == text(model, "live") {
            is.push("live".to_owned());
        }
        if Some(name) == model.get("former").and_then(Json::as_str) {
            is.push("live before".to_owned());
        }
        if let Some(shadow) = model.get("shadow").filter(|shadow| text(shadow, "version") == name) {
            is.push(format!(
                "tried: {} agreed, {} disagreed, {} skipped",
                number(shadow, "/agreed"),
                number(shadow, "/disagreed"),
                number(shadow, "/skipped")
            ));
        }
        let is = if is.is_empty() { String::new() } else { format!(" ({})", is.join("; ")) };
        // Writing to a text cannot fail.
        let _ = write!(shown, "\n  version {name}{is}");
        let Some(description) = version.get("description") else { continue };
        let of = |side| description.get(side).map_or_else(String::new, port);
        let file = (text(description, "file"), text(description, "kind"), number(description, "/bytes"));
        let _ = write!(shown, "\n    {} ({}, {} bytes)", file.0, file.1, file.2);
        let _ = write!(shown, "\n    {} -> {}", of("input"), of("output"));
        let classes: Vec<&str> = description
            .get("classes")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        if !classes.is_empty() {
            let _ = write!(shown, "\n    classes: {}", classes.join(", "));
        }
        match number(description, "/words") {
            0 => {}
            words => {
                let _ = write!(shown, "\n    texts by {words} words");
            }
        }
        let _ = write!(shown, "\n    {} rows judged", number(version, "/rows"));
    }
    let counts = model.get("counts").and_then(Json::as_object).into_iter().flatten();
    let counts: Vec<String> =
        counts.filter(|(_, n)| n.as_u64() != Some(0)).map(|(name, n)| format!("{name} {n}")).collect();
    if !counts.is_empty() {
        let _ = write!(shown, "\n  counted: {}", counts.join(", "));
    }
    shown
}

/// A tensor: its name, shape and type.
fn port(port: &Json) -> String {
    let shape = port.get("shape").and_then(Json::as_array).into_iter().flatten();
    let shape = shape.map(Json::to_string).collect::<Vec<_>>().join(", ");
    format!("{} [{shape}] {}", text(port, "name"), text(port, "type"))
}

fn versions(model: &Json) -> &[Json] {
    model.get("versions").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn version<'a>(model: &'a Json, name: &str) -> Option<&'a Json> {
    versions(model).iter().find(|version| text(version, "version") == name)
}

fn text<'a>(json: &'a Json, field: &str) -> &'a str {
    json.get(field).and_then(Json::as_str).unwrap_or("?")
}

fn number(json: &Json, place: &str) -> u64 {
    json.pointer(place).and_then(Json::as_u64).unwrap_or(0)
}

/// Rows in columns, the last of which is a number.
fn lay_out<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column + 1 == N { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn interest() -> Json {
        let port = |name, width| json!({"name": name, "type": "f32", "shape": [width]});
        let description = json!({"file": "a.onnx", "kind": "onnx", "bytes": 9, "input": port("bag", 44),
            "output": port("scores", 2), "batch": "any", "words": 44, "classes": ["no", "yes"]});
        json!({
            "name": "interest", "live": "2", "former": "1", "shadow": {"version": "3", "agreed": 5, "disagreed": 1, "skipped": 0},
            "versions": [{"version": "1", "description": description, "rows": 7, "late": 0},
                         {"version": "2", "description": description, "rows": 0, "late": 0}],
            "counts": {"rows": 7, "late": 0},
        })
    }

    #[test]
    fn models_are_a_table() {
        let shown = table(&[interest()]);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "model     live  versions  shadow  input         output          rows");
        assert_eq!(lines[1], "interest  2     2         3       bag [44] f32  scores [2] f32     7");
    }

    #[test]
    fn a_model_is_shown_with_all_its_versions() {
        let shown = show(&interest());
        for part in [
            "version 1 (live before)",
            "version 2 (live)",
            "a.onnx (onnx, 9 bytes)",
            "bag [44] f32 -> scores [2] f32",
            "classes: no, yes",
            "texts by 44 words",
            "7 rows judged",
            "counted: rows 7",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
