//! The backend `file:`: the suites that every backend passes, as the owner of a directory and through one, and what is
//! its own: what survives, who owns it, and what it refuses.

mod control;
mod crash;
mod full;
mod model;
mod place;
mod reopening;

use crate::{channel, event, knowledge};
use mape::backend::{Backend, Options};
use mape::knowledge::Scope;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that does not exist yet; those of former runs are removed.
pub(crate) fn fresh_dir() -> PathBuf {
    static TIDIED: Once = Once::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("file");
    TIDIED.call_once(|| {
        for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let of = name.split('-').next().unwrap();
            if !Path::new("/proc").join(of).exists() {
                // Another run may be at it too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    });
    fs::create_dir_all(&all).unwrap();
    all.join(format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
}

fn url(dir: &Path) -> String {
    format!("file:{}", dir.display())
}

pub(crate) async fn open(dir: &Path) -> Backend {
    Backend::open(&url(dir)).await.unwrap()
}

async fn owner() -> Backend {
    open(&fresh_dir()).await
}

/// A client of an owner in this process.
async fn attached() -> Backend {
    let dir = fresh_dir();
    let owner = open(&dir).await;
    let client = Backend::attach(&url(&dir), Options::default()).await.unwrap();
    // Ends with the runtime of the test.
    tokio::spawn(async move {
        let _owner = owner;
        std::future::pending::<()>().await;
    });
    client
}

knowledge::conformance::suite! { owner_conforms, super::owner().await.knowledge(super::Scope::App) }
knowledge::guarding::suite! { owner_guards, super::owner().await.knowledge(super::Scope::App) }
knowledge::watching::suite! { owner_tells, super::owner().await.knowledge(super::Scope::App) }
channel::conformance::suite! { owner_carries, super::owner().await.channels() }
event::conformance::suite! { owner_logs, super::owner().await }
event::groups::suite! { owner_groups, super::owner().await }
event::receipts::suite! { owner_receipts, super::owner().await }
event::together::suite! { owner_together, super::owner().await }

knowledge::conformance::suite! { attached_conforms, super::attached().await.knowledge(super::Scope::App) }
knowledge::guarding::suite! { attached_guards, super::attached().await.knowledge(super::Scope::App) }
knowledge::watching::suite! { attached_tells, super::attached().await.knowledge(super::Scope::App) }
channel::conformance::suite! { attached_carries, super::attached().await.channels() }
event::conformance::suite! { attached_logs, super::attached().await }
event::groups::suite! { attached_groups, super::attached().await }
event::receipts::suite! { attached_receipts, super::attached().await }
event::together::suite! { attached_together, super::attached().await }

crate::queue::conformance::suite! { owner_queues, super::owner().await }
crate::queue::conformance::suite! { attached_queues, super::attached().await }
crate::queue::holding::suite! { owner_queues_hold, super::owner().await }
crate::queue::holding::suite! { attached_queues_hold, super::attached().await }

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    for backend in [owner().await, attached().await] {
        let fresh = |name: &str| backend.knowledge(Scope::Loop(name.into()));
        knowledge::conformance::eight_writers_lose_no_increment(fresh("a")).await;
        knowledge::guarding::each_item_goes_to_exactly_one_of_many_takers(fresh("b")).await;
        knowledge::guarding::a_lock_has_one_holder_at_a_time(fresh("c")).await;
        knowledge::watching::changes_of_one_key_come_in_the_order_of_its_values(fresh("d")).await;
    }
}
