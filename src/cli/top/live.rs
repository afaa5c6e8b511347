//! The live view: what is heard, what is wanted, and the picture of both.

use super::super::service::Service;
use super::super::signal::told_to_end;
use super::answers::Topology;
use super::feed::Feed;
use super::keys::action;
use super::looking::Looking;
use super::model::{Model, News};
use super::screen::Screen;
use super::view::{Paint, draw};
use anyhow::{Context, Result};
use crossterm::event::{Event, EventStream, KeyEventKind};
use crossterm::style::Colored;
use futures::StreamExt;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Nothing was heard for that long: nothing has changed.
const STILL: Duration = Duration::from_millis(700);

pub(super) async fn run(service: Service, topology: Topology, every: Duration) -> Result<()> {
    let mut model = Model::new(&service.shown());
    model.hear(News::Topology(topology), Instant::now());
    let mut feed = Feed::of(service, every);
    let mut looking = Looking::default();
    // What there was when the picture was told to stand still.
    let mut paused: Option<Model> = None;
    let mut told = pin!(told_to_end()?);
    let mut screen = Screen::take()?;
    let mut events = EventStream::new();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let is_to_draw = tokio::select! {
            biased;
            () = told.as_mut() => return Ok(()),
            event = events.next() => match event {
                None => return Ok(()),
                // The terminal has gone.
                Some(Err(error)) => return Err(error).context("reading keys"),
                Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                    match action(key, looking.is_typing) {
                        Some(action) if !looking.act(action, paused.as_ref().unwrap_or(&model)) => return Ok(()),
                        wanted => wanted.is_some(),
                    }
                }
                Some(Ok(Event::Resize(..))) => true,
                Some(Ok(_)) => false,
            },
            _ = ticks.tick() => {
                if heard.elapsed() > STILL {
                    model.still(Instant::now());
                }
                true
            }
            Some(news) = feed.news.recv() => {
                let now = Instant::now();
                if matches!(news, News::Topology(_) | News::Counters(_)) {
                    heard = now;
                }
                let is_seen_at_once = matches!(news, News::Element(_) | News::Run(..) | News::Away(_));
                model.hear(news, now);
                is_seen_at_once
            }
        };
        if is_to_draw {
            if looking.is_paused {
                paused.get_or_insert_with(|| model.clone());
            } else {
                paused = None;
            }
            let seen = paused.as_ref().unwrap_or(&model);
            feed.look_closer(looking.closer(seen));
            let paint = Paint::now(!Colored::ansi_color_disabled_memoized(), every);
            let drawn = screen.terminal.draw(|frame| {
                let area = frame.area();
                draw(frame.buffer_mut(), area, seen, &mut looking, &paint);
            });
            drawn.context("writing to the terminal")?;
        }
    }
}
