//! The page, what it asks for, and the webhook.
//!
//! Who asks is known by a token, which the page keeps in a cookie; organisers see and do only what is theirs.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use mape::config;
use mape::http::{Access, Role, Rule, Service};
use mape::live::Viewer;
use mape::prelude::*;
use mape::queue::NewJob;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::comment::{Post, now, owner};
use crate::graph::Graph;
use crate::publish::Publish;
use crate::settings::{Settings, made_up};
use crate::shared::Shared;
use crate::stage::Running;
use crate::verification::{self, Tried};
use crate::webhook::{self, Webhook};
use crate::{page, rows};

/// The longest post.
const LONGEST: usize = 2_000;

pub async fn start(shared: &Shared, running: &mut Running) -> anyhow::Result<()> {
    let settings = &shared.settings;
    let webhook = Webhook::new(shared);
    let hook =
        Router::new().route("/webhook", get(webhook::prove).post(webhook::take)).with_state(webhook.clone());
    let routes = page::routes().merge(hook).merge(api(Api { shared: shared.clone(), webhook }));
    let rest = &settings.config.rest;
    let service = Service::new(&shared.app).live(&shared.live).configured(rest)?.access(access(settings));
    let serving = service.routes(routes).listen(&rest.address).await?;
    running.own(subscribe(shared.clone(), format!("{}/webhook", serving.url())));
    running.page = Some(format!("{}/volunteers", serving.url()));
    running.serves(serving);
    Ok(())
}

/// What each path asks for: the first rule that fits counts.
fn access(settings: &Settings) -> Access {
    let open = [
        "/health",
        "/ready",
        "/console/login",
        "/console/assets/**",
        "/webhook",
        "/volunteers",
        "/volunteers/login",
        "/volunteers/file/*",
    ];
    let organisers = ["/volunteers/**", "/posts/**", "/live/socket", "/live/groups/**"];
    let rules = open.map(Rule::open).into_iter();
    let rules = rules.chain(organisers.map(|path| Rule::new(path, Role::Read)));
    // The console, and all that it shows.
    let rules = rules.chain([Rule::new("/**", Role::Admin)]);
    let tokens = settings.organisers.iter();
    let access =
        tokens.fold(Access::new(), |access, (name, token)| access.token(name, token.expose(), Role::Read));
    // Who may see everything, the console included.
    let admins = settings.config.rest.tokens.iter().filter(|(_, token)| token.role == config::Role::Admin);
    let access =
        admins.fold(access, |access, (name, token)| access.token(name, token.token.expose(), Role::Admin));
    rules.fold(access, Access::rule)
}

/// Asks the network to tell of comments, until it says yes.
async fn subscribe(shared: Shared, callback: String) {
    let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(5));
    let network = &shared.settings.network;
    for failures in 0.. {
        let subscribed =
            async { Graph::new(&network.address)?.subscribe(&callback, network.verify_token.expose()).await };
        match subscribed.await {
            Ok(()) => return tracing::info!(callback, "the network tells of comments"),
            Err(error) if failures == 1 => tracing::warn!("the webhook is not subscribed yet: {error:#}"),
            Err(_) => {}
        }
        tokio::time::sleep(backoff.wait(failures).unwrap_or_default()).await;
    }
}

#[derive(Clone)]
struct Api {
    shared: Shared,
    webhook: Webhook,
}

fn api(api: Api) -> Router {
    Router::new()
        .route("/volunteers/login", post(login))
        .route("/volunteers/me", get(me))
        .route("/volunteers/integration", post(integrate))
        .route("/volunteers/integration/pin", post(try_pin))
        .route("/posts", get(list).post(create))
        .route("/posts/{id}/signups", get(signups))
        .with_state(api)
}

/// Why something is not done.
struct No(StatusCode, String);

impl No {
    fn new(status: StatusCode, reason: &str) -> Self {
        Self(status, reason.to_owned())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"detail": self.1}))).into_response()
    }
}

impl<E: Into<anyhow::Error>> From<E> for No {
    fn from(error: E) -> Self {
        let error: anyhow::Error = error.into();
        tracing::error!("a request could not be answered: {error:#}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "that does not work at the moment; try again")
    }
}

/// Which organiser asks.
fn organiser(viewer: &Viewer) -> Result<&str, No> {
    viewer.name.as_deref().ok_or_else(|| No::new(StatusCode::FORBIDDEN, "this is for organisers"))
}

#[derive(Deserialize)]
struct Login {
    token: String,
}

/// The browser sends the token from now on; whether it is a good one shows then. An empty one is forgotten.
async fn login(headers: HeaderMap, Json(given): Json<Login>) -> impl IntoResponse {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let secure = if origin.starts_with("https://") { "; Secure" } else { "" };
    let (token, age) = (given.token.trim(), if given.token.is_empty() { "; Max-Age=0" } else { "" });
    let token = utf8_percent_encode(token, NON_ALPHANUMERIC);
    let cookie = format!("mape_token={token}; Path=/; HttpOnly; SameSite=Strict{age}{secure}");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)])
}

async fn me(State(api): State<Api>, Extension(viewer): Extension<Viewer>) -> Result<Json<Value>, No> {
    let name = organiser(&viewer)?;
    let email = api.shared.integration(name).get().await?;
    Ok(Json(json!({"name": name, "email": email, "webhook": api.webhook.counted()})))
}

#[derive(Deserialize)]
struct Integration {
    email: String,
}

/// Sends a PIN to an address.
async fn integrate(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Json(given): Json<Integration>,
) -> Result<StatusCode, No> {
    if !verification::is_address(&given.email) {
        return Err(No::new(StatusCode::UNPROCESSABLE_ENTITY, "that is no mail address"));
    }
    verification::begin(&api.shared, organiser(&viewer)?, &given.email).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
struct GivenPin {
    pin: String,
}

async fn try_pin(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Json(given): Json<GivenPin>,
) -> Result<StatusCode, No> {
    match verification::finish(&api.shared, organiser(&viewer)?, &given.pin).await? {
        Tried::Right => Ok(StatusCode::NO_CONTENT),
        Tried::Wrong => Err(No::new(StatusCode::UNPROCESSABLE_ENTITY, "that is not the PIN in the mail")),
        Tried::Over => Err(No::new(StatusCode::GONE, "that PIN is good no more: ask for another")),
    }
}

#[derive(Deserialize)]
struct NewPost {
    /// Who sends it again with the same one publishes it once.
    id: Option<String>,
    text: String,
}

/// Queues a post to be published.
async fn create(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Json(given): Json<NewPost>,
) -> Result<(StatusCode, Json<Post>), No> {
    let (shared, name) = (&api.shared, organiser(&viewer)?);
    if shared.integration(name).get().await?.is_none() {
        return Err(No::new(StatusCode::CONFLICT, "verify your mail address first"));
    }
    let text = given.text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return Err(No::new(StatusCode::UNPROCESSABLE_ENTITY, "a post has 1 to 2,000 bytes"));
    }
    let own = match given.id {
        Some(id) if (8..=40).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric()) => id,
        Some(_) => {
            return Err(No::new(StatusCode::UNPROCESSABLE_ENTITY, "an id has 8 to 40 letters and digits"));
        }
        None => made_up()?.chars().take(12).collect(),
    };
    let id = format!("{name}-{own}");
    let post = if let Some(post) = shared.posts().get(id.as_str()).await? {
        post
    } else {
        let post = Post { id: id.clone(), text: text.to_owned(), at: now(), place: None };
        shared.posts().insert(id.as_str(), &post).await?;
        post
    };
    let job = NewJob::new(Publish { post: post.clone() }).key(id);
    let _ = shared.queues.publishing.add_job(job).await?;
    Ok((StatusCode::ACCEPTED, Json(post)))
}

/// Their own posts, the newest first.
async fn list(State(api): State<Api>, Extension(viewer): Extension<Viewer>) -> Result<Json<Vec<Post>>, No> {
    let name = organiser(&viewer)?;
    let all: BTreeMap<String, Post> = api.shared.posts().all().await?;
    let mut own: Vec<_> = all.into_values().filter(|post| owner(&post.id) == Some(name)).collect();
    own.sort_by_key(|post| std::cmp::Reverse(post.at));
    Ok(Json(own))
}

/// Who answered to a post, and what became of it.
async fn signups(
    State(api): State<Api>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
) -> Result<Json<Vec<rows::Shown>>, No> {
    // Nobody is told whether others have such a post.
    if owner(&id) != Some(organiser(&viewer)?) {
        return Err(No::new(StatusCode::NOT_FOUND, "you have no such post"));
    }
    Ok(Json(rows::signups(api.shared.rows(), id).await?))
}
