//! Chromium without a window, steered over a pipe.
//!
//! One process for all tests, with a profile of its own; each [`Tab`] has cookies and storage of its own. It ends when
//! the pipe does, so at the latest with the test process, and its profile goes with it.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// Starts it with the pipe where it looks for it, and clears up. What ends a whole group of processes must not end the
/// shell before.
const LAUNCH: &str = r#"
    trap '' INT TERM HUP
    profile=$(mktemp -d) || exit
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --hide-scrollbars \
        --force-color-profile=srgb --user-data-dir="$profile" --remote-debugging-pipe about:blank \
        3<&0 4>&1 0</dev/null 1>/dev/null 2>&1
    rm -rf "$profile"
"#;
/// How long a command may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::start);

type Answers = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>>;
type Events = Arc<Mutex<HashMap<String, Vec<Value>>>>;

struct Browser {
    to: Mutex<ChildStdin>,
    next: AtomicU64,
    answers: Answers,
    /// What each tab has reported.
    events: Events,
}

impl Browser {
    fn start() -> Self {
        let mut child = Command::new("sh")
            .args(["-c", LAUNCH])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (answers, events) = (Answers::default(), Events::default());
        let browser =
            Self { to: to.into(), next: 1.into(), answers: answers.clone(), events: events.clone() };
        std::thread::spawn(move || {
            listen(from, &answers, &events);
            let _ = child.wait();
        });
        browser
    }

    fn tell(
        &self,
        method: &str,
        params: &Value,
        session: Option<&str>,
    ) -> oneshot::Receiver<Result<Value, String>> {
        let (answer, answered) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.answers.lock().unwrap().insert(id, answer);
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let mut to = self.to.lock().unwrap();
        to.write_all(&bytes)
            .and_then(|()| to.flush())
            .expect("chromium is there: install the package chromium");
        answered
    }

    async fn ask(&self, method: &str, params: Value, session: Option<&str>) -> Value {
        let answered = self.tell(method, &params, session);
        let answer = tokio::time::timeout(DEADLINE, answered).await;
        let answer = answer.unwrap_or_else(|_| panic!("chromium did not answer {method} {params}"));
        match answer.expect("chromium has ended: is the package chromium installed?") {
            Ok(value) => value,
            Err(error) => panic!("{method} {params}: {error}"),
        }
    }
}

fn listen(from: ChildStdout, answers: &Answers, events: &Events) {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    while from.read_until(0, &mut bytes).is_ok_and(|count| count > 0) {
        bytes.pop();
        let mut message: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        bytes.clear();
        if let Some(id) = message["id"].as_u64() {
            let result = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].take()),
            };
            if let Some(answer) = answers.lock().unwrap().remove(&id) {
                let _ = answer.send(result);
            }
        } else if let Some(session) = message["sessionId"].as_str().map(str::to_owned) {
            events.lock().unwrap().entry(session).or_default().push(message);
        }
    }
    // Whoever waits is told by the end of their channels.
    answers.lock().unwrap().clear();
}

/// A tab; it is closed when this is dropped.
pub(crate) struct Tab {
    session: String,
    context: String,
}

impl Tab {
    /// A tab of 1280 by 800 pixels at this address, once the page is loaded.
    pub(crate) async fn open(url: &str) -> Self {
        let tab = Self::blank().await;
        tab.size(1280, 800).await;
        tab.go(url).await;
        tab
    }

    pub(crate) async fn blank() -> Self {
        let context =
            BROWSER.ask("Target.createBrowserContext", json!({"disposeOnDetach": true}), None).await;
        let context = context["browserContextId"].as_str().unwrap().to_owned();
        let new = json!({"url": "about:blank", "browserContextId": context});
        let target = BROWSER.ask("Target.createTarget", new, None).await["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let session = BROWSER.ask("Target.attachToTarget", attach, None).await["sessionId"].clone();
        let tab = Self { session: session.as_str().unwrap().to_owned(), context };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.ask(&format!("{domain}.enable"), json!({})).await;
        }
        tab
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        BROWSER.ask(method, params, Some(&self.session)).await
    }

    /// Goes to an address, and waits until it and what it needs are there.
    pub(crate) async fn go(&self, url: &str) {
        let went = self.ask("Page.navigate", json!({"url": url})).await;
        assert!(went.get("errorText").is_none(), "{url}: {went}");
        self.until(
            "the page is loaded",
            "location.href !== 'about:blank' && document.readyState === 'complete'",
        )
        .await;
    }

    /// How large the page is, in pixels of style sheets.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let is_phone = width < 600;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone});
        self.ask("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub(crate) async fn dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.ask("Emulation.setEmulatedMedia", features).await;
    }

    /// What an expression gives, once what it promises is there.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let evaluate = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.ask("Runtime.evaluate", evaluate).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, what: &str, expression: &str) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            // A page that is being left has nothing to say.
            let evaluate = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
            let answered = BROWSER.tell("Runtime.evaluate", &evaluate, Some(&self.session)).await;
            if answered.is_ok_and(|answer| answer.is_ok_and(|answer| answer["result"]["value"] == true)) {
                return;
            }
            if tokio::time::Instant::now() > deadline {
                let body = self.eval("document.body.innerText").await;
                let complaints = self.complaints();
                panic!(
                    "waited in vain until {what}: {expression}\n{complaints:#?}\n{}",
                    body.as_str().unwrap()
                );
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Clicks with the mouse on what a selector finds.
    pub(crate) async fn click(&self, selector: &str) {
        // What moves away between the look and the click is clicked again, as people do.
        for _ in 0..5 {
            if self.try_click(selector).await {
                return;
            }
        }
        panic!("{selector} moves away from each click");
    }

    /// `false` if something else was clicked.
    async fn try_click(&self, selector: &str) -> bool {
        let found = format!("!!document.querySelector({})", json!(selector));
        self.until(&format!("{selector} is there"), &found).await;
        // A page that is being changed moves what is under the pointer.
        let is_still = format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return false; \
             e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const b = e.getBoundingClientRect(); \
             const at = `${{b.x}} ${{b.y}}`, was = window.lastPlace; window.lastPlace = at; \
             const hit = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2); \
             return at === was && !e.disabled && !e.closest('[aria-busy]') && e.contains(hit); }})()",
            json!(selector)
        );
        self.until(&format!("{selector} can be clicked"), &is_still).await;
        let place = self
            .eval(&format!(
                "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
                 const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()",
                json!(selector)
            ))
            .await;
        self.eval(&format!(
            "window.hit = null, document.addEventListener('click', event => {{ \
             window.hit = !!event.target.closest({}); }}, {{capture: true, once: true}})",
            json!(selector)
        ))
        .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.ask("Input.dispatchMouseEvent", event).await;
        }
        let evaluate =
            json!({"expression": "window.hit === undefined ? true : window.hit", "returnByValue": true});
        for _ in 0..40 {
            let answered = BROWSER.tell("Runtime.evaluate", &evaluate, Some(&self.session)).await;
            match answered.map(|answer| answer.map(|answer| answer["result"]["value"].clone())) {
                Ok(Ok(Value::Bool(hit))) => return hit,
                Ok(Ok(_)) => tokio::time::sleep(Duration::from_millis(15)).await,
                // The page is being left.
                _ => return true,
            }
        }
        false
    }

    /// Presses a key, such as `Tab`, `Enter` or `Escape`.
    pub(crate) async fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            " " => (32, Some(" ")),
            _ => (0, Some(key)),
        };
        let mut down = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if let Some(text) = text {
            down["text"] = text.into();
        }
        self.ask("Input.dispatchKeyEvent", down).await;
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.ask("Input.dispatchKeyEvent", up).await;
    }

    /// Writes where the cursor is.
    pub(crate) async fn write(&self, text: &str) {
        self.ask("Input.insertText", json!({"text": text})).await;
    }

    /// What is seen, as a PNG in base64.
    pub(crate) async fn picture(&self) -> String {
        let shot =
            self.ask("Page.captureScreenshot", json!({"format": "png", "optimizeForSpeed": false})).await;
        shot["data"].as_str().unwrap().to_owned()
    }

    fn events(&self) -> Vec<Value> {
        BROWSER.events.lock().unwrap().get(&self.session).cloned().unwrap_or_default()
    }

    /// Errors and warnings of pages so far: exceptions, what is written to the console, what the policy forbids, answers
    /// of 400 and above.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let complaint = |event: &Value| {
            let params = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" if params["type"] != "log" => Some(params["args"].to_string()),
                "Log.entryAdded" if params["entry"]["level"] != "verbose" => {
                    Some(params["entry"].to_string())
                }
                "Page.javascriptDialogOpening" => Some(format!("a dialog: {params}")),
                _ => None,
            }
        };
        self.events().iter().filter_map(complaint).collect()
    }

    /// The addresses of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let events = self.events();
        let sent = events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let close = json!({"browserContextId": self.context});
        drop(BROWSER.tell("Target.disposeBrowserContext", &close, None));
        BROWSER.events.lock().unwrap().remove(&self.session);
    }
}
