//! `mape top`, with one look and live in a terminal.

use super::{Answer, Program};
use crate::server::free_port;
use mape::app::App;
use mape::element::LinkOptions;
use mape::http::{Access, Role, Service, Serving};
use mape::queue::{self, Queues};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A service in which something waits, something was dropped, something failed.
async fn world(listen: &str) -> (App, Serving) {
    let app = App::new();
    let car = app.level("town").unwrap().create_loop("car").unwrap();
    let speed = car.monitor("speed").map(|n: u64| n * 2).spawn().unwrap();
    let detect = car
        .analyze("detect")
        .try_map(|n: u64| if n == 26 { Err("no speed is 26") } else { Ok(n) })
        .spawn()
        .unwrap();
    let slow = car.execute("slow").act(|_: u64| {}).spawn().unwrap();
    speed.link(&detect).unwrap();
    speed.link_with(&slow, LinkOptions::default().capacity(4)).unwrap();
    detect.start().unwrap();
    speed.start().unwrap();
    slow.pause();
    for n in [1, 13, 2] {
        speed.push(n).await.unwrap();
    }
    let queue = Queues::new(&app).open("reply", queue::Settings::default()).await.unwrap();
    for n in [1, 13] {
        drop(queue.add(&n).await.unwrap());
    }
    let serving = Service::new(&app).listen(listen).await.unwrap();
    (app, serving)
}

async fn once(test: &str, arguments: &[&str]) -> Answer {
    let (program, arguments) =
        (Program::new(test), arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
    let run = move || program.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_is_a_table_that_fits_and_a_document_for_programs() {
    let (_app, serving) = world("127.0.0.1:0").await;
    let url = serving.url();
    let table = once("top_once", &["top", "--once", "--interval", "0.3", "--url", &url]).await;
    assert_eq!((table.code, table.stderr.as_str()), (0, ""), "{}", table.stdout);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{}", table.stdout);
    assert!(lines[0].starts_with("ELEMENT") && lines[1] == "car on town", "{}", table.stdout);
    assert!(lines[3].contains("detect") && lines[3].contains("● running"), "{}", table.stdout);
    assert!(lines[4].contains("◐ paused") && lines[4].contains("75%"), "{}", table.stdout);
    assert!(lines.contains(&"queue reply: no worker, 2 waiting"), "{}", table.stdout);

    let document = once("top_json", &["top", "--once", "--json", "--interval", "0.3", "--url", &url]).await;
    assert_eq!(document.code, 0, "{}", document.stderr);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document["service"], url.as_str());
    assert!(document["measured_seconds"].as_f64().unwrap() >= 0.3, "{document}");
    assert_eq!(document["totals"]["elements"], 3);
    assert_eq!(document["totals"]["errors"], 1);
    let detect = &document["elements"][1];
    assert_eq!(
        json!([detect["path"], detect["level"], detect["loop"], detect["role"], detect["state"]]),
        json!(["car.detect", "town", "car", "analyze", "running"])
    );
    assert_eq!(json!([detect["received"], detect["errors"], detect["fill"]]), json!([3, 1, 0.0]));
    let outward = &document["elements"][0]["links"];
    assert_eq!(
        json!([outward[1]["to"], outward[1]["queued"], outward[1]["capacity"]]),
        json!(["car.slow", 3, 4])
    );
    assert_eq!(document["elements"][2]["fill"], 0.75);
    let queue = &document["queues"][0];
    assert_eq!(json!([queue["name"], queue["stats"]["waiting"]]), json!(["reply", [2]]));
    assert_eq!(document["runs"], json!({"total": 0, "in_progress": 0, "by_state": {}, "newest": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_said_with_what_to_do() {
    let access = Access::new().token("ops", "t0ken-of-the-operators".to_owned(), Role::Read);
    let serving = Service::new(&App::new()).access(access).listen("127.0.0.1:0").await.unwrap();
    let url = serving.url();
    let secure = url.replace("http", "https");
    for (arguments, code, says) in [
        (&["top", "--url", &url][..], 2, "--once"),
        (&["top", "--json", "--url", &url], 2, "--once"),
        (&["top", "--once", "--interval", "0"], 2, "0.1 to 3600"),
        (
            &["top", "--once", "--host", "h", "--url", &url],
            2,
            "--host is for commands that work on a backend",
        ),
        (&["loops", "--stream", "x", "--url", &url], 2, "--stream is for commands"),
        (&["top", "--once", "--url", &secure], 1, "try http://"),
        (&["top", "--once", "--url", &format!("{url}?token=x")], 2, "--token"),
        (&["top", "--once", "--url", "http://127.0.0.1:1"], 1, "start `mape serve`"),
        (&["top", "--once", "--url", &url], 1, "MAPE_REST__TOKEN"),
    ] {
        let answer = once("top_wrong", arguments).await;
        assert_eq!((answer.code, answer.stdout.as_str()), (code, ""), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(says), "{arguments:?}: {}", answer.stderr);
    }
    // As it is copied from a browser.
    let console = format!("{url}/console/loops?of=car#top");
    let token =
        ["top", "--once", "--interval", "0.1", "--url", &console, "--token", "t0ken-of-the-operators"];
    let answer = once("top_token", &token).await;
    assert_eq!((answer.code, answer.stdout.as_str()), (0, "there are no loops\n"), "{}", answer.stderr);
}

/// A terminal of 80 by 24 in which a shell runs the program between two looks at how the terminal is set.
struct Pty {
    script: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Vec<u8>>>,
}

const ROWS: usize = 24;
const COLUMNS: usize = 80;

impl Pty {
    fn new(test: &str, url: &str) -> Self {
        Self::coloured(test, url, true)
    }

    fn coloured(test: &str, url: &str, is_coloured: bool) -> Self {
        let (program, mape) = (Program::new(test), env!("CARGO_BIN_EXE_mape"));
        let inside = format!(
            "stty rows {ROWS} cols {COLUMNS}; echo set $(stty -g); sh -c 'echo pid $$; exec {mape} top --interval 0.2 \
             --url {url}'; echo; echo code $?; echo set $(stty -g); echo over"
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &inside, "/dev/null"]);
        command.current_dir(&program.directory).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        if !is_coloured {
            command.env("NO_COLOR", "1");
        }
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut script = command.spawn().expect("`script` of util-linux is a pseudo-terminal");
        let (keys, mut out) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(n @ 1..) = out.read(&mut part) {
                into.lock().unwrap().extend_from_slice(&part[..n]);
            }
        });
        Self { script, keys, seen }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// All that was written, as text.
    fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    async fn until<T>(&self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let written = self.written();
            if let Some(found) = found(&written) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} did not come:\n{}", screen(&written));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the screen has this somewhere.
    async fn shows(&self, text: &str) -> String {
        self.until(text, |written| Some(screen(written)).filter(|screen| screen.contains(text))).await
    }

    /// Waits for the end, after which everything is as it was.
    async fn ends(mut self) {
        let written =
            self.until("the end", |written| written.contains("over").then(|| written.to_owned())).await;
        let after = |name: &str| {
            let lines = written.lines().filter_map(|line| line.trim().strip_prefix(name));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let (set, modes) =
            (after("set "), [("\u{1b}[?1049h", "\u{1b}[?1049l"), ("\u{1b}[?25l", "\u{1b}[?25h")]);
        assert!(set.len() == 2 && set[0] == set[1], "the terminal is set otherwise than before: {written:?}");
        for (on, off) in modes {
            assert!(
                written.rfind(on).unwrap() < written.rfind(off).unwrap(),
                "{off:?} is missing: {written:?}"
            );
        }
        self.script.wait().unwrap();
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// What a terminal shows of what the program writes: text, and where it goes.
fn screen(written: &str) -> String {
    let mut cells = vec![vec![' '; COLUMNS]; ROWS];
    let (mut row, mut column) = (0, 0);
    let mut letters = written.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' if letters.next_if_eq(&'[').is_some() => {
                let mut numbers = String::new();
                while let Some(next) = letters.next_if(|next| !next.is_ascii_alphabetic()) {
                    numbers.push(next);
                }
                let number =
                    |n: usize| numbers.split(';').nth(n).and_then(|n| n.parse::<usize>().ok()).unwrap_or(1);
                match letters.next() {
                    Some('H') => (row, column) = (number(0) - 1, number(1) - 1),
                    Some('J') => cells.iter_mut().for_each(|row| row.fill(' ')),
                    // Another screen, which is empty.
                    Some('h') if numbers == "?1049" => cells.iter_mut().for_each(|row| row.fill(' ')),
                    _ => {}
                }
            }
            '\r' => column = 0,
            '\n' => row = (row + 1).min(ROWS - 1),
            letter if !letter.is_control() => {
                if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
                    *cell = letter;
                }
                column += 1;
            }
            _ => {}
        }
    }
    cells.into_iter().map(|row| row.into_iter().collect::<String>() + "\n").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_view_draws_answers_keys_and_gives_the_terminal_back() {
    let (app, serving) = world("127.0.0.1:0").await;
    let mut pty = Pty::new("top_live", &serving.url());
    let picture = pty.shows("● live").await;
    assert!(
        picture.contains("car on town") && picture.contains("detect") && picture.contains("75%"),
        "{picture}"
    );

    // It changes by itself.
    app.element::<u64, u64>("car.speed").unwrap().push(7).await.unwrap();
    pty.shows("100%").await;
    app.element::<u64, ()>("car.slow").unwrap().resume();
    pty.shows("is now running").await;

    pty.press("jj\r");
    let closer = pty.shows("links in").await;
    assert!(closer.contains("car.slow  execute"), "{closer}");
    pty.press("\u{1b}");
    pty.shows("ELEMENT").await;
    pty.press("/detect\r");
    pty.until("only what is asked for", |written| {
        let screen = screen(written);
        (screen.contains("detect") && !screen.contains("  speed ") && !screen.contains("  slow "))
            .then_some(())
    })
    .await;
    pty.press("?");
    pty.shows("waits to restart").await;
    pty.press(" \t");
    pty.shows("no runs yet").await;
    pty.press("\u{1b}");
    pty.until("all is shown again", |written| (!screen(written).contains("/detect")).then_some(())).await;
    pty.press("\t");
    pty.shows("✗ no worker  reply").await;
    pty.press("\r");
    pty.shows("unique for").await;
    pty.press("q");
    pty.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_color_takes_the_colours_away_and_nothing_else() {
    let (_app, serving) = world("127.0.0.1:0").await;
    for is_coloured in [true, false] {
        let mut pty = Pty::coloured("top_colours", &serving.url(), is_coloured);
        let picture = pty.shows("● live").await;
        assert!(picture.contains("◐ paused") && picture.contains("75%"), "{picture}");
        let written = pty.written();
        assert_eq!(["\u{1b}[38;", "\u{1b}[48;"].iter().any(|colour| written.contains(colour)), is_coloured);
        assert!(
            written.contains("\u{1b}[1m") && written.contains("\u{1b}[7m"),
            "bold and reversed are no colours"
        );
        pty.press("q");
        pty.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_goes_away_is_told_and_found_again() {
    let address = format!("127.0.0.1:{}", free_port());
    let (app, serving) = world(&address).await;
    let pty = Pty::new("top_away", &serving.url());
    pty.shows("● live").await;
    serving.close(Duration::from_millis(100)).await;
    let picture = pty.shows("✗ away for").await;
    assert!(picture.contains("trying again") && picture.contains("detect"), "{picture}");
    let _serving = Service::new(&app).listen(&address).await.unwrap();
    pty.shows("● live").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_ctrl_c_give_the_terminal_back() {
    let (_app, serving) = world("127.0.0.1:0").await;
    let pty = Pty::new("top_term", &serving.url());
    pty.shows("● live").await;
    let pid = pty
        .until("its id", |written| Some(written.split("pid ").nth(1)?.split_whitespace().next()?.to_owned()));
    let pid = pid.await;
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    pty.ends().await;

    let mut pty = Pty::new("top_interrupt", &serving.url());
    pty.shows("● live").await;
    pty.press("\u{3}");
    pty.ends().await;
}
