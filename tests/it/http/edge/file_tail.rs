//! Real files that grow, are moved away, cut and made anew, and followers that are killed.

use crate::server::Directory;
use futures::StreamExt;
use mape::edge::{Error, FileTail};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

const OFTEN: Duration = Duration::from_millis(5);

fn append(file: &Path, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

fn tail(file: &Path) -> FileTail<String> {
    FileTail::lines(file).every(OFTEN)
}

fn at(directory: &Directory) -> (PathBuf, PathBuf) {
    (directory.path().join("app.log"), directory.path().join("app.position"))
}

async fn next<T>(tail: &mut FileTail<T>) -> Result<T, Error> {
    tokio::time::timeout(Duration::from_secs(10), tail.next()).await.expect("nothing comes").unwrap()
}

async fn lines(tail: &mut FileTail<String>, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(next(tail).await.unwrap());
    }
    all
}

/// Nothing comes for several looks.
async fn quiet<T>(tail: &mut FileTail<T>) -> bool {
    tokio::time::timeout(OFTEN * 20, tail.next()).await.is_err()
}

#[tokio::test]
async fn lines_come_as_they_are_written_and_whole() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    let mut tail = tail(&file);
    assert!(quiet(&mut tail).await, "there is no file yet");
    append(&file, "one\r\n\ntw");
    assert_eq!(lines(&mut tail, 2).await, ["one", ""]);
    assert!(quiet(&mut tail).await, "a line has no end yet");
    append(&file, "o\nthree\n");
    assert_eq!(lines(&mut tail, 2).await, ["two", "three"]);
}

#[tokio::test]
async fn what_is_no_item_is_an_error_in_its_place() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    append(&file, "{\"a\": 1}\n\n  \n{\"a\"\n[2] [3]\n\"");
    append(&file, b"\xff\"\n4\n");
    let mut values = FileTail::<Value>::json(&file).every(OFTEN);
    assert_eq!(next(&mut values).await.unwrap(), json!({"a": 1}));
    for _ in 0..3 {
        let error = next(&mut values).await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }) && error.to_string().contains("app.log"), "{error}");
    }
    assert_eq!(next(&mut values).await.unwrap(), json!(4));
    let mut lines = tail(&file);
    let errors: Vec<_> = lines.by_ref().take(7).filter_map(async |line| line.err()).collect().await;
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("no UTF-8 after 1 bytes"), "{}", errors[0]);
}

#[tokio::test]
async fn a_line_that_is_too_long_costs_neither_memory_nor_its_neighbours() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    let mut tail = tail(&file).longest(10);
    append(&file, "before\n0123456789\n");
    append(&file, "x".repeat(700_000));
    assert_eq!(lines(&mut tail, 2).await, ["before", "0123456789"]);
    let error = next(&mut tail).await.unwrap_err();
    assert!(matches!(error, Error::ItemTooLong { longest: 10, .. }), "{error}");
    append(&file, "x".repeat(100));
    assert!(quiet(&mut tail).await, "it is told once");
    append(&file, "\nafter\n");
    assert_eq!(lines(&mut tail, 1).await, ["after"]);
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end_before_its_successor() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    append(&file, "1\n");
    let mut tail = tail(&file);
    assert_eq!(lines(&mut tail, 1).await, ["1"]);
    let old = directory.path().join("app.log.1");
    fs::rename(&file, &old).unwrap();
    assert!(quiet(&mut tail).await);
    append(&old, "2\n");
    assert_eq!(lines(&mut tail, 1).await, ["2"]);
    // The new one is there, and the writer has not noticed yet.
    File::create(&file).unwrap();
    assert!(quiet(&mut tail).await);
    append(&old, "3\n4");
    append(&file, "5\n");
    assert_eq!(lines(&mut tail, 3).await, ["3", "4", "5"]);
    for number in 6..50 {
        fs::rename(&file, &old).unwrap();
        append(&file, format!("{number}\n"));
        assert_eq!(lines(&mut tail, 1).await, [number.to_string()]);
    }
}

#[tokio::test]
async fn a_file_that_is_cut_begins_anew_and_that_is_told() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    append(&file, "one\ntwo\nthr");
    let mut tail = tail(&file);
    assert_eq!(lines(&mut tail, 2).await, ["one", "two"]);
    assert!(quiet(&mut tail).await);
    File::create(&file).unwrap();
    append(&file, "1\n");
    let error = next(&mut tail).await.unwrap_err();
    assert!(matches!(error, Error::Cut { read: 11, .. }), "{error}");
    assert_eq!(lines(&mut tail, 1).await, ["1"]);
    assert!(quiet(&mut tail).await);
    // It is longer by the next look than it ever was.
    File::create(&file).unwrap();
    append(&file, "none of this was there before\n");
    let error = next(&mut tail).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert_eq!(lines(&mut tail, 1).await, ["none of this was there before"]);
}

#[tokio::test]
async fn from_the_end_only_what_is_new_comes() {
    let directory = Directory::new();
    let (file, position) = at(&directory);
    append(&file, "old\nolder, and not even fin");
    let mut first = tail(&file).from_end().resume(&position);
    assert!(quiet(&mut first).await);
    append(&file, "ished\nnew\n");
    assert_eq!(lines(&mut first, 1).await, ["new"]);
    assert!(quiet(&mut first).await);
    drop(first);
    // What was kept says more than where to begin.
    append(&file, "newer\n");
    assert_eq!(lines(&mut tail(&file).from_end().resume(&position), 1).await, ["newer"]);
    let late = directory.path().join("late.log");
    let mut tail = tail(&late).from_end();
    assert!(quiet(&mut tail).await);
    append(&late, "all of it is new\n");
    assert_eq!(lines(&mut tail, 1).await, ["all of it is new"]);
}

#[tokio::test]
async fn it_goes_on_where_it_was_also_in_files_that_have_another_name_by_now() {
    let directory = Directory::new();
    let (file, position) = at(&directory);
    let resumed = || tail(&file).resume(&position);
    append(&file, "1\n2\n3\n");
    assert_eq!(lines(&mut resumed(), 3).await, ["1", "2", "3"]);
    // Nobody asked for the next, so that the last may not have been worked off.
    let mut first = resumed();
    assert_eq!(lines(&mut first, 3).await, ["1", "2", "3"]);
    assert!(quiet(&mut first).await);
    drop(first);
    append(&file, "4\n");
    let moved = |name: &str, seconds| {
        let to = directory.path().join(name);
        fs::rename(&file, &to).unwrap();
        let file = File::options().append(true).open(&to).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    // Renamed three times; what does not fit the pattern, or is older, is another file.
    moved("app.log.3", 30);
    append(&file, "5\n");
    moved("app.log.2", 20);
    append(&file, "6\n");
    moved("app.log-20261126", 10);
    append(&file, "older\n");
    moved("app.log.9", 90);
    append(&file, "a copy\n");
    moved("app.log.bak", 15);
    append(&file, "7\n");
    let mut second = resumed();
    assert_eq!(lines(&mut second, 4).await, ["4", "5", "6", "7"]);
    assert!(quiet(&mut second).await);
    drop(second);
    assert!(quiet(&mut resumed()).await);
    // Gone, and another has its place.
    fs::remove_file(&file).unwrap();
    append(&file, "eight\n");
    let mut third = resumed();
    let error = next(&mut third).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert_eq!(lines(&mut third, 1).await, ["eight"]);
    // A position that says nothing is told, and all is read.
    fs::write(&position, "{").unwrap();
    let mut fourth = resumed();
    let error = next(&mut fourth).await.unwrap_err();
    assert!(error.to_string().starts_with("reading the position in"), "{error}");
    assert_eq!(lines(&mut fourth, 1).await, ["eight"]);
}

#[tokio::test]
async fn what_can_not_be_read_or_kept_is_told_once_and_tried_again() {
    let directory = Directory::new();
    let (file, position) = at(&directory);
    fs::create_dir(&file).unwrap();
    let mut tail = tail(&file).resume(position.join("nowhere"));
    let error = next(&mut tail).await.unwrap_err();
    assert!(error.to_string().ends_with("app.log: it is no regular file"), "{error}");
    assert!(quiet(&mut tail).await);
    fs::remove_dir(&file).unwrap();
    append(&file, "1\n");
    let error = next(&mut tail).await.unwrap_err();
    assert!(error.to_string().starts_with("keeping the position in"), "{error}");
    assert_eq!(lines(&mut tail, 1).await, ["1"]);
    assert!(quiet(&mut tail).await);
    fs::create_dir(&position).unwrap();
    fs::set_permissions(&position, fs::Permissions::from_mode(0o700)).unwrap();
    append(&file, "2\n");
    assert_eq!(lines(&mut tail, 1).await, ["2"]);
    assert!(quiet(&mut tail).await);
    assert!(position.join("nowhere").exists());
}

#[tokio::test]
async fn a_megabyte_of_lines_comes_in_one_go() {
    let directory = Directory::new();
    let (file, _) = at(&directory);
    let numbered: Vec<_> = (0..100_000).map(|number| format!("{number:09}\n")).collect();
    let text = numbered.concat();
    append(&file, text);
    // One pause would be longer than the test.
    let mut tail = FileTail::lines(&file).every(Duration::from_hours(1));
    let all = lines(&mut tail, 100_000).await;
    assert!(all.iter().enumerate().all(|(number, line)| line.parse() == Ok(number)));
}

#[test]
fn outside_of_a_runtime_it_says_so_and_ends() {
    let mut tail = FileTail::lines("app.log");
    let all: Vec<_> = futures::executor::block_on(tail.by_ref().collect());
    assert!(matches!(all[..], [Err(Error::NoRuntime { .. })]), "{all:?}");
}

/// What a child follows, and where it keeps how far it is.
const FOLLOWED: &str = "FOLLOWED";

#[test]
fn a_follower_that_is_killed_misses_no_line_and_tears_none() {
    if let Some(directory) = std::env::var_os(FOLLOWED) {
        return follow(Path::new(&directory));
    }
    let directory = Directory::new();
    let (file, _) = at(&directory);
    append(&file, "line 00001 is whole\n");
    let (mut child, mut output) = follower(directory.path());
    let (mut written, mut seen) = (1, vec![heard(&mut output)]);
    child.kill().unwrap();
    child.wait().unwrap();
    for round in 0..8 {
        let (mut child, mut output) = follower(directory.path());
        for step in 0..3 {
            for _ in 0..50 {
                written += 1;
                append(&file, format!("line {written:05} is whole\n"));
            }
            if step == 1 {
                // As if it were a second later: the system's clock for files has ticks of some milliseconds.
                let moved = File::options().append(true).open(&file).unwrap();
                moved.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(round)).unwrap();
                fs::rename(&file, directory.path().join(format!("app.log.{round}"))).unwrap();
            }
        }
        // It is killed while it has more to do, now and then before it has begun.
        for _ in 0..20 * round {
            seen.push(heard(&mut output));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it wrote is worked off.
        seen.extend(output.lines().map_while(Result::ok).filter_map(|line| number(&line)));
    }
    let (mut child, mut output) = follower(directory.path());
    while seen.last() != Some(&written) {
        seen.push(heard(&mut output));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut reached = 0;
    for number in &seen {
        assert!(*number <= reached + 1, "{} is missing", reached + 1);
        reached = reached.max(*number);
    }
    assert_eq!(reached, written);
    assert!(seen.len() < 4 * written, "{} of {written} are too many again", seen.len());
}

fn follower(directory: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::a_follower_that_is_killed_misses_no_line_and_tears_none")])
        .arg("--nocapture")
        .env(FOLLOWED, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

fn number(line: &str) -> Option<usize> {
    let number = line.strip_prefix("line ")?.strip_suffix(" is whole");
    Some(number.unwrap_or_else(|| panic!("`{line}` is torn")).parse().unwrap())
}

fn heard(output: &mut impl BufRead) -> usize {
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "it ended");
        if let Some(number) = number(line.trim_end()) {
            return number;
        }
    }
}

#[expect(clippy::print_stdout, reason = "it tells its parent what it reads")]
#[tokio::main(flavor = "current_thread")]
async fn follow(directory: &Path) {
    let tail = FileTail::lines(directory.join("app.log")).every(OFTEN);
    let mut tail = tail.resume(directory.join("app.position"));
    println!();
    while let Some(line) = tail.next().await {
        println!("{}", line.unwrap_or_else(|error| format!("line {error}")));
        std::io::stdout().flush().unwrap();
    }
}
