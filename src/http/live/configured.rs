//! A live server as the configuration has it.

use crate::config::{Config, Error};
use crate::live::{self, Live, Pipelines};

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
        const INLINE: &str = "live.pipelines";
        const FILE: &str = "live.pipelines_file";
        let declared: Option<Pipelines> = config.find(INLINE)?;
        match (declared, &config.live.pipelines_file) {
            (Some(_), Some(_)) => {
                Err(config.wrong(FILE, format!("`{INLINE}` and `{FILE}` are both given: keep one")))
            }
            (Some(declared), None) => self.set_pipelines(declared).map_err(|error| match error {
                live::Error::Pipelines(invalid) => {
                    let key = format!("{INLINE}.{}", invalid.path);
                    config.wrong(&key, format!("`{key}`: {}", invalid.message))
                }
                other => config.wrong(INLINE, other.to_string()),
            }),
            (None, Some(file)) => {
                self.follow_pipelines(file).map_err(|error| config.wrong(FILE, error.to_string()))
            }
            (None, None) => Ok(()),
        }
    }
}
