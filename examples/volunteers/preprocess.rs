//! The preprocessing queue: comments become numbers.

use std::sync::Arc;

use anyhow::Context;
use mape::event::Event;
use mape::queue::{Task, Worker, working};
use mape::text::{Reading, Vocabulary};

use crate::comment::{Comment, Prepared, Via};
use crate::model;
use crate::shared::Shared;
use crate::stage::told;

/// The longest text, in bytes. The network has a limit of its own, but who knows.
const LONGEST: usize = 8_000;

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let vocabulary = model::vocabulary()?.read_by(Reading::stems().at_most(LONGEST));
    let with = Arc::new((shared.clone(), vocabulary));
    let prepare = shared.app.create_loop("comments")?.monitor("prepare").each_unordered(
        shared.queues.preprocessing.settings().concurrency,
        working(move |task: Task<Comment>| {
            let with = with.clone();
            async move { prepare(&with.0, &with.1, &task).await.map_err(told) }
        }),
    );
    Ok(shared.queues.preprocessing.work(&prepare.spawn()?).await?)
}

/// Appends the numbers of a comment to the log; how many of its words are known.
async fn prepare(shared: &Shared, vocabulary: &Vocabulary, task: &Task<Comment>) -> anyhow::Result<usize> {
    let comment = (**task).clone();
    let bag = match vocabulary.bag(&comment.text) {
        Ok(bag) => bag,
        Err(error) => {
            // It will not get shorter.
            task.bury(&error);
            return Err(error.into());
        }
    };
    let post = post(shared, &comment).await?;
    let known = bag.known();
    let prepared = Prepared { comment, post, bag: bag.into_numbers() };
    shared.comments().append(Event::of(&prepared)?.of_kind("comment").stamped()).await?;
    Ok(known)
}

/// The post that a comment is about, as we call it.
async fn post(shared: &Shared, comment: &Comment) -> anyhow::Result<String> {
    if comment.via == Via::Message {
        let conversation = shared.conversation(&comment.person).get().await?;
        return Ok(conversation.map(|conversation| conversation.post).unwrap_or_default());
    }
    // The network may tell of a comment before we know what it calls the post: later we do.
    let post = shared.places().get(comment.place.as_str()).await?;
    post.with_context(|| format!("no post of ours is called `{}` there", comment.place))
}
