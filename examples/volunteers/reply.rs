//! The reply queue: who wants to help is answered, once, and perhaps asked something.

use mape::knowledge::{self, Transaction};
use mape::queue::{NewJob, Task, Worker, working};
use serde::{Deserialize, Serialize};

use crate::comment::{Outcome, Signup, Via, What, now};
use crate::conversation::{self, ANSWERED, Answer, Conversation, REMEMBERED};
use crate::graph::Graph;
use crate::shared::Shared;
use crate::stage::told;

/// Somebody who is to be answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// To which comment or message.
    pub to: String,
    pub post: String,
    pub person: String,
    pub name: String,
    pub text: String,
    pub via: Via,
}

impl Reply {
    pub fn to(signup: &Signup) -> Self {
        let Signup { id, post, person, name, text, via, .. } = signup.clone();
        Self { to: id, post, person, name, text, via }
    }
}

pub async fn start(shared: &Shared) -> anyhow::Result<Worker> {
    let (graph, with) = (Graph::new(&shared.settings.network.address)?, shared.clone());
    let reply = shared.app.create_loop("reply")?.execute("reply").each_unordered(
        shared.queues.reply.settings().concurrency,
        working(move |task: Task<Reply>| {
            let (graph, shared) = (graph.clone(), with.clone());
            async move { reply(&shared, &graph, &task).await.map_err(told) }
        }),
    );
    Ok(shared.queues.reply.work(&reply.spawn()?).await?)
}

async fn reply(shared: &Shared, graph: &Graph, task: &Task<Reply>) -> anyhow::Result<String> {
    let answer = decide(shared, task).await?;
    // The network does what has the same key once, however often it is asked, and whichever job asks.
    let reference = graph.reply(&task.to, &answer, &task.to).await?;
    let outcome = Outcome {
        what: What::Replied,
        id: task.to.clone(),
        post: task.post.clone(),
        text: answer.text,
        reference: reference.clone(),
        at: now(),
    };
    let key = format!("replied {}", task.to);
    let _ = shared.queues.database_write.add_job(NewJob::new(outcome).key(key)).await?;
    Ok(reference)
}

/// What to say. It is decided once, and how far the conversation is changes with that as one: whoever does the job again,
/// or another one of the same person at the same time, finds what was decided.
async fn decide(shared: &Shared, task: &Reply) -> anyhow::Result<Answer> {
    let (conversation, decided) = (shared.conversation(&task.person), shared.answer(&task.to));
    loop {
        if let Some(answer) = decided.get().await? {
            return Ok(answer);
        }
        let (before, version) = conversation.get_versioned().await?;
        // Who comments on another post talks about that.
        let before = before.filter(|before| task.via == Via::Message || before.post == task.post);
        let (answer, state) = conversation::answer(before.as_ref(), &task.name, &task.text);
        let after = Conversation { post: task.post.clone(), state };
        let as_one = Transaction::new()
            .expect_version(conversation.key(), version)
            .expect_absent(decided.key())
            .set_for(conversation.key(), conversation.data(&after)?, REMEMBERED)
            .set_for(decided.key(), decided.data(&answer)?, ANSWERED);
        match shared.app.backend().store().commit(as_one).await {
            Ok(_) => return Ok(answer),
            Err(knowledge::Error::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::conversation::State;
    use crate::settings::Settings;

    #[tokio::test(start_paused = true)]
    async fn a_conversation_is_known_for_a_day_and_begins_anew_after_it() {
        let settings = Settings::load(None, None, true).unwrap();
        let shared = Shared::open(settings, std::env::temp_dir()).await.unwrap();
        let reply = |to: &str| Reply {
            to: to.to_owned(),
            post: "ada-1".to_owned(),
            person: "joe".to_owned(),
            name: "Joe".to_owned(),
            text: "me!".to_owned(),
            via: Via::Comment,
        };
        let asked = Some(Conversation { post: "ada-1".to_owned(), state: State::Asked(1) });
        let first = decide(&shared, &reply("c.1")).await.unwrap();
        tokio::time::advance(Duration::from_hours(23)).await;
        assert_eq!(shared.conversation("joe").get().await.unwrap(), asked);
        assert_eq!(decide(&shared, &reply("c.1")).await.unwrap(), first);
        assert_eq!(shared.conversation("joe").get().await.unwrap(), asked, "it was decided before");
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(shared.conversation("joe").get().await.unwrap(), None);
        // A comment that is fetched once more begins none.
        assert_eq!(decide(&shared, &reply("c.1")).await.unwrap(), first);
        assert_eq!(shared.conversation("joe").get().await.unwrap(), None);
        assert_eq!(decide(&shared, &reply("c.2")).await.unwrap(), first, "who asks anew asks the same");
        assert_eq!(shared.conversation("joe").get().await.unwrap(), asked);
    }
}
