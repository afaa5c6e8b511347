//! The section `live` of the configuration.

use super::{Lines, counting};
use crate::http::site::Site;
use mape::config::{self, Config};
use mape::http::Service;
use mape::live::{Live, Settings, WhenFull};
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
    let section = "{client_buffer: 1, client_bytes: 2, when_full: disconnect, jobs: 3, interests: 4, steps: 5, history: 0, \
                   history_bytes: 7, names: 8, shared_history: 9, cache_bytes: 10, cache_lifetime: 11s, held: 12}";
    let settings = Settings::configured(&read(section).unwrap());
    let numbers = [settings.client_buffer, settings.client_bytes, settings.jobs, settings.interests];
    assert_eq!((numbers, settings.when_full), ([1, 2, 3, 4], WhenFull::Disconnect));
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
