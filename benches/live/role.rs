//! What the other processes do: they serve, and publish when they are asked to; or run a case that needs no server.

use super::part::Part;
use super::{apart, bare, ours};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Says where it serves, then does what each line asks for, until there is nobody to ask.
pub(super) fn play(of: &str, rest: &[String]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match of {
            "bare" => bare::play().await,
            "ours" => ours::play().await,
            case => apart::play(case, rest).await,
        }
    });
}

/// What is to be published, given as a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Publish {
    /// To so many groups of receivers, one after the other.
    pub(super) groups: u64,
    /// So many times each.
    pub(super) times: u64,
    /// That long apart.
    pub(super) apart: Duration,
    /// So many parts at a time.
    pub(super) together: u64,
}

impl Publish {
    pub(super) fn line(self) -> String {
        let Self { groups, times, apart, together } = self;
        format!("{groups} {times} {} {together}", apart.as_micros())
    }

    fn read(line: &str) -> Self {
        let numbers: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
        let [groups, times, apart, together] = numbers[..] else { panic!("{line} is nothing to publish") };
        Self { groups, times, apart: Duration::from_micros(apart), together }
    }

    /// How many parts each receiver gets.
    pub(super) fn each(self) -> u64 {
        self.times * self.together
    }
}

/// Publishes what each line of the standard input says, by handing parts over with the number of their group.
pub(super) async fn publish(port: u16, mut to: impl AsyncFnMut(u64, Part)) {
    println!("{port}");
    let (tell, mut told) = tokio::sync::mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = told.recv().await {
        let Publish { groups, times, apart, together } = Publish::read(&line);
        let begin = Instant::now();
        for time in 0..times {
            for group in 0..groups {
                let step = u32::try_from(time * groups + group).unwrap();
                sleep_until(begin + apart * step / u32::try_from(groups).unwrap()).await;
                for one in 0..together {
                    to(group, Part::number(time * together + one)).await;
                }
            }
        }
        println!("done");
    }
}
