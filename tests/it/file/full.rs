//! A disk that is full, and then no more: by a limit on the size of files, which any user can set for a process.

use super::{fresh_dir, open};
use crate::suite::eventually;
use mape::event::Event;
use mape::knowledge::{Error, Scope};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The name of the test; it runs itself again in a process of its own.
const NAME: &str = "file::full::a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing";

#[test]
fn a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing() {
    if let Some(dir) = std::env::var_os("FILLING") {
        return fill(Path::new(&dir));
    }
    let dir = fresh_dir();
    // Beyond the limit a write fails instead of ending the process.
    let limited = r#"trap "" XFSZ; ulimit -S -f 512; exec "$0" "$@""#;
    let mut child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("FILLING", &dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(output.any(|line| line == "it is full"), "{:?}", child.wait());
    let lifted =
        Command::new("prlimit").args(["--pid", &child.id().to_string(), "--fsize=unlimited"]).status();
    assert!(lifted.unwrap().success());
    let kept = output.find_map(|line| line.strip_prefix("kept ").map(|n| n.parse::<u64>().unwrap()));
    let kept = kept.unwrap_or_else(|| panic!("{:?}", child.wait()));
    assert!(child.wait().unwrap().success());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let k = open(&dir).await.knowledge(Scope::App);
        assert_eq!(k.value::<u64>("n").get().await.unwrap(), Some(kept));
        assert_eq!(k.list::<String>("l").len().await.unwrap(), kept);
    });
}

#[expect(clippy::print_stdout, reason = "it tells its parent what happened")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn fill(dir: &Path) {
    let backend = open(dir).await;
    let (k, log) = (backend.knowledge(Scope::App), backend.events().log("orders"));
    let (list, count) = (k.list::<String>("l"), k.value::<u64>("n"));
    let mut n = 0;
    let doubtful = loop {
        n += 1;
        assert!(n < 10_000, "it never gets full");
        match list.push_back(&"x".repeat(5000)).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    // The one that was under way is there, and kept as soon as that is possible.
    let text = format!("{doubtful}: {}", std::error::Error::source(&doubtful).unwrap());
    assert!(matches!(doubtful, Error::Unavailable { .. }), "{doubtful:?}");
    assert!(text.contains("what was to be written may or may not be kept"), "{text}");
    assert_eq!(list.len().await.unwrap(), n);
    // Those that come are not begun.
    let refused = count.set(&n).await.unwrap_err();
    let text = format!("{refused}: {}", std::error::Error::source(&refused).unwrap());
    assert!(matches!(refused, Error::Refused { .. }) && text.contains(dir.to_str().unwrap()), "{text}");
    assert!(text.contains("tried again every second; nothing was changed"), "{text}");
    assert_eq!(count.get().await.unwrap(), None);
    assert!(log.append(Event::new("a")).await.is_err());
    assert_eq!(log.info().await.unwrap().len, 0);
    println!("it is full");
    eventually("there is room", async || count.set(&n).await.is_ok()).await;
    log.append(Event::new("a")).await.unwrap();
    println!("kept {n}");
}
