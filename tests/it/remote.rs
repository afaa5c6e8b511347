//! Apps that see and hear each other through one backend; the suite that every backend passes.

use futures::StreamExt;
use mape::app::PeerChange;
use mape::backend::Backend;
use mape::channel::{Error, RemoteError};
use mape::prelude::App;
use mape::stream::Notification;
use std::time::Duration;
use tokio::time::timeout;

/// The tests of all claims here: `suite! { backend, fresh backend }`, with `start_paused = true` where no server runs.
macro_rules! suite {
    ($backend:ident, $world:expr $(, $clock:ident = $paused:literal)?) => {
        crate::suite::tests_of! { $backend, $world, ($($clock = $paused)?), remote:
            what_an_element_emits_is_published_on_its_path_with_errors_and_end,
            announced_apps_see_each_other_come_change_leave_and_die,
            an_app_does_not_see_itself,
        }
    };
}
pub(crate) use suite;

crate::remote::suite! { memory_apps, mape::backend::Backend::memory(), start_paused = true }

pub(crate) async fn what_an_element_emits_is_published_on_its_path_with_errors_and_end(backend: Backend) {
    let app = App::with_backend(backend.clone());
    let detect = app.create_loop("car_panda").unwrap().monitor("detect");
    let detect = detect.try_map(|n: u32| if n == 2 { Err("sensor lost") } else { Ok(n) }).spawn().unwrap();
    let stats = app.publish(&detect).unwrap();
    let mut heard = Box::pin(backend.channels().source::<u32>("car_*.detect").await.unwrap().received());
    detect.start().unwrap();
    for n in 1..=3 {
        detect.push(n).await.unwrap();
    }
    detect.complete();
    let mut next = async || timeout(Duration::from_secs(10), heard.next()).await.unwrap().unwrap();
    let first = next().await;
    assert_eq!(first.channel.unwrap().as_str(), "car_panda.detect");
    assert_eq!(
        (first.origin.unwrap().src.as_str(), first.notification),
        ("car_panda.detect", Notification::Next(1))
    );
    let mut error = RemoteError::new("failed: sensor lost");
    error.path = Some("car_panda.detect".to_owned());
    let error = Error::Remote { channel: "car_panda.detect".into(), error };
    assert_eq!(next().await.notification, Notification::Error(error));
    assert_eq!(next().await.notification, Notification::Next(3));
    assert_eq!(next().await.notification, Notification::Completed);
    assert_eq!((stats.published(), stats.dropped()), (4, 0));
}

pub(crate) async fn announced_apps_see_each_other_come_change_leave_and_die(backend: Backend) {
    let (watcher, car, van) = (
        App::with_backend(backend.clone()),
        App::with_backend(backend.clone()),
        App::with_backend(backend.clone()),
    );
    let remote = watcher.remote("car_*");
    let mut changes = Box::pin(remote.changes());
    let mut next = async || timeout(Duration::from_secs(20), changes.next()).await.unwrap().unwrap();

    let panda = car.create_loop("car_panda").unwrap();
    car.announce().await.unwrap();
    assert!(
        matches!(next().await, PeerChange::Joined(peer) if peer.uid == "car_panda" && peer.ports.is_empty())
    );
    let detect = panda.monitor("detect").map(|on: bool| on).spawn().unwrap();
    detect.expose();
    let PeerChange::Changed(peer) = next().await else { panic!("no change") };
    assert_eq!(
        (peer.ports[0].path.to_string().as_str(), peer.ports[0].input.as_str()),
        ("car_panda.detect", "bool")
    );

    let level = van.level("road").unwrap();
    level.create_loop("car_tipo").unwrap();
    level.create_loop("lorry").unwrap();
    van.announce().await.unwrap();
    let PeerChange::Joined(tipo) = next().await else { panic!("no change") };
    assert_eq!(
        (tipo.uid.as_str(), tipo.level.as_str(), tipo.process),
        ("car_tipo", "road", std::process::id())
    );
    let there: Vec<_> = remote.peers().await.unwrap().into_iter().map(|peer| peer.uid).collect();
    assert_eq!(there, ["car_panda", "car_tipo"]);

    assert!(van.shutdown(Duration::from_secs(5)).await.is_clean());
    assert!(matches!(next().await, PeerChange::Left(peer) if peer.uid == "car_tipo"));
    drop((car, panda, detect));
    assert!(matches!(next().await, PeerChange::Lost(peer) if peer.uid == "car_panda"));
    assert_eq!(remote.peers().await.unwrap(), []);
}

pub(crate) async fn an_app_does_not_see_itself(backend: Backend) {
    let app = App::with_backend(backend);
    app.create_loop("car").unwrap();
    app.announce().await.unwrap();
    assert_eq!(app.remote("*").peers().await.unwrap(), []);
}
