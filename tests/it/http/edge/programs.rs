//! The example programs that post, and that are posted to.

use crate::http::site::{answer, client};
use crate::patterns::{documented, example, lines};
use crate::server::until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program and the first line with these words that it prints.
fn start(command: &mut Command, words: &str) -> (Child, String) {
    let mut program = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(program.stdout.take().unwrap());
    let line = stdout.by_ref().lines().map(Result::unwrap).find(|line| line.contains(words));
    program.stdout = Some(stdout.into_inner());
    (program, line.unwrap())
}

#[test]
fn a_car_and_an_ambulance_in_one_process_print_what_is_documented() {
    let printed = lines(example("ambulance_rest").arg("--demo").output().unwrap());
    assert_eq!(printed, documented("ambulance_rest"));
}

#[test]
fn a_car_apart_reaches_an_ambulance_that_comes_later() {
    // A port that is free, and stays so unless somebody is very quick.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let arguments = ["--role", "car_panda", "--to", &free];
    let (car, waits) = start(example("ambulance_rest").args(arguments), "wait: ");
    assert!(waits.starts_with("car_panda  1 wait: no answer from"), "{waits}");
    let ambulance =
        example("ambulance_rest").args(["--role", "ambulance", "--listen", &free]).output().unwrap();
    let car = car.wait_with_output().unwrap();
    assert!(car.status.success(), "{}", String::from_utf8_lossy(&car.stderr));
    let said = documented("ambulance_rest");
    let said: Vec<_> = said.iter().filter(|line| line.starts_with("ambulance")).cloned().collect();
    let mut heard = lines(ambulance);
    heard.retain(|line| !line.contains("listens on"));
    assert_eq!(heard, said);
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_accepted_is_in_the_file_when_the_program_has_ended() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("port_to_file.ndjson");
    let _ = std::fs::remove_file(&file);
    let arguments = ["--listen", "127.0.0.1:0", "--loop", "l", "--element", "e", "--out"];
    let (mut program, url) = start(example("port_to_file").args(arguments).arg(&file), "http");
    assert!(url.ends_with("/loops/l/elements/e"), "{url}");
    let client = client();
    let error = client.post(format!("{url}?notification=error")).body(r#"{"code": 7}"#);
    assert_eq!(answer(error).await.0, 200);
    let items: String = (0..5000).map(|n| json!({"n": n}).to_string() + "\n").collect();
    let request = client.post(&url).header("Content-Type", "application/x-ndjson").body(items.clone());
    assert_eq!(answer(request).await.1["accepted"], 5000);
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let mut ended = None;
    until("it has ended", || {
        ended = program.try_wait().unwrap();
        ended.is_some()
    });
    assert!(ended.unwrap().success());
    let written = std::fs::read_to_string(&file).unwrap();
    let (first, rest) = written.split_once('\n').unwrap();
    assert_eq!(serde_json::from_str::<Value>(first).unwrap(), json!({"error": {"code": 7}}));
    assert!(rest == items, "the items are not those that were posted");
}
