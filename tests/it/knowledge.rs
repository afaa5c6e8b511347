//! Knowledge: the suite that every store passes, and what is the memory's own.

pub(crate) mod conformance;
pub(crate) mod guarding;
pub(crate) mod model;
pub(crate) mod watching;

use mape::backend::Backend;
use mape::knowledge::{Filter, Knowledge, Scope};

fn memory() -> Knowledge {
    Backend::memory().knowledge(Scope::App)
}

conformance::suite! { memory_conforms, super::memory(), start_paused = true }
guarding::suite! { memory_guards, super::memory(), start_paused = true }
watching::suite! { memory_tells, super::memory(), start_paused = true }

#[tokio::test]
async fn two_memories_are_separate_worlds_and_clones_share_one() {
    let (one, other) = (Backend::memory(), Backend::memory());
    one.clone().knowledge(Scope::App).value::<u8>("n").set(&1).await.unwrap();
    assert_eq!(one.knowledge(Scope::App).value::<u8>("n").get().await.unwrap(), Some(1));
    assert_eq!(other.knowledge(Scope::App).value::<u8>("n").get().await.unwrap(), None);
}

#[tokio::test]
async fn knowledge_works_without_any_server() {
    // PyMAPE's knowledge is nothing at all without Redis.
    let k = Backend::open("memory:").await.unwrap().knowledge(Scope::Loop("ambulance".into()));
    k.set::<String>("cars").add("panda").await.unwrap();
    assert_eq!(k.set::<String>("cars").len().await.unwrap(), 1);
}

#[tokio::test]
async fn the_keys_of_a_lock_lie_in_its_scope() {
    // PyMAPE's `create_lock` forgets the prefix, so that the locks of two loops are one.
    let k = memory();
    let of = |uid: &str| k.scoped(Scope::Loop(uid.into())).lock("bridge");
    let _one = of("a").acquire().await.unwrap();
    let _two = of("b").try_acquire().await.unwrap().expect("another loop's lock");
    assert_eq!(of("a").key().as_str(), "k.loop.a.bridge");
}

#[tokio::test]
async fn watching_ends_with_the_last_handle_of_the_memory() {
    use futures::StreamExt;
    let k = memory();
    let changes = k.watch(Filter::all()).await.unwrap();
    k.value::<u8>("n").set(&1).await.unwrap();
    drop(k);
    assert_eq!(changes.count().await, 1);
}

#[test]
fn without_a_runtime_a_key_still_ceases_when_its_time_has_ended() {
    let k = memory();
    let value = k.value::<u8>("n");
    futures::executor::block_on(async {
        value.set_for(&1, std::time::Duration::ZERO).await.unwrap();
        assert_eq!(value.get().await.unwrap(), None);
    });
}

#[tokio::test]
async fn local_values_are_shared_by_clones_of_the_handle_only_and_need_no_serde() {
    struct NoSerde(u8);
    let k = memory();
    k.local().set("it", std::sync::Arc::new(NoSerde(7)));
    assert_eq!(k.clone().local().get::<std::sync::Arc<NoSerde>>("it").unwrap().0, 7);
    assert!(k.scoped(Scope::App).local().get::<std::sync::Arc<NoSerde>>("it").is_none());
    assert!(!k.keyspace().exists("it").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    conformance::eight_writers_lose_no_increment(memory()).await;
    guarding::each_item_goes_to_exactly_one_of_many_takers(memory()).await;
    guarding::a_lock_has_one_holder_at_a_time(memory()).await;
    watching::changes_of_one_key_come_in_the_order_of_its_values(memory()).await;
}
