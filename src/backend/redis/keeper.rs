//! Keeps the shared connection: one task, for as long as there is a handle.

use super::address::Address;
use super::link::{Ended, Link};
use super::obstacle::Obstacle;
use super::pauses::Pauses;
use super::settings::Settings;
use super::shared::Shared;
use super::topology::Finder;
use crate::backend::Error;
use redis::Value;
use std::convert::Infallible;
use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

/// How long what is under way on a connection out of use may take.
const GRACE: Duration = Duration::from_secs(5);

/// Makes the shared connection, the first time and ever again.
pub(super) struct Keeper {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Arc<Settings>,
    pub(super) finder: Finder,
}

impl Keeper {
    /// The first connection: waits for a server that is not there yet, but for none that refuses.
    pub(super) async fn first(&self, patience: Duration) -> Result<(Arc<Link>, Ended), Error> {
        let url = || self.settings.endpoint.to_string();
        let begun = Instant::now();
        let mut pauses = Pauses::default();
        let mut warned = patience.is_zero();
        loop {
            // However short the patience is, one attempt is made in earnest.
            let left = patience.saturating_sub(begun.elapsed()).max(Duration::from_secs(1));
            let (address, cause) = match timeout(left, self.establish()).await {
                Ok(Ok(established)) => return Ok(established),
                Ok(Err(Obstacle::Passing { address, cause })) => (address.to_string(), cause),
                Ok(Err(Obstacle::Replica(address))) => {
                    (address.to_string(), "it is a replica, which takes no writes".to_owned())
                }
                Ok(Err(Obstacle::Denied { address, reason })) => {
                    return Err(Error::Denied { address: address.to_string(), reason });
                }
                Ok(Err(Obstacle::Final(error))) => return Err(error),
                Err(_) => (self.settings.first_address().to_string(), self.settings.silence().to_owned()),
            };
            if !mem::replace(&mut warned, true) {
                warn!("waiting for redis at {address}: {cause}");
            }
            let pause = pauses.next();
            if begun.elapsed() + pause >= patience {
                return Err(Error::Unreachable { url: url(), address, waited: begun.elapsed(), cause });
            }
            sleep(pause).await;
        }
    }

    /// One attempt.
    async fn establish(&self) -> Result<(Arc<Link>, Ended), Obstacle> {
        let address = self.finder.find().await?;
        let established = self.connect(&address).await;
        if established.is_err() {
            self.finder.doubt();
        }
        established
    }

    async fn connect(&self, address: &Address) -> Result<(Arc<Link>, Ended), Obstacle> {
        let control = self.shared.control.clone();
        let pushes = Arc::new(move |push| control.take(&push));
        let (link, ended) =
            Link::open(&self.settings, address, self.shared.next_epoch(), Some(pushes)).await?;
        if let Some(listen) = self.shared.control.command() {
            match timeout(GRACE, link.connection().send_packed_command(&listen)).await {
                Ok(Ok(Value::ServerError(error))) => return Err(Obstacle::refused(address, error)),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(Obstacle::passing(address, error)),
                Err(_) => return Err(Obstacle::passing(address, self.settings.silence())),
            }
        }
        Ok((Arc::new(link), ended))
    }

    /// Watches over the connection and makes a new one whenever it is lost; never ends by itself.
    pub(super) async fn keep(self, mut link: Arc<Link>, mut ended: Ended) {
        let mut retired = Retired(None);
        let mut pauses = Pauses::default();
        loop {
            let up = Instant::now();
            let over = tokio::select! {
                biased;
                over = until_over(&self.shared, &link, &mut ended) => over,
                never = retired.forever() => match never {},
            };
            let lost = Instant::now();
            self.shared.down(&over);
            warn!(address = %link.address, "the connection to redis is out of use: {}", self.shared.cause());
            if let Over::Retired = over {
                retired = Retired(Some((link, lost + GRACE)));
            } else {
                link.close();
            }
            pauses.lost_after(up.elapsed());
            (link, ended) = tokio::select! {
                again = self.again(&mut pauses) => again,
                never = retired.forever() => match never {},
            };
            self.shared.up(link.clone());
            info!(address = %link.address, outage = ?lost.elapsed(), "connected to redis again");
        }
    }

    /// Connects, however often it takes.
    async fn again(&self, pauses: &mut Pauses) -> (Arc<Link>, Ended) {
        let mut warned = false;
        loop {
            sleep(pauses.before()).await;
            let obstacle = match self.establish().await {
                Ok(established) => return established,
                Err(obstacle) => obstacle,
            };
            self.shared.because(obstacle.to_string());
            if !obstacle.is_passing() {
                // A person has to act; hurry only fills the server's log.
                pauses.slow_down();
                if !mem::replace(&mut warned, true) {
                    warn!("redis refuses the connection, which is tried again and again: {obstacle}");
                }
            }
        }
    }
}

/// How a connection ended.
pub(super) enum Over {
    Lost,
    Silent,
    /// Its server is not the one to talk to any more.
    Retired,
}

async fn until_over(shared: &Shared, link: &Link, ended: &mut Ended) -> Over {
    let retired = async {
        // A permit may be left from an earlier connection.
        while !link.is_retired() {
            shared.retired.notified().await;
        }
    };
    tokio::select! {
        biased;
        _ = ended => Over::Lost,
        () = link.silence() => Over::Silent,
        () = retired => Over::Retired,
    }
}

/// A connection out of use, kept until what is under way on it has been answered.
struct Retired(Option<(Arc<Link>, Instant)>);

impl Retired {
    /// Drops the connection when it is time.
    async fn forever(&mut self) -> Infallible {
        if let Some((_, until)) = &self.0 {
            sleep_until(*until).await;
            self.0 = None;
        }
        pending().await
    }
}
