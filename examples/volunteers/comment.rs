//! What people say, on its way from the network to the database.

use serde::{Deserialize, Serialize};

/// A comment, or a message to the page, as the network tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// As the network calls it.
    pub id: String,
    /// The post under which it stands, as the network calls that; empty for a message.
    pub place: String,
    /// Who says it, as the network calls them.
    pub person: String,
    pub name: String,
    pub text: String,
    pub via: Via,
    /// When it was said, in milliseconds since 1970.
    pub said: i64,
}

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// Under a post.
    Comment,
    /// To the page alone.
    Message,
}

/// A comment as numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prepared {
    pub comment: Comment,
    /// The post, as we call it; none for a message out of nothing.
    pub post: String,
    /// Which words of the vocabulary it has.
    pub bag: Vec<f32>,
}

/// A comment with its verdict: a row of the table `signups`, whatever the verdict is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signup {
    pub id: String,
    pub post: String,
    pub person: String,
    pub name: String,
    pub text: String,
    pub via: Via,
    pub said: i64,
    pub class: String,
    pub score: f64,
    pub interested: bool,
    /// Which version of the model says so.
    pub version: String,
}

/// The class of those who want to help.
pub const INTERESTED: &str = "interested";

/// Something that was done out there: a row of the table `outcomes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub what: What,
    /// Of what: the comment that was answered, the post that was published.
    pub id: String,
    pub post: String,
    pub text: String,
    /// As the network calls what came of it.
    pub reference: String,
    pub at: i64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Published,
    Replied,
}

/// A post of an organiser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// `ORGANISER-…`, so that everybody knows whose it is without asking.
    pub id: String,
    pub text: String,
    pub at: i64,
    /// As the network calls it, once it is published.
    pub place: Option<String>,
}

/// Whose post it is.
pub fn owner(post: &str) -> Option<&str> {
    post.split_once('-').map(|(owner, _)| owner)
}

/// The group of the live server in which a post's organiser hears of its signups.
pub fn group(post: &str) -> String {
    format!("interested_{post}")
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
