//! What happens to one post, on the terminal.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::StreamExt;
use mape::live::{Client, Delivery, Viewer};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::comment::{Signup, Via, group};
use crate::graph::Graph;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::stage::Running;

/// Who publishes.
const ORGANISER: &str = "ada";
/// Her mail address.
const EMAIL: &str = "ada@example.org";
/// What she publishes.
const TEXT: &str =
    "We are looking for volunteers for this weekend: no experience needed, lunch is on us. Who is in?";
/// How long all may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// Nobody wants to wait for long; on free ports.
pub fn quicken(settings: &mut Settings) -> anyhow::Result<()> {
    (settings.network.comments, settings.network.pace) = (24, 60);
    for schedule in settings.queues.iter_mut().flat_map(|queue| &mut queue.schedules) {
        schedule.cron = "*/2 * * * * *".parse()?;
    }
    // Held together, so that they differ.
    let free = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let [page, network, mail] = free.map(|free| anyhow::Ok(free?.local_addr()?.to_string()));
    settings.config.set("rest.address", page?)?;
    (settings.network.address, settings.network.mail) = (network?, mail?);
    Ok(())
}

/// An organiser, who asks as a browser does.
pub struct Organiser {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Organiser {
    pub fn new(url: &str, token: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let url = url.trim_end_matches("/volunteers").to_owned();
        Ok(Self { client, url, token: token.to_owned() })
    }

    /// What is answered, and with which status.
    pub async fn ask(&self, method: Method, path: &str, body: Value) -> anyhow::Result<(u16, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = if body.is_null() {
            request
        } else {
            request.header("Content-Type", "application/json").body(body.to_string())
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or_default()))
    }

    /// The same, which has to work.
    pub async fn get_done(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Value> {
        let (status, answer) = self.ask(method, path, body).await?;
        ensure!(status < 300, "{path} answers {status}: {answer}");
        Ok(answer)
    }

    /// Proves a mail address by the PIN that is sent there.
    pub async fn integrate(&self, graph: &Graph) -> anyhow::Result<()> {
        let before = mails(graph).await?.len();
        self.get_done(Method::POST, "/volunteers/integration", json!({"email": EMAIL})).await?;
        let new = timeout(PATIENCE, async {
            loop {
                if let Some(mail) = mails(graph).await?.into_iter().nth(before) {
                    return anyhow::Ok(mail);
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        let mail = new.await.context("no mail came")??;
        let is_pin = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        let pin = mail.split_whitespace().find(is_pin).context("there is no PIN in the mail")?;
        self.get_done(Method::POST, "/volunteers/integration/pin", json!({"pin": pin})).await?;
        Ok(())
    }
}

/// The mails that the double has, in the order in which they came.
async fn mails(graph: &Graph) -> anyhow::Result<Vec<String>> {
    let records = graph.records().await?;
    let mails = records.get("mails").and_then(Value::as_array).into_iter().flatten();
    Ok(mails.filter_map(|mail| mail.get("text")?.as_str().map(str::to_owned)).collect())
}

/// The first steps of a new organiser, unless they are done; the id of the newest post.
pub async fn begin(shared: &Shared, running: &Running) -> anyhow::Result<String> {
    let page = running.page.as_deref().context("the page is not here")?;
    let token = shared.settings.organisers.get(ORGANISER).context("there is no organiser called ada")?;
    let ada = Organiser::new(page, token.expose())?;
    if shared.integration(ORGANISER).get().await?.is_none() {
        ada.integrate(&Graph::new(&shared.settings.network.address)?).await?;
    }
    let posts = ada.get_done(Method::GET, "/posts", Value::Null).await?;
    let post = match posts.get(0) {
        Some(post) => post.clone(),
        None => ada.get_done(Method::POST, "/posts", json!({"text": TEXT})).await?,
    };
    Ok(post.get("id").and_then(Value::as_str).context("a post has an id")?.to_owned())
}

pub async fn run(shared: &Shared, running: &Running) -> anyhow::Result<()> {
    let since = Instant::now();
    let post = begin(shared, running).await?;
    let mut shown =
        Shown { since, heard: BTreeSet::new(), answered: BTreeSet::new(), unanswered: BTreeSet::new() };
    shown.line("published", "", TEXT)?;
    let mut client = shared.live.connect(Viewer::named(ORGANISER));
    client.join(&group(&post), Value::Null, false, None)?;
    let all = async {
        let graph = Graph::new(&shared.settings.network.address)?;
        loop {
            shown.hear(&mut client).await?;
            let records = graph.records().await?;
            let said = records.get("said").and_then(Value::as_array).map_or(0, Vec::len);
            if said > 0 && shown.heard.len() == said && shown.unanswered.is_empty() {
                return anyhow::Ok(());
            }
        }
    };
    timeout(PATIENCE, all).await.context("it takes too long")??;
    let Shown { heard, answered, .. } = &shown;
    let text = format!("{} comments and messages, {} answered, each once", heard.len(), answered.len());
    shown.line("all done", "", &text)
}

struct Shown {
    since: Instant,
    heard: BTreeSet<String>,
    answered: BTreeSet<String>,
    unanswered: BTreeSet<String>,
}

impl Shown {
    /// Shows what comes within a moment.
    async fn hear(&mut self, client: &mut Client) -> anyhow::Result<()> {
        while let Ok(Some(told)) = timeout(Duration::from_millis(200), client.next()).await {
            let Delivery::Part(part) = told else { continue };
            let Some(data) = part.data() else { continue };
            if let Some(signup) = data.get("signup") {
                let signup: Signup = serde_json::from_value(signup.clone())?;
                if self.heard.insert(signup.id.clone()) {
                    let is_message = signup.via == Via::Message;
                    if (signup.interested || is_message) && !self.answered.contains(&signup.id) {
                        self.unanswered.insert(signup.id.clone());
                    }
                    let score = format!("{:.2}", signup.score);
                    let (what, score) = if is_message { ("message", "") } else { (&*signup.class, &*score) };
                    self.line(what, score, &format!("{}: {}", signup.name, signup.text))?;
                }
            } else if let Some(reply) = data.get("replied") {
                let id = reply["id"].as_str().unwrap_or_default();
                self.unanswered.remove(id);
                if self.answered.insert(id.to_owned()) {
                    self.line("  answered", "", reply["text"].as_str().unwrap_or_default())?;
                }
            }
        }
        Ok(())
    }

    fn line(&self, what: &str, score: &str, text: &str) -> anyhow::Result<()> {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect();
        writeln!(
            io::stdout(),
            "{:>6.2} s  {what:<12} {score:>4}  {text}",
            self.since.elapsed().as_secs_f64()
        )?;
        Ok(())
    }
}
