//! Clients that read slowly, and what puts results in.

use super::{told, waiting};
use futures::StreamExt;
use mape::live::{Closed, Delivery, Interest, Live, Settings, Viewer, WhenFull};
use mape::prelude::*;
use serde_json::json;

fn with(client_buffer: usize, when_full: WhenFull) -> Live {
    let mut settings = Settings::default();
    (settings.client_buffer, settings.when_full) = (client_buffer, when_full);
    Live::with(&App::new(), settings, ())
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_loses_the_oldest_and_is_told_how_many() {
    let live = with(3, WhenFull::DropOldest);
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    (0..10).for_each(|n| live.publish("n", n).unwrap());
    let told = told(&mut client);
    assert!(matches!(told[0], Delivery::Missed { count: 7 }), "{told:?}");
    assert_eq!(told.iter().filter_map(super::data).collect::<Vec<_>>(), [7, 8, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_client_is_closed_where_that_is_wanted_and_comes_back_for_the_gap() {
    let live = with(3, WhenFull::Disconnect);
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    (0..6).for_each(|n| live.publish("n", n).unwrap());
    let told: Vec<_> = client.by_ref().collect().await;
    assert!(matches!(told.last(), Some(Delivery::Closed { reason: Closed::TooSlow })), "{told:?}");
    assert_eq!(told.iter().filter_map(super::data).collect::<Vec<_>>(), [0, 1, 2]);
    let Delivery::Part(last) = &told[2] else { panic!() };
    let mut position = live.position();
    position.offset = last.offset().unwrap();
    let mut again = live.connect(Viewer::default());
    assert_eq!(again.state("all", Interest::all(), Some(&position)).unwrap().recovered, Some(true));
    assert_eq!(waiting(&mut again), [3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded_by_size_too() {
    let mut settings = Settings::default();
    settings.client_bytes = 10_000;
    let live = Live::with(&App::new(), settings, ());
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    let large = "x".repeat(4000);
    (0..5).for_each(|n| live.publish("n", json!([n, large])).unwrap());
    let told = told(&mut client);
    assert!(matches!(told[0], Delivery::Missed { count: 3 }), "{}", told.len());
    // A single one may be larger.
    live.publish("n", "x".repeat(20_000)).unwrap();
    assert_eq!(waiting(&mut client).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn elements_channels_events_and_streams_put_results_in() {
    let app = App::new();
    let live = Live::new(&app);
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();

    let element = app.create_loop("car").unwrap().monitor("speed").map(|n: u64| n).spawn().unwrap();
    element.link_sink(live.results("speed"), LinkOptions::new()).unwrap();
    element.start().unwrap();
    let cars = app.channels().source::<u64>("car_*").await.unwrap().bare();
    live.feed("cars", cars.filter_map(|item| std::future::ready(item.ok())));
    let log = app.logs().log("alarms");
    let alarms = log.follow(mape::event::EventId::MIN);
    live.feed("alarms", alarms.filter_map(|entry| async { entry.ok()?.event.ok()?.get("n") }));

    element.push(1).await.unwrap();
    app.channels().publish("car_a", &2).await.unwrap();
    log.append(mape::event::Event::new("alarm").with("n", 3)).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let Some(Delivery::Part(part)) = client.next().await else { panic!() };
        seen.push(format!("{} {}", part.name(), part.data().unwrap()));
    }
    seen.sort();
    assert_eq!(seen, ["alarms 3", "cars 2", "speed 1"]);
}

#[tokio::test(start_paused = true)]
async fn closing_the_server_lets_clients_read_what_waits_and_says_why() {
    let live = Live::new(&App::new());
    let mut client = live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    live.publish("n", 1).unwrap();
    live.close();
    live.publish("n", 2).unwrap();
    let told: Vec<_> = client.by_ref().collect().await;
    assert!(
        matches!(&*told, [Delivery::Part(_), Delivery::Closed { reason: Closed::ShuttingDown }]),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_came_and_went_gives_way_when_too_much_of_it_waits() {
    let live = Live::new(&App::new());
    let mut slow = live.connect(Viewer::default());
    slow.join("tea", (), true, None).unwrap();
    let told_of = 1024;
    for n in 0..3000 {
        drop(live.connect(Viewer::default()).join("tea", n, false, None).unwrap());
        if n == 2900 {
            live.publish("tea", "hot").unwrap();
        }
    }
    let told = told(&mut slow);
    assert!(
        matches!(told[0], Delivery::Missed { count } if usize::try_from(count).unwrap() == 6000 - told_of),
        "{:?}",
        told[0]
    );
    let words = told.iter().filter(|one| matches!(one, Delivery::Presence { .. })).count();
    assert_eq!((words, told.iter().filter_map(super::data).count()), (told_of, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_recovered_only_if_there_is_room_behind_what_waits() {
    let live = with(10, WhenFull::DropOldest);
    let start = live.position();
    (0..6).for_each(|n| live.publish("n", n).unwrap());
    let mut client = live.connect(Viewer::default());
    client.state("m", Interest::named(["m"]), None).unwrap();
    (0..5).for_each(|n| live.publish("m", n).unwrap());
    let stated = client.state("n", Interest::named(["n"]), Some(&start)).unwrap();
    assert_eq!(stated.recovered, Some(false));
    assert_eq!(waiting(&mut client), [0, 1, 2, 3, 4], "nothing gave way");
    let stated = client.state("n", Interest::named(["n"]), Some(&start)).unwrap();
    assert_eq!((stated.recovered, waiting(&mut client).len()), (Some(true), 6));
}
