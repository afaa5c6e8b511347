//! What all stages share: the backend, the queues, what is known of posts and conversations, and the database's place.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use mape::backend::Backend;
use mape::event::Log;
use mape::knowledge::{Hash, Value};
use mape::live::{self, Live, Rules};
use mape::prelude::*;
use mape::queue::{Queue, Queues};
use serde_json::json;

use crate::comment::{Post, group};
use crate::conversation::{Answer, Conversation};
use crate::settings::Settings;
use crate::verification::Verification;

/// What all stages share, in one process or in many.
#[derive(Clone)]
pub struct Shared {
    pub app: App,
    pub live: Live,
    pub settings: Arc<Settings>,
    /// Where the rows are, and the records of the network's double.
    pub data: PathBuf,
    pub queues: Arc<All>,
}

/// The queues of the configuration.
pub struct All {
    pub publishing: Queue,
    pub preprocessing: Queue,
    pub database_write: Queue,
    pub reply: Queue,
    pub email: Queue,
    pub fetching: Queue,
}

impl Shared {
    pub async fn open(settings: Settings, data: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&data).with_context(|| format!("making the directory {}", data.display()))?;
        let url = settings.config.backend.url.as_ref().map_or("memory:", |url| url.expose());
        let app = App::with_backend(Backend::open(url).await?);
        let known = Queues::new(&app);
        let open = async |name: &str| anyhow::Ok(known.declare(settings.queue(name)?).await?);
        let queues = All {
            publishing: open("publishing").await?,
            preprocessing: open("preprocessing").await?,
            database_write: open("database_write").await?,
            reply: open("reply").await?,
            email: open("email").await?,
            fetching: open("fetching").await?,
        };
        let live = Live::with(&app, live::Settings::configured(&settings.config.live), rules(&settings)?);
        live.ready().await;
        Ok(Self { app, live, settings: settings.into(), data, queues: queues.into() })
    }

    /// Comments as numbers, for the model.
    pub fn comments(&self) -> Log {
        self.app.logs().log("comments")
    }

    /// Comments with their verdicts.
    pub fn interested(&self) -> Log {
        self.app.logs().log("interested")
    }

    /// Signed webhooks that made no sense.
    pub fn senseless_webhooks(&self) -> Log {
        self.app.logs().log("webhooks").dead_letters()
    }

    /// Posts by their ids.
    pub fn posts(&self) -> Hash<String, Post> {
        self.app.knowledge().hash("posts")
    }

    /// Ids of posts by what the network calls them.
    pub fn places(&self) -> Hash<String, String> {
        self.app.knowledge().hash("places")
    }

    /// How far the comments of each place have been fetched.
    pub fn fetched(&self) -> Hash<String, i64> {
        self.app.knowledge().hash("fetched")
    }

    /// What is being talked about with a person.
    pub fn conversation(&self, person: &str) -> Value<Conversation> {
        self.app.knowledge().value(&format!("conversation:{person}"))
    }

    /// What was decided to say to a comment or a message: whoever answers it again says the same.
    pub fn answer(&self, to: &str) -> Value<Answer> {
        self.app.knowledge().value(&format!("answer:{to}"))
    }

    /// An organiser's mail address, once it is verified.
    pub fn integration(&self, organiser: &str) -> Value<String> {
        self.app.knowledge().value(&format!("integration:{organiser}"))
    }

    /// A mail address that waits to be verified.
    pub fn verification(&self, organiser: &str) -> Value<Verification> {
        self.app.knowledge().value(&format!("verification:{organiser}"))
    }

    /// How often the PIN was tried.
    pub fn tries(&self, organiser: &str) -> Value<i64> {
        self.app.knowledge().value(&format!("verification:{organiser}:tries"))
    }

    /// The file with the rows.
    pub fn rows(&self) -> PathBuf {
        self.data.join("volunteers.sqlite")
    }
}

/// Who may hear what: each organiser of the signups for their own posts. Nobody publishes but this program.
fn rules(settings: &Settings) -> anyhow::Result<Rules> {
    let own = settings
        .organisers
        .keys()
        .map(|name| json!({"names": [group(&format!("{name}-*"))], "may": ["see", "join"], "who": [name]}));
    let others = json!({"names": [group("*")], "may": ["see", "join"], "roles": ["admin"]});
    let nobody = json!({"names": ["*"], "may": ["publish", "ask"], "roles": ["admin"]});
    Ok(serde_json::from_value(own.chain([others, nobody]).collect())?)
}
