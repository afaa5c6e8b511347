//! What the programs about patterns have in common: parties that play roles, meet, listen, and say what they do.
//!
//! Parties share a backend and nothing else. So they can be tasks of one process, on `memory:`, or processes on several
//! machines, on `redis:`, and no line of a role depends on which. With `influxdb.url` in the configuration, they also
//! write to InfluxDB what comes of it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "parties speak on the terminal")]
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

#[path = "metering.rs"]
mod metering;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::future::ready;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::error::ErrorKind;
use clap::{Arg, Command, value_parser};
use futures::future::try_join_all;
use futures::stream::BoxStream;
use mape::backend::Backend;
use mape::channel::Topics;
use mape::edge::InfluxSink;
use mape::edge::influxdb::Point;
use mape::element::DeadLetter;
use mape::prelude::*;
use serde::de::DeserializeOwned;
use tokio::time::{interval, timeout};

use self::metering::Metering;

/// How often a party says that it is there while others are missing.
const AGAIN: Duration = Duration::from_millis(100);
/// After how many times it tells people whom it waits for.
const PATIENT: u32 = 10;

/// A program of several parties.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub name: &'static str,
    pub about: &'static str,
    pub roles: &'static [&'static str],
    /// The backend unless `--backend` names another.
    pub backend: &'static str,
}

impl Program {
    /// Reads the arguments and plays the role that they name, or all of them at the same time, to the end.
    ///
    /// Exit codes: 0 at the end, 1 if it did not get there, 2 for wrong arguments.
    pub fn run<F>(self, play: impl Fn(Party) -> F) -> ExitCode
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let mut arguments = self.arguments(std::env::args()).unwrap_or_else(|error| error.exit());
        let played = Metering::configured().and_then(|metering| {
            arguments.metering = metering;
            self.play(&arguments, play)
        });
        if let Some(points) = arguments.metering.as_ref().and_then(Metering::summary) {
            eprintln!("{points}");
        }
        let Err(error) = played else { return ExitCode::SUCCESS };
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }

    fn play<F>(self, arguments: &Arguments, play: impl Fn(Party) -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let Arguments { roles, url, within, metering } = arguments;
        // In memory nothing comes from outside, so time need only pass when all have done their work and wait: the run
        // takes a moment, and is the same each time. A server that points are written to is outside.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(url.starts_with("memory:") && metering.is_none())
            .build()?;
        runtime.block_on(async {
            let backend = Backend::open(url).await?;
            let all = roles.iter().map(|role| {
                let app = App::with_backend(backend.clone());
                let party = Party { role, program: self, app, metering: metering.clone() };
                let played = play(party.clone());
                party.live(played)
            });
            let Ok(played) = timeout(*within, try_join_all(all)).await else {
                bail!("not at its end after {within:?}: another party is missing or has stopped half-way");
            };
            played.map(drop)
        })
    }

    fn arguments(self, given: impl IntoIterator<Item = String>) -> clap::error::Result<Arguments> {
        let role = Arg::new("role").long("role").value_name("NAME").value_parser(self.roles.to_vec());
        let backend = Arg::new("backend").long("backend").value_name("URL").default_value(self.backend);
        let seconds = Arg::new("seconds").long("seconds").value_name("N").default_value("60");
        let mut command = Command::new(self.name)
            .about(self.about)
            .arg(role.help("Play this role, and let other processes play the others [default: all]"))
            .arg(backend.help("What the parties share: memory: or redis://HOST:PORT"))
            .arg(seconds.value_parser(value_parser!(u64)).help("Give up if it is not at its end by then"));
        let given = command.try_get_matches_from_mut(given)?;
        let role = given.get_one::<String>("role");
        let url = given.get_one::<String>("backend").cloned().unwrap_or_default();
        let of_one_process = ["memory:", "file:"].into_iter().find(|scheme| url.starts_with(scheme));
        if let (Some(role), Some(scheme)) = (role, of_one_process) {
            let alone = format!(
                "a single role on `{scheme}` has nobody to talk to: leave `--role {role}` out to play all roles in \
                 this process, or let processes share a server with `--backend redis://HOST:PORT`"
            );
            return Err(command.error(ErrorKind::ArgumentConflict, alone));
        }
        let roles =
            self.roles.iter().copied().filter(|known| role.is_none_or(|role| role == known)).collect();
        let seconds = given.get_one("seconds").copied().unwrap_or_default();
        Ok(Arguments { roles, url, within: Duration::from_secs(seconds), metering: None })
    }
}

/// What the command line says.
#[derive(Debug)]
struct Arguments {
    roles: Vec<&'static str>,
    url: String,
    /// How long the whole may take.
    within: Duration,
    metering: Option<Metering>,
}

/// One party: its role, and an app of its own on the backend that all of them share.
#[derive(Clone, Debug)]
pub struct Party {
    pub role: &'static str,
    pub app: App,
    program: Program,
    metering: Option<Metering>,
}

impl Party {
    /// Prints a line under the party's name.
    pub fn say(&self, what: impl Display) {
        let width = self.program.roles.iter().map(|role| role.len()).max().unwrap_or_default();
        println!("{:<width$}  {what}", self.role);
    }

    /// A sink that writes a point of each item, which happened so many seconds after the start; none if nobody says where.
    pub fn meter<T: Send + 'static>(
        &self,
        point: impl FnMut(T) -> (f64, Point) + Send + 'static,
    ) -> Option<InfluxSink<T>> {
        Some(self.metering.as_ref()?.sink(point))
    }

    /// What is published on these channels from now on. What is lost or can't be read is said.
    pub async fn hear<T>(&self, topics: impl Into<Topics>) -> anyhow::Result<BoxStream<'static, T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let me = self.clone();
        let source = self.app.channels().source::<T>(topics).await?;
        Ok(source.skip_errors(move |error| me.say(error)).boxed())
    }

    /// Waits until every party has come to this point, each of them after it began to listen to what it needs.
    ///
    /// Who is there says so, again and again until all others have been heard, and answers who comes later. A set of who
    /// is there in the shared knowledge would not do: what a former run left in it is still there. And an
    /// [announcement](App::announce) tells that an app is there, but not how far it has come.
    pub async fn meet(&self, point: &str) -> anyhow::Result<()> {
        let channel = format!("{}.{point}", self.program.name);
        let mut heard = self.hear::<String>(Topics::names([channel.as_str()])).await?;
        let mut here = self.app.channels().sink(channel);
        let mut missing: BTreeSet<&str> = self.program.roles.iter().copied().collect();
        missing.remove(self.role);
        let (mut again, mut times) = (interval(AGAIN), 0);
        while !missing.is_empty() {
            tokio::select! {
                biased;
                Some(role) = heard.next() => if !missing.remove(role.as_str()) { continue },
                _ = again.tick() => {
                    times += 1;
                    if times == PATIENT {
                        let missing: Vec<_> = missing.iter().copied().collect();
                        eprintln!("{} is waiting for {}", self.role, missing.join(", "));
                    }
                }
            }
            here.send(self.role.to_owned()).await?;
        }
        Ok(())
    }

    /// Lives to the end of the play, complains of what its elements fail on, and lets them finish and sinks flush.
    async fn live(self, play: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        let complain = |letter: DeadLetter| {
            eprintln!("{}: {}", self.role, letter.error);
            ready(())
        };
        let played = tokio::select! {
            biased;
            played = play => played,
            () = self.app.dead_letters().for_each(complain) => bail!("{} was ended too early", self.role),
        };
        played.with_context(|| format!("playing {}", self.role))?;
        match self.app.shutdown(Duration::from_secs(5)).await.unfinished.first() {
            Some(late) => bail!("playing {}: {late}", self.role),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Program = Program { name: "pair", about: "", roles: &["here", "there"], backend: "memory:" };

    fn arguments(given: &str) -> Result<Arguments, String> {
        PAIR.arguments(given.split(' ').map(String::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn all_roles_are_played_unless_one_is_named() {
        assert_eq!(arguments("pair").unwrap().roles, ["here", "there"]);
        assert_eq!(arguments("pair --role there --backend redis://h").unwrap().roles, ["there"]);
        assert!(arguments("pair --role elsewhere").unwrap_err().contains("[possible values: here, there]"));
    }

    #[test]
    fn a_single_role_where_nobody_else_can_come_is_told_that_it_is_alone() {
        for given in ["pair --role there", "pair --role there --backend file:data"] {
            let refused = arguments(given).unwrap_err();
            assert!(
                refused.contains("nobody to talk to") && refused.contains("--backend redis://"),
                "{refused}"
            );
        }
    }

    #[test]
    fn who_comes_first_waits_for_the_others() {
        let pair = PAIR.arguments(["pair".to_owned()]).unwrap();
        let met = PAIR.play(&pair, |party| async move {
            let waits_s = if party.role == "here" { 0 } else { 5 };
            tokio::time::sleep(Duration::from_secs(waits_s)).await;
            let before = tokio::time::Instant::now();
            party.meet("corner").await?;
            anyhow::ensure!(before.elapsed() >= Duration::from_secs(5 - waits_s), "{} went on", party.role);
            Ok(())
        });
        met.unwrap();
    }

    #[test]
    fn who_waits_in_vain_gives_up() {
        let pair = PAIR.arguments(["pair".to_owned()]).unwrap();
        let alone = PAIR.play(&pair, |party| async move {
            if party.role == "here" { party.meet("corner").await } else { Ok(()) }
        });
        assert!(alone.unwrap_err().to_string().contains("not at its end after 60s"));
    }
}
