//! What the configuration says, and secrets that are made up where it says none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use mape::config::{Config, Secret};
use mape::queue::Declared;
use serde::Deserialize;

/// The configuration that comes with the example.
const USUAL: &str = include_str!("volunteers.yaml");

/// What the configuration says.
#[derive(Clone)]
pub struct Settings {
    pub config: Config,
    /// Each with the token by which they are known.
    pub organisers: BTreeMap<String, Secret>,
    pub network: Network,
    pub judge: Judge,
    pub queues: Vec<Declared>,
}

/// The section `network`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub address: String,
    pub mail: String,
    /// How many comments each post gets.
    pub comments: usize,
    /// Milliseconds between two of them.
    pub pace: u32,
    /// By which webhooks are signed.
    #[serde(default)]
    pub secret: Secret,
    /// By which this program is known again when the webhook is subscribed.
    #[serde(default)]
    pub verify_token: Secret,
}

/// The section `judge`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judge {
    pub threshold: f64,
    pub batch: usize,
    within: u64,
}

impl Judge {
    pub fn within(&self) -> Duration {
        Duration::from_millis(self.within)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organiser {
    #[serde(default)]
    token: Secret,
}

impl Settings {
    /// Reads the file, or what comes with the example. What is alone may make up its secrets; others have to be told.
    pub fn load(file: Option<PathBuf>, backend: Option<&str>, is_alone: bool) -> anyhow::Result<Self> {
        let builder = match file {
            Some(file) => Config::builder().file(file),
            None => Config::builder().text(USUAL),
        };
        let builder = match backend {
            Some(url) => builder.option("--backend", "backend.url", url),
            None => builder,
        };
        let config = builder.build()?;
        let mut network: Network = config.get("network")?;
        for (name, secret) in [("secret", &mut network.secret), ("verify_token", &mut network.verify_token)] {
            let variable = format!("MAPE_NETWORK__{}", name.to_uppercase());
            *secret = known(std::mem::take(secret), &variable, is_alone)?;
        }
        let mut organisers = BTreeMap::new();
        for (name, organiser) in config.get::<BTreeMap<String, Organiser>>("organisers")? {
            let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            ensure!(
                fits,
                "organisers.{name}: a name has small letters and digits, for it stands in the ids of posts"
            );
            let variable = format!("MAPE_ORGANISERS__{}__TOKEN", name.to_uppercase());
            organisers.insert(name, known(organiser.token, &variable, is_alone)?);
        }
        let (judge, queues) = (config.get("judge")?, Declared::configured(&config)?);
        Ok(Self { config, organisers, network, judge, queues })
    }

    /// A queue of the configuration.
    pub fn queue(&self, name: &str) -> anyhow::Result<&Declared> {
        let found = self.queues.iter().find(|queue| queue.name == name);
        found.with_context(|| format!("queues.{name} is not in the configuration"))
    }
}

fn known(secret: Secret, variable: &str, is_alone: bool) -> anyhow::Result<Secret> {
    let is_long = secret.expose().chars().count() >= 16;
    ensure!(
        is_long || (is_alone && secret.expose().is_empty()),
        "all stages have to know the same secret of 16 characters or more: export {variable}=$(openssl rand -hex 24)"
    );
    Ok(if is_long { secret } else { Secret::new(made_up()?) })
}

/// A text that nobody guesses.
pub fn made_up() -> anyhow::Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}
