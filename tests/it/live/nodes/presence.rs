//! Groups reach over all nodes.

use super::{next, node};
use crate::suite::eventually;
use mape::backend::Backend;
use mape::live::{Delivery, Live};
use serde_json::json;

super::claims! { live::nodes::presence:
    members_are_seen_at_all_nodes_and_leave_with_theirs,
}

fn nicks(live: &Live) -> Vec<String> {
    let mut nicks: Vec<_> =
        live.members("tea").iter().map(|m| m.info["nick"].as_str().unwrap().to_owned()).collect();
    nicks.sort();
    nicks
}

async fn told_of(client: &mut mape::live::Client) -> (String, bool) {
    match next(client, 1).await.remove(0) {
        Delivery::Presence { member, joined, .. } => {
            (member.info["nick"].as_str().unwrap().to_owned(), joined)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn members_are_seen_at_all_nodes_and_leave_with_theirs(backend: Backend) {
    let [a, b] = [node(&backend).await, node(&backend).await];
    let mut joe = a.client();
    joe.join("tea", json!({"nick": "joe"}), true, None).unwrap();
    let jane = b.client();
    jane.join("tea", json!({"nick": "jane"}), false, None).unwrap();
    assert_eq!(told_of(&mut joe).await, ("jane".into(), true));
    assert_eq!(nicks(&a.live), ["jane", "joe"]);
    eventually("both are seen at b", || async { nicks(&b.live) == ["jane", "joe"] }).await;
    // One that comes later sees them, too.
    let c = node(&backend).await;
    eventually("both are seen at c", || async { nicks(&c.live) == ["jane", "joe"] }).await;
    let ann = c.client();
    ann.join("tea", json!({"nick": "ann"}), false, None).unwrap();
    assert_eq!(told_of(&mut joe).await, ("ann".into(), true));
    // What is published under its name reaches members everywhere.
    b.live.publish("tea", "hot").unwrap();
    assert!(matches!(next(&mut joe, 1).await[0], Delivery::Part(_)));
    jane.leave("tea");
    assert_eq!(told_of(&mut joe).await, ("jane".into(), false));
    // As if its process died: what it would still say nobody hears.
    drop(ann);
    drop(c);
    assert_eq!(told_of(&mut joe).await, ("ann".into(), false));
    assert_eq!(nicks(&a.live), ["joe"]);
    b.live.close();
}
