//! Goals that apps see of each other through a real Redis server, also after it was away.

use crate::goal::apps;
use crate::server::RedisServer;
use crate::suite::eventually;
use futures::StreamExt;
use mape::backend::Backend;
use mape::goal::{Goal, State};
use mape::prelude::App;
use std::time::Duration;
use tokio::time::timeout;

async fn redis() -> Backend {
    Backend::open(&RedisServer::shared_url()).await.unwrap()
}

apps::suite! { redis_goals, super::redis().await }

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_holds_no_goal_up_and_the_newest_verdict_is_written_after_it() {
    let mut server = RedisServer::start();
    let app = App::with_backend(Backend::open(&server.url()).await.unwrap());
    let other = App::with_backend(Backend::open(&server.url()).await.unwrap());
    let goal = app.create_loop("car").unwrap().goal("distance", Goal::<f64>::above(20.0)).unwrap();
    let mut verdicts = goal.subscribe();
    let seen = async || match timeout(Duration::from_secs(1), other.all_goals()).await {
        Ok(Ok(all)) => all.first().map(|one| (one.verdict.state, one.verdict.margin)),
        _ => None,
    };
    goal.push(25.0).await.unwrap();
    eventually("it is written", async || seen().await == Some((State::Met, Some(5.0)))).await;
    server.kill_9();
    for metres in [12.0, 30.0, 11.0] {
        goal.push(metres).await.unwrap();
    }
    let last = async { while verdicts.next().await.is_none_or(|verdict| verdict.margin != Some(-9.0)) {} };
    timeout(Duration::from_secs(10), last).await.expect("verdicts go on");
    server.restart();
    eventually("the newest is written", async || seen().await == Some((State::Violated, Some(-9.0)))).await;
}
