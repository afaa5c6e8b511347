//! Each party in a process of its own, on a real Redis server.

use super::{documented, example, lines};
use crate::server::RedisServer;

/// What a party says, in alphabetical order: a master hears its slaves in any. Which lanes changed hands is left out: it
/// may take one more move when a region is slow.
fn said_by(role: &str, lines: &[String]) -> Vec<String> {
    let own = |line: &&String| line.split_whitespace().next() == Some(role) && !line.contains(" gives ");
    let mut said: Vec<_> = lines.iter().filter(own).cloned().collect();
    said.sort();
    said
}

/// Plays a program with a process for each role, the last named started first, twice on the same server.
fn play(name: &str, roles: &[&str]) {
    let together = documented(name);
    // Its own: channels are the same in all databases of a server.
    let server = RedisServer::start();
    let url = server.url();
    for run in ["first", "second"] {
        let start = |role: &&str| {
            let arguments = ["--backend", &url, "--role", role, "--seconds", "30"];
            ((*role).to_owned(), example(name).args(arguments).spawn().unwrap())
        };
        let parties: Vec<_> = roles.iter().rev().map(start).collect();
        // All of them first, so that none is left behind when one has failed.
        let ended: Vec<_> =
            parties.into_iter().map(|(role, process)| (role, process.wait_with_output().unwrap())).collect();
        for (role, output) in ended {
            let apart = said_by(&role, &lines(output));
            assert_eq!(apart, said_by(&role, &together), "{name}: {role} in its {run} run");
            assert!(!apart.is_empty());
        }
    }
}

#[test]
fn cars_apart_share_what_they_see() {
    play("information_sharing", &["veyron", "countach", "panda"]);
}

#[test]
fn cars_apart_agree() {
    play("coordinated_control", &["veyron", "countach", "panda"]);
}

#[test]
fn a_master_apart_judges_its_slaves() {
    play("master_slave", &["master", "veyron", "countach", "panda"]);
}

#[test]
fn regions_apart_share_their_lanes() {
    play("regional_planning", &["up", "down"]);
}

#[test]
fn a_loop_apart_steers_those_below_it() {
    play("hierarchical_control", &["convoy", "countach", "panda"]);
}

#[test]
fn an_ambulance_hears_a_car_apart() {
    play("ambulance_redis", &["car_panda", "ambulance"]);
}
