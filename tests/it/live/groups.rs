//! Groups: who is in them, and who may be.

use super::{told, waiting};
use mape::live::{Delivery, Error, Live, Security, Settings, Viewer};
use mape::prelude::*;
use serde_json::json;

fn presence(told: &[Delivery]) -> Vec<(String, bool)> {
    let one = |delivery: &Delivery| match delivery {
        Delivery::Presence { member, joined, .. } => {
            Some((member.info["nick"].as_str()?.to_owned(), *joined))
        }
        _ => None,
    };
    told.iter().filter_map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn members_get_what_is_published_and_see_who_comes_and_goes() {
    let live = Live::new(&App::new());
    let mut joe = live.connect(Viewer::default());
    joe.join("tea*", json!({"nick": "joe"}), true, None).unwrap();
    let mut jane = live.connect(Viewer::named("jane"));
    jane.join("tea*", json!({"nick": "jane"}), false, None).unwrap();
    let mut other = live.connect(Viewer::default());
    other.join("tease", json!({"nick": "other"}), true, None).unwrap();
    live.publish("tea*", "hot").unwrap();
    assert_eq!(waiting(&mut jane), ["hot"]);
    assert!(waiting(&mut other).is_empty());
    let names: Vec<_> = live.members("tea*").iter().map(|m| m.info["nick"].clone()).collect();
    assert_eq!(names, ["joe", "jane"]);
    drop(jane);
    let told = told(&mut joe);
    assert_eq!(presence(&told), [("jane".to_owned(), true), ("jane".to_owned(), false)]);
    assert!(joe.leave("tea*") && !joe.leave("tea*"));
    assert!(live.members("tea*").is_empty());
    live.publish("tea*", "cold").unwrap();
    assert!(waiting(&mut joe).is_empty());
}

#[tokio::test(start_paused = true)]
async fn groups_need_permission() {
    struct Staff;
    impl Security for Staff {
        fn may_join(&self, viewer: &Viewer, group: &str) -> bool {
            group != "staff" || viewer.role.as_deref() == Some("admin")
        }
    }
    let live = Live::with(&App::new(), Settings::default(), Staff);
    let joe = live.connect(Viewer::named("joe").with_role("read"));
    let refused = joe.join("staff", (), false, None).unwrap_err();
    assert_eq!(refused.to_string(), "joe may not join the group `staff`");
    assert!(matches!(joe.members("staff"), Err(Error::Forbidden { .. })));
    live.connect(Viewer::named("ada").with_role("admin")).join("staff", (), false, None).unwrap();
}

#[tokio::test(start_paused = true)]
async fn others_are_shown_an_id_with_which_nobody_can_act_for_a_member() {
    let live = Live::new(&App::new());
    let mut joe = live.connect(Viewer::default());
    joe.join("tea", (), true, None).unwrap();
    let jane = live.connect(Viewer::default());
    jane.join("tea", (), true, None).unwrap();
    let Some(Delivery::Presence { member, .. }) = told(&mut joe).pop() else { panic!() };
    assert_eq!((&member.client, &live.members("tea")[1].client), (jane.public_id(), jane.public_id()));
    assert!(live.client(&member.client).is_none() && live.client(jane.id()).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_member_shows_of_itself_is_short() {
    let live = Live::new(&App::new());
    let client = live.connect(Viewer::default());
    client.join("tea", "x".repeat(4094), false, None).unwrap();
    let error = client.join("tea", "x".repeat(4095), false, None).unwrap_err();
    assert!(matches!(error, Error::Info { limit: 4096, length: 4097 }), "{error}");
}
