//! Keeps the shared connection: one task, for as long as there is a handle.

use super::link::{Ended, Link};
use super::obstacle::Obstacle;
use super::settings::Settings;
use super::shared::Shared;
use super::topology;
use crate::backend::Error;
use crate::stream::Backoff;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{info, warn};

/// How long an outage is young: so long attempts are frequent.
const YOUNG: Duration = Duration::from_secs(60);
/// How long what is under way on a connection out of use may take.
const GRACE: Duration = Duration::from_secs(5);

/// The wait before attempt `n` of an outage that has lasted so long.
pub(super) fn pause(n: u32, outage: Duration) -> Duration {
    let ceiling = Duration::from_secs(if outage < YOUNG { 1 } else { 5 });
    Backoff::exponential(Duration::from_millis(50), ceiling).wait(n).unwrap_or(ceiling)
}

/// The first connection: waits for a server that is not there yet, but for none that refuses.
pub(super) async fn first(
    shared: &Arc<Shared>,
    settings: &Settings,
    patience: Duration,
) -> Result<(Arc<Link>, Ended), Error> {
    let begun = Instant::now();
    let mut attempts = 0;
    loop {
        // However short the patience is, one attempt is made in earnest.
        let left = patience.saturating_sub(begun.elapsed()).max(Duration::from_secs(1));
        let attempt = timeout(left, establish(shared, settings)).await;
        let (address, cause) = match attempt {
            Ok(Ok(established)) => return Ok(established),
            Ok(Err(Obstacle::Passing { address, cause })) => (address.to_string(), cause),
            Ok(Err(Obstacle::Denied { address, reason })) => {
                return Err(Error::Denied { address: address.to_string(), reason });
            }
            Ok(Err(Obstacle::Final(error))) => return Err(error),
            Err(_) => (settings.endpoint.to_string(), "no answer in time".to_owned()),
        };
        if attempts == 0 && !patience.is_zero() {
            warn!("waiting for redis at {address}: {cause}");
        }
        let wait = pause(attempts, begun.elapsed());
        if begun.elapsed() + wait >= patience {
            let waited = begun.elapsed();
            return Err(Error::Unreachable { url: settings.endpoint.to_string(), address, waited, cause });
        }
        attempts += 1;
        sleep(wait).await;
    }
}

async fn establish(shared: &Arc<Shared>, settings: &Settings) -> Result<(Arc<Link>, Ended), Obstacle> {
    let address = topology::find(settings).await?;
    let listener = shared.clone();
    let pushes = Arc::new(move |push| listener.control.take(&push));
    let (link, ended) = Link::open(settings, &address, shared.next_epoch(), Some(pushes)).await?;
    if let Some(channel) = shared.control.channel() {
        let subscribed = timeout(GRACE, link.connection().subscribe(channel)).await;
        let problem = match subscribed {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(problem) = problem {
            return Err(Obstacle::passing(&address, format!("subscribing to {channel}: {problem}")));
        }
    }
    Ok((Arc::new(link), ended))
}

/// Watches over the connection and makes a new one whenever it is lost; never ends by itself.
pub(super) async fn keep(
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    mut link: Arc<Link>,
    mut ended: Ended,
) {
    let mut retired = Retired(None);
    loop {
        shared.up(link.clone());
        let over = tokio::select! {
            biased;
            over = until_over(&shared, &link, &mut ended) => over,
            never = retired.forever() => match never {},
        };
        let lost = Instant::now();
        shared.down(&over);
        warn!(address = %link.address, "the connection to redis is out of use: {}", shared.cause());
        if let Over::Retired = over {
            retired = Retired(Some((link, lost + GRACE)));
        } else {
            link.close();
        }
        (link, ended) = tokio::select! {
            again = again(&shared, &settings, lost) => again,
            never = retired.forever() => match never {},
        };
        info!(address = %link.address, outage = ?lost.elapsed(), "connected to redis again");
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
        while !link.is_gone() {
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

/// Connects, however often it takes.
async fn again(shared: &Arc<Shared>, settings: &Settings, lost: Instant) -> (Arc<Link>, Ended) {
    let mut attempts = 0;
    let mut warned = false;
    loop {
        let obstacle = match establish(shared, settings).await {
            Ok(established) => return established,
            Err(obstacle) => obstacle,
        };
        shared.because(&obstacle);
        let wait = if let Obstacle::Passing { .. } = obstacle {
            pause(attempts, lost.elapsed())
        } else {
            // A person has to act; hurry only fills the server's log.
            if !std::mem::replace(&mut warned, true) {
                warn!("redis refuses the connection, which is tried again and again: {obstacle}");
            }
            pause(u32::MAX, YOUNG)
        };
        attempts += 1;
        sleep(wait).await;
    }
}
