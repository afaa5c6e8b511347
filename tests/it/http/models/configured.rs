//! The section `models` of the configuration.

use super::path;
use crate::http::workflows::world::directory;
use mape::config::{self, Config};
use mape::infer::{Kind, Limits, Models, Settings};
use std::time::Duration;

fn read(text: &str) -> Result<Config, String> {
    Config::builder().text(text).without_environment().build().map_err(|error| error.to_string())
}

#[test]
fn what_holds_without_a_configuration_is_what_is_written_in_it() {
    let config = read("models: {m: {file: m.onnx}}").unwrap();
    assert_eq!(Settings::configured(&config, "m").unwrap(), Settings::default());
    assert_eq!(config.models["m"].limits, config::ModelLimits::default());
    assert!(config.rest.model_files.is_none());
}

#[test]
fn every_setting_is_taken_over() {
    let folder = directory();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let (words, names) =
        (file("words.json", "[\"help\", \"hour\"]"), file("classes.json", "[\"no\", \"yes\"]"));
    let section = format!(
        "models:\n  m:\n    file: m.bin\n    kind: tensorflow\n    version: big\n    input: x\n    output: y\n    \
         shape: [2]\n    classes: {names}\n    vocabulary: {words}\n    threshold: 0.6\n    blank_is_unknown: true\n    \
         warm_up: 0\n    shadow: {{file: n.pb, version: next, tolerance: 0.1}}\n    \
         limits: {{rows: 1, batch_time: 2s, late: 3, load_time: 4s, file_bytes: 5, batch_bytes: 6, run_bytes: 8, text_bytes: 7}}\n"
    );
    let config = read(&section).unwrap();
    let settings = Settings::configured(&config, "m").unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        (settings.kind, settings.input, settings.output),
        (Some(Kind::Tensorflow), text("x"), text("y"))
    );
    assert_eq!((settings.shape, settings.classes), (Some(vec![2]), vec!["no".to_owned(), "yes".to_owned()]));
    assert_eq!((settings.vocabulary.unwrap().len(), settings.threshold), (2, 0.6));
    assert!(settings.blank_is_unknown && settings.warm_up == 0);
    let limits = Limits {
        rows: 1,
        batch_time: Duration::from_secs(2),
        late: 3,
        load_time: Duration::from_secs(4),
        file_bytes: 5,
        batch_bytes: 6,
        run_bytes: 8,
        text_bytes: 7,
    };
    assert_eq!(settings.limits, limits);
    let shadow = config.models["m"].shadow.as_ref().unwrap();
    assert_eq!((shadow.version.as_str(), shadow.tolerance), ("next", Some(0.1)));
    let short = read("models: {m: {file: m.onnx, shadow: n.onnx, classes: [a]}}").unwrap();
    assert_eq!(short.models["m"].shadow.as_ref().unwrap().version, "shadow");
}

#[test]
fn what_makes_no_sense_is_told_with_its_place() {
    for (section, says) in [
        ("{}", "the key `file` is missing"),
        ("{file: ''}", "must be a file"),
        ("{file: m.onnx, kind: pickle}", "`models.m.kind`"),
        ("{file: m.onnx, classes: 7}", "must be a list of names, or a file with them"),
        ("{file: m.onnx, limits: {rows: 0}}", "`models.m.limits.rows` must be 1 or more"),
        ("{file: m.onnx, limits: {batch_time: 0s}}", "must be more than 0s"),
        ("{file: m.onnx, shadow: {version: x}}", "`file` is missing"),
        ("{file: m.onnx, outptu: y}", "did you mean `output`?"),
    ] {
        let error = read(&format!("models:\n  m: {section}\n")).unwrap_err();
        assert!(error.contains(says) && error.starts_with("config.yaml:2"), "{section}: {error}");
    }
}

#[tokio::test]
async fn models_are_loaded_with_what_is_tried_beside_them() {
    let section = |more: &str| format!("models:\n  interest:\n    file: {}\n{more}", path("mlp.onnx"));
    let shadow = format!("    shadow: {}\n", path("mlp-2.onnx"));
    let models = Models::configured(&read(&section(&shadow)).unwrap()).await.unwrap();
    let listed = models.get("interest").unwrap();
    assert_eq!((listed.live.as_str(), listed.shadow.unwrap().version.as_str()), ("1", "shadow"));
    for (more, line, says) in [
        (
            "    shadow: none.onnx\n",
            4,
            "`models.interest.shadow`: the model none.onnx can't be read: No such file",
        ),
        ("    output: r\n    shadow: {file: none.pb}\n", 5, "`models.interest.shadow`"),
        ("    shadow: {file: none.pb, tolerance: -1}\n", 4, "`models.interest.shadow`"),
        ("    vocabulary: none.json\n", 4, "`models.interest.vocabulary`"),
        ("    classes: [a]\n", 4, "`models.interest.classes`: "),
        ("    output: s\n", 4, "`models.interest.output`: "),
        ("    threshold: 0.5\n    limits: {file_bytes: 9}\n", 3, "`models.interest.file`: "),
    ] {
        let error = Models::configured(&read(&section(more)).unwrap()).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("config.yaml:{line}: ")) && error.contains(says),
            "{more}: {error}"
        );
    }
}
