//! How a directory is opened.

use super::claim::Claim;
use super::control::{Remote, Served, Server};
use super::database::Database;
use super::owner::Owner;
use super::writer;
use crate::backend::embedded::{Durable, MemoryPubSub, Restoring};
use crate::backend::{Backend, Error, Options};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// How long to wait before looking again for an owner that was just beginning or ending.
const PAUSE: Duration = Duration::from_millis(20);

/// Becomes the owner of `dir`.
pub(in crate::backend) async fn open(dir: PathBuf, options: &Options) -> Result<Backend, Error> {
    let name = name(options).to_owned();
    let place = dir.clone();
    match spawn_blocking(move || become_owner(&place, &name)).await {
        Ok(opened) => opened,
        Err(ended) => Err(Error::file("opening", &dir, &ended)),
    }
}

/// Goes through the owner of `dir`, or becomes it if there is none.
pub(in crate::backend) async fn attach(dir: PathBuf, options: &Options) -> Result<Backend, Error> {
    let until = Instant::now() + options.wait;
    loop {
        match Remote::connect(&dir, name(options)).await {
            Ok(Some(remote)) => return Ok(bundle(&dir, remote)),
            Ok(None) => {}
            Err(problem) => return Err(Error::NotAttached { dir: dir.display().to_string(), problem }),
        }
        match open(dir.clone(), options).await {
            // It does not listen yet, or no more.
            Err(Error::Owned { .. }) if Instant::now() < until => sleep(PAUSE).await,
            done => return done,
        }
    }
}

fn name(options: &Options) -> &str {
    options.client_name.as_deref().unwrap_or("mape")
}

fn url(dir: &Path) -> String {
    format!("file:{}", dir.display())
}

fn bundle(dir: &Path, remote: Remote) -> Backend {
    let remote = Arc::new(remote);
    Backend::new(&url(dir), remote.clone(), remote.clone(), remote.clone()).kept_by(remote)
}

/// Reads all of it, which may take a while; in a thread of a runtime in which it may wait.
fn become_owner(dir: &Path, name: &str) -> Result<Backend, Error> {
    let claim = Claim::take(dir, name)?;
    let database = Database::open(claim.dir())?;
    let durable = Arc::new(Durable::new());
    let mut restoring = Restoring::new(durable.clone());
    database.read(|step| restoring.put(step))?;
    let (store, pubsub) = (restoring.done(), MemoryPubSub::default());
    let shared = Served { store: store.clone(), pubsub: pubsub.clone() };
    let server = Server::start(claim.dir(), shared)
        .map_err(|error| Error::file("listening beside", claim.dir(), &error))?;
    let writer = writer::start(durable.clone(), database, claim.dir())
        .map_err(|error| Error::file("starting a writer for", claim.dir(), &error))?;
    let owner = Arc::new(Owner::new((store.clone(), pubsub.clone()), durable, server, writer, claim));
    let (store, pubsub) = (store.kept_by(owner.clone()), pubsub.kept_by(owner.clone()));
    let backend = Backend::new(&url(dir), Arc::new(store.clone()), Arc::new(pubsub), Arc::new(store));
    Ok(backend.kept_by(owner))
}
