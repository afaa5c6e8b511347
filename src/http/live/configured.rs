//! A live server as the configuration has it.

use crate::config::{Config, Error};
use crate::http::Role;
use crate::live::{Live, Pipelines, Rules};
use std::path::Path;

impl Live {
    /// With the pipelines that the section `live` declares, or the file that it names.
    ///
    /// ```no_run
    /// use mape::config::Config;
    /// use mape::live::Live;
    /// use mape::prelude::*;
    ///
    /// # #[tokio::main] async fn main() -> Result<(), BoxError> {
    /// let config = Config::load()?;
    /// let live = Live::new(&App::new());
    /// live.configured(&config)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], with the line: what is declared is wrong, the file can't be read, or there are both.
    pub fn configured(&self, config: &Config) -> Result<(), Error> {
        match declared(config)? {
            Declared::Here(pipelines) => {
                self.set_pipelines(pipelines).map_err(|error| config.wrong(INLINE, error.to_string()))
            }
            Declared::In(file) => {
                self.follow_pipelines(file).map_err(|error| config.wrong(FILE, error.to_string()))
            }
            Declared::Nothing => Ok(()),
        }
    }
}

impl Pipelines {
    /// What is wrong with what the section `live` declares, if something is; the file that it names is not read.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the line.
    pub fn check_configured(config: &Config) -> Result<(), Error> {
        declared(config).map(drop)
    }
}

impl Rules {
    /// Those of the section `live`.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the line.
    pub fn configured(config: &Config) -> Result<Self, Error> {
        const ROLES: [Role; 3] = [Role::Read, Role::Operate, Role::Admin];
        const KEY: &str = "live.rules";
        let rules: Self = config.find(KEY)?.unwrap_or_default();
        let known = ROLES.map(|role| role.to_string());
        let is_known = |role: &str| known.iter().any(|known| known == role);
        let found = rules.iter().enumerate().find_map(|(at, rule)| {
            let key = format!("{KEY}[{at}]");
            if let Some(what) = rule.defect() {
                return Some((format!("`{key}` {what}"), key));
            }
            let role = rule.roles.iter().find(|role| !is_known(role))?;
            let there_are = known.join(", ");
            Some((
                format!("`{key}.roles` has the role `{role}`, which there is not; there are {there_are}"),
                key,
            ))
        });
        match found {
            Some((message, key)) => Err(config.wrong(&key, message)),
            None => Ok(rules),
        }
    }
}

const INLINE: &str = "live.pipelines";
const FILE: &str = "live.pipelines_file";

/// Where pipelines are declared.
enum Declared<'c> {
    Here(Pipelines),
    In(&'c Path),
    Nothing,
}

fn declared(config: &Config) -> Result<Declared<'_>, Error> {
    let declared: Option<Pipelines> = config.find(INLINE)?;
    match (declared, &config.live.pipelines_file) {
        (Some(_), Some(_)) => {
            Err(config.wrong(FILE, format!("`{INLINE}` and `{FILE}` are both given: keep one")))
        }
        (Some(pipelines), None) => match pipelines.check() {
            Ok(()) => Ok(Declared::Here(pipelines)),
            Err(invalid) => {
                let key = format!("{INLINE}.{}", invalid.path);
                Err(config.wrong(&key, format!("`{key}`: {}", invalid.message)))
            }
        },
        (None, Some(file)) => Ok(Declared::In(file)),
        (None, None) => Ok(Declared::Nothing),
    }
}
