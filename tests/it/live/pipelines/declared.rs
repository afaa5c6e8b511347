//! Declarations as text: written, read, and what is wrong with them.

use super::ms;
use mape::condition::Condition;
use mape::live::{Pipeline, Pipelines, Stage};
use serde_json::json;

fn all_stages() -> Pipelines {
    let condition = Condition::parse("customer.id gt 10 and ** contains joe@doe.com").unwrap();
    let jobs = Pipeline::named(["customers", "order*"])
        .filter(condition.clone())
        .dedup()
        .cache(ms(90_000), 50)
        .group_by("source")
        .batch(100, ms(1000))
        .debounce(ms(5))
        .rate_limit(2, ms(1000))
        .group_by("customer.id")
        .parallel(8);
    let results = Pipeline::new()
        .group_by("job")
        .filter(condition)
        .dedup()
        .debounce(ms(1500))
        .batch(10, ms(100))
        .rate_limit(1, ms(250));
    Pipelines::new().for_jobs(jobs).for_jobs(Pipeline::new().in_order()).for_results(results)
}

#[test]
fn a_declaration_is_written_as_the_text_that_is_read() {
    let declared = all_stages();
    let json = serde_json::to_string(&declared).unwrap();
    assert_eq!(Pipelines::from_json(&json).unwrap(), declared, "{json}");
    let written = serde_json::to_value(&declared).unwrap();
    assert_eq!(
        written["jobs"][0]["stages"].as_array().unwrap()[1..],
        *json!([
            "dedup",
            {"cache": {"for": "1m 30s", "most": 50}},
            {"group_by": "source"},
            {"batch": {"most": 100, "within": "1s"}},
            {"debounce": "5ms"},
            {"rate_limit": {"most": 2, "per": "1s"}},
            {"group_by": "customer.id"},
            {"parallel": 8},
        ])
        .as_array()
        .unwrap()
    );
    assert_eq!(written["jobs"][1], json!({"stages": ["in_order"]}));
}

#[test]
#[cfg(any(feature = "flow", feature = "config"))]
fn yaml_says_the_same() {
    let text = "
jobs:
  - names: [customers]
    stages:
      - dedup
      - filter: id gt 10
      - cache: {for: 10s}
      - batch: {most: 100, within: 1s}
      - in_order
results:
  - stages: [{debounce: 0.1}]
";
    let stages = Pipeline::named(["customers"])
        .dedup()
        .filter(Condition::parse("id gt 10").unwrap())
        .cache(ms(10_000), 1000)
        .batch(100, ms(1000))
        .in_order();
    let declared = Pipelines::new().for_jobs(stages).for_results(Pipeline::new().debounce(ms(100)));
    assert_eq!(Pipelines::from_yaml(text).unwrap(), declared);
    let json = serde_json::to_string_pretty(&all_stages()).unwrap();
    assert_eq!(Pipelines::from_yaml(&json).unwrap(), all_stages());
    assert_eq!(Pipelines::from_yaml("{}").unwrap(), Pipelines::new());
}

#[test]
#[cfg(any(feature = "flow", feature = "config"))]
fn what_is_wrong_is_told_with_its_place() {
    for (text, wanted) in [
        ("", "it is no declaration"),
        ("jobs: [", "it is no YAML"),
        ("jobs: 1", "1:1: jobs: invalid type: integer `1`, expected a sequence"),
        ("jobs:\n - stages: [dedup]\nresult: []", "3:1: "),
        ("jobs:\n - stages: []\nresult: []", "unknown field `result`"),
        (
            "jobs:\n - stages:\n    - batch: {most: 0, within: 1s}",
            "3:15: jobs[0].stages[0].batch.most: must be 1 to 10000, not 0",
        ),
        (
            "jobs:\n - stages:\n    - batch: {most: 5, within: soon}",
            "3:24: jobs[0].stages[0].batch.within: invalid value: string \"soon\"",
        ),
        ("jobs:\n - stages:\n    - batch: {most: 5}", "jobs[0].stages[0].batch: missing field `within`"),
        ("jobs:\n - stages:\n    - dedup\n    - debunce: 1s", "jobs[0].stages[1]: unknown variant `debunce`"),
        (
            "jobs:\n - stages:\n    - dedup\n    - debounce: 0s",
            "4:7: jobs[0].stages[1].debounce: must be more than nothing",
        ),
        (
            "jobs:\n - stages:\n    - in_order\n    - dedup",
            "3:7: jobs[0].stages[0]: `in_order` must be the last stage",
        ),
        (
            "jobs:\n - stages: [{debounce: 1s}, dedup]",
            "2:29: jobs[0].stages[1]: `dedup` must stand before `debounce`",
        ),
        ("jobs:\n - stages: [dedup, dedup]", "jobs[0].stages[1]: there is another `dedup`"),
        ("jobs:\n - stages: [{group_by: job}]", "jobs[0].stages[0].group_by: each job would be a group"),
        ("jobs:\n - stages: [{group_by: a.*}]", "`a.*` leads to many places"),
        ("jobs:\n - stages: [{filter: a qe 1}]", "there is no operator `qe`"),
        ("results:\n - stages: [{parallel: 3}]", "2:13: results[0].stages[0]: `parallel` is for jobs"),
        (
            "jobs:\n - stages: []\n - names: [a]\n   stages: []",
            "3:4: jobs[1]: is never reached: jobs[0] is for any name",
        ),
        (
            "jobs:\n - names: ['']\n   stages: []",
            "jobs[0].names[0]: a pattern of names has 1 to 200 bytes, not 0",
        ),
        ("jobs: !!python/object/apply:os.getpid []", "it is no YAML"),
    ] {
        let error = Pipelines::from_yaml(text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{text}\n{error}\n{wanted}");
    }
}

#[test]
fn what_is_wrong_in_json_is_told_too() {
    for (text, wanted) in [
        ("{\"jobs\": [\n}", "2:1: it is no JSON: expected value"),
        ("[]", "it is no declaration"),
        (
            "{\"jobs\": [{\"stages\": [\n\t{\"parallel\": 0}]}]}",
            "jobs[0].stages[0].parallel: must be 1 to 10000, not 0",
        ),
    ] {
        let error = Pipelines::from_json(text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{text}\n{error}\n{wanted}");
    }
    #[cfg(any(feature = "flow", feature = "config"))]
    assert_eq!(
        Pipelines::from_json("{\"jobs\": [{\"stages\": [\n  {\"parallel\": 0}]}]}").unwrap_err().at,
        Some((2, 4))
    );
}

#[test]
fn what_is_built_is_checked_as_what_is_read() {
    let declared = Pipelines::new().for_jobs(Pipeline::new().then(Stage::Parallel(0)));
    assert_eq!(
        declared.check().unwrap_err().to_string(),
        "jobs[0].stages[0].parallel: must be 1 to 10000, not 0"
    );
    assert!(Pipelines::new().for_results(Pipeline::new().batch(1, ms(0))).check().is_err());
}
