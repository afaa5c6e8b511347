//! The section `live` of the configuration.

use super::{Lines, counting};
use crate::http::site::Site;
use mape::config::{self, Config};
use mape::http::Service;
use mape::live::{Live, Pipelines, Rules, Settings, WhenFull};
use mape::prelude::*;
use reqwest::Method;

fn read(section: &str) -> Result<config::Live, String> {
    let built = Config::builder().text(format!("live: {section}")).without_environment().build();
    built.map(|config| config.live).map_err(|error| error.to_string())
}

#[test]
fn what_holds_without_a_configuration_is_what_is_written_in_it() {
    assert_eq!(Settings::configured(&config::Live::default()), Settings::default());
}

#[test]
fn every_setting_is_taken_over_and_none_that_makes_no_sense() {
    let section = "{client_buffer: 1, client_bytes: 2, when_full: disconnect, jobs: 3, client_jobs: 6, interests: 4, steps: 5, history: 0, \
                   history_bytes: 7, names: 8, shared_history: 9, cache_bytes: 10, cache_lifetime: 11s, held: 12}";
    let settings = Settings::configured(&read(section).unwrap());
    let numbers = [
        settings.client_buffer,
        settings.client_bytes,
        settings.jobs,
        settings.interests,
        settings.client_jobs,
    ];
    assert_eq!((numbers, settings.when_full), ([1, 2, 3, 4, 6], WhenFull::Disconnect));
    assert_eq!(
        [settings.history, settings.history_bytes, settings.names, settings.cache_bytes],
        [0, 7, 8, 10]
    );
    assert_eq!((settings.steps, settings.shared_history, settings.held), (5, 9, 12));
    assert_eq!(settings.cache_lifetime, Duration::from_secs(11));
    for key in
        ["client_buffer", "client_bytes", "jobs", "interests", "steps", "names", "shared_history", "held"]
    {
        let error = read(&format!("{{{key}: 0}}")).unwrap_err();
        assert!(error.contains(key) && error.contains("1 or more"), "{error}");
    }
    assert!(read("{heartbeat: 0s}").unwrap_err().contains("more than 0s"));
}

#[tokio::test]
async fn a_service_takes_any_live_server() {
    let (app, live) = counting(Settings::default());
    let (_, other) = (live.clone(), Live::new(&app));
    for (live, kinds) in [(live, 4), (other, 0)] {
        let site = Site::with(Service::new(&app).live(&live)).await;
        assert_eq!(site.get("/live").await.1["kinds"].as_array().unwrap().len(), kinds);
        let response = site.request(Method::GET, "/live/stream?all=true").send().await.unwrap();
        assert!(Lines::of(response).json().await["client"].is_string());
    }
}

#[test]
fn what_the_section_declares_is_looked_at_before_anything_is_served() {
    let config = |section: &str| {
        Config::builder().text(format!("live:\n  {section}")).without_environment().build().unwrap()
    };
    for (rules, wanted) in [
        ("[{names: [a], roles: [admn]}]", "`live.rules[0].roles` has the role `admn`, which there is not"),
        ("[{names: [a]}, {names: []}]", "`live.rules[1]` is about no names"),
        ("[{names: [a], may: []}]", "`live.rules[0]` lets nobody do anything"),
        ("[{names: [a], own: owner}]", "no JSON pointer"),
        ("[{names: [a], role: [admin]}]", "unknown key `role`; did you mean `roles`?"),
        ("[{names: [a], when: a qe 1}]", "there is no operator `qe`"),
    ] {
        let error = Rules::configured(&config(&format!("rules: {rules}"))).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains("config.yaml:2"), "{error}");
    }
    let rules = Rules::configured(&config("rules: [{names: [a], roles: [admin]}]")).unwrap();
    assert_eq!(rules.iter().len(), 1);
    for (pipelines, wanted) in [
        ("{jobs: [{stages: [in_ordr]}]}", "in_order"),
        (
            "{jobs: [{stages: [{batch: {most: 0, within: 1s}}]}]}",
            "`live.pipelines.jobs[0].stages[0].batch.most`",
        ),
    ] {
        let error = Pipelines::check_configured(&config(&format!("pipelines: {pipelines}"))).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(wanted) && error.contains("config.yaml:2"), "{error}");
    }
}
