//! Memory of idle elements: what each of 100,000 adds to the resident set, beside a bare task with a channel.
//!
//! `cargo bench -p mape-benches --bench idle`, with `-- --json` for a line of JSON a case. Every case runs in a process
//! of its own, so that none finds the memory of another.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]

use mape::prelude::*;
use std::process::Command;
use tokio::sync::mpsc;

const ELEMENTS: usize = 100_000;
const CASES: [&str; 3] = ["tokio_task_mpsc", "element", "element_linked"];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(case) = args.iter().find_map(|a| a.strip_prefix("--case=")) {
        println!("{}", bytes_each(case));
        return;
    }
    // Names given select benchmarks, as they do for the other target of `cargo bench`.
    if args.iter().any(|a| !a.starts_with('-') && !"idle".contains(a.as_str())) {
        return;
    }
    let json = args.iter().any(|a| a == "--json");
    let measured = CASES.map(|case| (case, in_own_process(case)));
    let [(_, baseline), ..] = measured;
    if !json {
        println!("bytes of resident memory for each of {ELEMENTS} idle\n");
        println!("{:<18}{:>8}{:>8}", "case", "bytes", "ratio");
    }
    for (case, bytes) in measured {
        let ratio = bytes as f64 / baseline as f64;
        if json {
            println!(
                r#"{{"bench":"idle","case":"{case}","value":{bytes},"unit":"bytes","baseline":{baseline},"ratio":{ratio:.3}}}"#
            );
        } else {
            println!("{case:<18}{bytes:>8}{ratio:>8.2}");
        }
    }
}

fn in_own_process(case: &str) -> u64 {
    let output =
        Command::new(std::env::current_exe().unwrap()).arg(format!("--case={case}")).output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn bytes_each(case: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let case = case.to_owned();
    runtime.block_on(async move {
        let before = resident();
        let after = match case.as_str() {
            "tokio_task_mpsc" => tasks().await,
            "element" => elements(false).await,
            _ => elements(true).await,
        };
        after.saturating_sub(before) / ELEMENTS as u64
    })
}

/// A task that waits for its channel of as many items as a link holds by default.
async fn tasks() -> u64 {
    let mut senders = Vec::new();
    for _ in 0..ELEMENTS {
        let (sender, mut items) = mpsc::channel::<u64>(1024);
        senders.push(sender);
        tokio::spawn(async move {
            while let Some(x) = items.recv().await {
                std::hint::black_box(x);
            }
        });
    }
    settled().await
}

/// Started elements that have seen no item; linked, each to the next, or not.
async fn elements(linked: bool) -> u64 {
    let app = App::new();
    let line = app.create_loop("line").unwrap();
    let mut elements: Vec<Element<u64, u64>> = Vec::new();
    for i in 0..ELEMENTS {
        let element =
            line.monitor(&format!("m{i}")).ops_in(Operators::distinct_until_changed).map(|x: u64| x + 1);
        let element = element.spawn().unwrap();
        if linked && let Some(last) = elements.last() {
            last.link(&element).unwrap();
        }
        element.start().unwrap();
        elements.push(element);
    }
    settled().await
}

/// The resident set once every task has been polled and waits.
async fn settled() -> u64 {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    resident()
}

/// Bytes of this process that are in memory (Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}
