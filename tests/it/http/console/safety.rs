//! Texts that want to be more than that.

use super::super::site::Site;
use crate::server::Tab;
use crate::suite::eventually;
use mape::app::App;
use mape::element::Parameter;
use mape::http::Service;
use mape::workflow::{Builtin, Engine, Invocation, RunId, Task, TaskError, Tasks};
use serde_json::{Value, json};

/// Each would set `hit`, ask somebody else, or lead elsewhere, if it were anything but a text.
const TEXTS: [&str; 24] = [
    "<script>window.hit=1</script>",
    "\"><img src=x onerror=window.hit=1>",
    "'><svg onload=window.hit=1>",
    "javascript:window.hit=1",
    "</title><script>window.hit=1</script>",
    "</textarea><script>window.hit=1</script>",
    "</pre></p><iframe srcdoc='<script>parent.hit=1</script>'>",
    "<details open ontoggle=window.hit=1>",
    "--><script>window.hit=1</script>",
    "]]><script>window.hit=1</script>",
    "<a href=javascript:window.hit=1>x</a>",
    "<math><mtext></form><form><mglyph><style></math><img src=x onerror=window.hit=1>",
    "<noscript><p title=\"</noscript><img src=x onerror=window.hit=1>\">",
    "&lt;img src=x onerror=window.hit=1&gt;",
    "&#60;script&#62;window.hit=1&#60;/script&#62;",
    "<svg><a xlink:href='javascript:window.hit=1'><text>x</text></a></svg>",
    "\" autofocus onfocus=window.hit=1 x=\"",
    "' onmouseover='window.hit=1",
    "<base href=//elsewhere.example>",
    "<link rel=stylesheet href=//elsewhere.example/x.css>",
    "<meta http-equiv=refresh content=0;url=//elsewhere.example>",
    "<style>@import '//elsewhere.example/x.css'</style>",
    "{{constructor.constructor('window.hit=1')()}} ${window.hit=1}",
    "\u{2028}<ScRiPt/x>window.hit=1</sCrIpT\u{a0}>",
];

/// What there is only if a text has become more.
const HARM: &str = "[
    window.hit,
    ...document.querySelectorAll('script:not([src^=\"/console/assets/\"]), iframe, object, embed, base, meta[http-equiv], style, math, link[href*=elsewhere], img:not([src^=\"/console/assets/\"])'),
    ...[...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value) && ['href', 'src', 'xlink:href', 'action'].includes(a.name))),
].filter((one) => one !== undefined).map((one) => one.outerHTML ?? String(one))";

async fn is_harmless(tab: &Tab, site: &Site, place: &str) {
    assert_eq!(tab.eval(HARM).await, json!([]), "{place}");
    super::is_clean(tab, site);
}

async fn shows(tab: &Tab, text: &str) {
    let whole = "document.documentElement.textContent + [...document.querySelectorAll('input, textarea')].map((e) => e.value).join()";
    // Blanks of other kinds may be shown as such.
    let has = format!(
        "({whole}).includes({})",
        json!(text.trim_start_matches('\u{2028}').split('\u{a0}').next().unwrap())
    );
    tab.until(&format!("{text} shows"), &has).await;
}

/// Clears the text of the flow, and what was said of it.
const EMPTY: &str = "document.getElementById('flow').value = '', document.getElementById('flow').focus(), \
                     document.getElementById('checked').textContent = 'asked'";

/// Quotes that hold a text in a flow.
fn doc(text: &str) -> String {
    if text.contains('\'') { format!("\"\"\"\n{text}\n\"\"\"") } else { format!("'''{text}'''") }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_in_runs_stay_texts() {
    let app = App::new();
    let fail = Task::sync("fail", |invocation: &Invocation| {
        let text = invocation.input()["text"].as_str().unwrap_or_default().to_owned();
        Err::<Value, _>(TaskError::for_good(text))
    });
    let tasks =
        Tasks::new().with_all(Builtin::new(app.backend()).tasks()).with(fail).with(Task::echo("echo"));
    let engine = Engine::start(&app, tasks).await.unwrap();
    let site = Site::with(Service::new(&app).engine(&engine)).await;
    let tab = Tab::open(&site.url("/")).await;
    for text in TEXTS {
        let parameters = json!({"text": text});
        // Braces in what is asked are templates.
        let asked = text.replace(['{', '}'], "|");
        let flow = format!(
            "@flow f {}\n@task echo {}\n<{parameters}> → echo ({parameters}) → \
             {{ human:approve ({}) \n fail }}",
            doc(text),
            doc(text),
            json!({"question": asked, "who": asked}),
        );
        let id = RunId::from(format!("run {text}"));
        engine.run_as(id.clone(), &flow, json!({"text": text})).await.unwrap();
        eventually("it has failed", async || {
            engine.workflows().status(&id).await.unwrap().word() == "FAILED"
        })
        .await;
        let asking = RunId::from(format!("ask {text}"));
        let ask = format!("human:approve ({})", json!({"question": asked, "who": asked}));
        engine.run_as(asking.clone(), &ask, json!({"text": text})).await.unwrap();
        for (id, orientation) in [(&id, "?vertical=true"), (&asking, "")] {
            let path: String = form(id.short());
            tab.go(&site.url(&format!("/console/workflows/{path}{orientation}"))).await;
            shows(&tab, text).await;
            is_harmless(&tab, &site, text).await;
        }
        tab.go(&site.url(&format!("/console/workflows?search={0}&state={0}", form(text)))).await;
        is_harmless(&tab, &site, text).await;
        tab.go(&site.url(&format!("/workflow?id={}", form(asking.short())))).await;
        is_harmless(&tab, &site, text).await;
    }
    for path in ["/", "/console/workflows", "/console/workflows?state=failed"] {
        tab.go(&site.url(path)).await;
        shows(&tab, TEXTS[TEXTS.len() - 1]).await;
        tab.until("it is live", "document.getElementById('pulse').dataset.state === 'live'").await;
        is_harmless(&tab, &site, path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_flows_that_are_checked_stay_texts() {
    let app = App::new();
    let site = Site::of(&app).await;
    let tab = Tab::open(&site.url("/console/start")).await;
    for text in TEXTS {
        for flow in [text.to_owned(), format!("echo ({}) {} → echo", json!({"text": text}), text)] {
            tab.eval(EMPTY).await;
            tab.write(&flow).await;
            tab.until("it is checked", "document.querySelector('#checked .verdict') !== null").await;
            is_harmless(&tab, &site, text).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_in_elements_knowledge_and_channels_stay_texts() {
    let app = App::new();
    let one = app.create_loop("one").unwrap();
    let mut element = one.monitor("texts");
    for (number, text) in TEXTS.iter().enumerate() {
        element = element
            .parameter(&Parameter::new(&format!("p{number} {text}"), (*text).to_owned()))
            .export(&format!("m{number} {text}"), |text: String| Ok::<_, String>(text));
    }
    let texts = element
        .try_map(|text: String| if text.starts_with('<') { Err(text) } else { Ok(text) })
        .spawn()
        .unwrap();
    texts.start().unwrap();
    texts.expose();
    let site = Site::of(&app).await;
    let (home, panel) =
        (Tab::open(&site.url("/")).await, Tab::open(&site.url("/console/loops#one.texts")).await);
    let known = Tab::open(&site.url("/console/knowledge")).await;
    let heard = Tab::open(&site.url("/console/channels")).await;
    panel.until("the panel is open", "!!document.querySelector('#panel #element')").await;
    for tab in [&home, &panel, &known, &heard] {
        tab.until("it is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    }
    for text in TEXTS {
        texts.push(text.to_owned()).await.unwrap();
        texts.push(format!(" {text}")).await.unwrap();
        app.knowledge().value::<Value>(&format!("key {text}")).set(&json!({"text": text})).await.unwrap();
        app.channels().publish(format!("channel {text}").as_str(), &json!({"text": text})).await.unwrap();
    }
    let last = TEXTS[TEXTS.len() - 1];
    shows(&home, "<style>").await;
    shows(&panel, "{{constructor").await;
    shows(&known, last).await;
    shows(&heard, last).await;
    for (tab, place) in [(&home, "overview"), (&panel, "panel"), (&known, "knowledge"), (&heard, "channels")]
    {
        is_harmless(tab, &site, place).await;
    }
    for text in TEXTS {
        for path in ["/console/knowledge?pattern=", "/console/channels?pattern=", "/console/loops#one."] {
            known.go(&site.url(&format!("{path}{}", form(text)))).await;
            is_harmless(&known, &site, text).await;
        }
        // There is nothing at these, which a browser says.
        let nowhere = Tab::open(&site.url(&format!("/console/loops/one/{}", form(text)))).await;
        assert_eq!(nowhere.eval(HARM).await, json!([]), "{text}");
        nowhere.go(&site.url(&format!("/console/workflows/{}", form(text)))).await;
        assert_eq!(nowhere.eval(HARM).await, json!([]), "{text}");
    }
}

/// A text as a part of a URL.
fn form(text: &str) -> String {
    text.bytes().fold(String::new(), |form, byte| form + &format!("%{byte:02X}"))
}
