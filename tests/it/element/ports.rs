//! Ports: sinks, feeds, taps, doors, debugging.

use super::{SOON, collect, one_loop, pass, until};
use futures::stream;
use mape::element::{DebugPorts, PushError, State};
use mape::prelude::*;
use std::sync::Arc;

#[tokio::test]
async fn a_sink_that_is_dropped_takes_itself_away_and_one_that_is_closed_completes() {
    let (_app, l) = one_loop();
    let (all, got) = collect::<u64>(&l, "all");
    let mut sink = all.sink();
    sink.send_all(&mut stream::iter((0..1000).map(Ok))).await.unwrap();
    drop(sink);
    until("all arrive", || got.lock().len() == 1000).await;
    assert_eq!(all.state(), State::Running);
    stream::iter((1000..2000).map(Ok)).forward(all.sink()).await.unwrap();
    assert_eq!(all.wait_for_state(|s| !s.is_active()).await, State::Completed);
    assert!(got.lock().iter().copied().eq(0..2000));
}

#[tokio::test]
async fn a_stream_fed_in_waits_while_the_element_is_stopped() {
    let (_app, l) = one_loop();
    let (all, got) = collect::<u64>(&l, "all");
    all.stop();
    all.feed(stream::iter(0..10));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(got.lock().is_empty());
    all.start().unwrap();
    all.wait_for_state(|s| s == State::Completed).await;
    assert!(got.lock().iter().copied().eq(0..10), "nothing of it was skipped");
}

#[tokio::test]
async fn taps_hold_nothing_up_and_count_what_they_drop() {
    let (_app, l) = one_loop();
    let e = l.monitor("e").map(|x: u64| x * 10).spawn().unwrap();
    e.start().unwrap();
    let (all, got) = collect::<u64>(&l, "all");
    e.link(&all).unwrap();
    let (mut input, mut output) = (e.tap_in(4), e.tap_out(4));
    for x in 0..100 {
        e.push(x).await.unwrap();
    }
    until("all pass", || got.lock().len() == 100).await;
    let take = |s: &mut Subscription<u64>| std::iter::from_fn(|| s.try_next()).collect::<Vec<_>>();
    assert_eq!((input.stats().dropped, output.stats().dropped), (96, 96));
    assert_eq!(take(&mut input), [96, 97, 98, 99]);
    assert_eq!(take(&mut output), [960, 970, 980, 990]);
}

#[tokio::test]
async fn a_full_port_refuses_try_push_and_gives_the_item_back() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    assert!(e.pause());
    let refused = (0..10_000).find_map(|x| e.try_push(x).err()).unwrap();
    assert!(matches!(refused, PushError::Full { .. }), "{refused}");
    assert_eq!(refused.into_item(), 1024);
}

#[tokio::test]
async fn an_error_pushed_into_a_port_passes_through_in_order() {
    let (_app, l) = one_loop();
    let (a, b) = (pass::<u64>(&l, "a"), pass::<u64>(&l, "b"));
    a.link(&b).unwrap();
    let mut out = b.subscribe();
    a.push(1).await.unwrap();
    a.push_error("sensor gone");
    a.push(2).await.unwrap();
    assert_eq!(out.next_signal().await.unwrap().unwrap(), 1);
    assert_eq!(
        out.next_signal().await.unwrap().unwrap_err().to_string(),
        "l.a: was told of an error: sensor gone"
    );
    assert_eq!(out.next_signal().await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn exposed_ports_speak_json_and_refuse_what_does_not_fit() {
    let (app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    e.expose();
    let door = app.door("l.e").unwrap();
    let (mut json, mut typed) = (door.subscribe_json(), e.subscribe());
    door.push_json(b"3").await.unwrap();
    assert!(door.push_json(b"\"x\"").await.is_err());
    assert_eq!(typed.next().await, Some(3));
    assert_eq!(json.next().await.unwrap(), b"3");
    assert!(app.door("l.other").is_none());
}

#[tokio::test]
async fn a_sink_gets_all_that_is_emitted_and_is_closed_at_the_end() {
    let (app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let (to, from) = futures::channel::mpsc::channel(4);
    e.link_sink(to, LinkOptions::new()).unwrap();
    e.feed(stream::iter(0..5_000));
    let got: Vec<u64> = tokio::time::timeout(SOON, from.collect()).await.unwrap();
    assert!(got.into_iter().eq(0..5_000));
    assert!(app.shutdown(SOON).await.is_clean());
}

#[tokio::test]
async fn a_sink_that_fails_is_an_error_of_the_element_and_the_others_go_on() {
    let (_app, l) = one_loop();
    let e = pass::<u64>(&l, "e");
    let (to, from) = futures::channel::mpsc::channel(1);
    e.link_sink(to, LinkOptions::new()).unwrap();
    drop(from);
    let (all, got) = collect::<u64>(&l, "all");
    e.link(&all).unwrap();
    for x in 0..100 {
        e.push(x).await.unwrap();
    }
    until("the others get everything", || got.lock().len() == 100).await;
    until("the loss is an error", || e.info().errors == 1).await;
}

/// Gathers what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<parking_lot::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn debug_logs_what_comes_in_and_goes_out() {
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || to.clone()).finish();
    let _on = tracing::subscriber::set_default(subscriber);
    let (_app, l) = one_loop();
    let e = l.monitor("e").map(|x: u64| x * 10).spawn().unwrap();
    e.start().unwrap();
    let mut out = e.subscribe();
    for (what, x) in [(DebugPorts::Both, 1), (DebugPorts::In, 2), (DebugPorts::Out, 3), (DebugPorts::Off, 4)]
    {
        e.debug(what);
        e.push(x).await.unwrap();
        out.next().await.unwrap();
    }
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    let lines: Vec<_> = text.lines().map(|l| l.rsplit_once("element=").unwrap().1).collect();
    assert_eq!(
        lines,
        [
            "l.e port=\"in\" item=1",
            "l.e port=\"out\" item=10",
            "l.e port=\"in\" item=2",
            "l.e port=\"out\" item=30",
        ]
    );
}
