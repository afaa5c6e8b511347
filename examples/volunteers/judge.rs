//! Comments are judged, many at a time; all verdicts go on.

use std::time::Duration;

use mape::event::Delivery;
use mape::infer::{Input, Judged, Models, Verdict, judging};
use mape::prelude::*;
use mape::queue::{Answers, Done};

use crate::comment::{INTERESTED, Prepared, Signup};
use crate::model;
use crate::shared::Shared;

/// What a judge that dies had in hand goes to another so long after.
const LEASE: Duration = Duration::from_secs(3);

pub async fn start(shared: &Shared) -> anyhow::Result<()> {
    let models = Models::new();
    model::load(&models, shared.settings.judge.threshold).await?;
    let (most, within) = (shared.settings.judge.batch, shared.settings.judge.within());
    let judge = shared
        .app
        .create_loop("interest")?
        .analyze::<Delivery<Prepared>>("judge")
        .ops_in(move |s| s.buffer_count_or_time(most, within))
        .each_ordered(2, judging(&models, model::NAME, |prepared: &Prepared| Input::F32(&prepared.bag)))
        .ops_out(|s| s.map(signup))
        .spawn()?;
    judge.link_sink(Answers::new(&shared.interested(), "verdict"), LinkOptions::new())?;
    let comments = shared.comments().group("judge").lease(LEASE).source::<Prepared>().await?;
    // What is no comment is in the dead letters by then.
    judge.feed(comments.filter_map(|delivery| async { delivery.ok() }));
    Ok(())
}

/// A comment with its verdict; or why there is none.
fn signup(judged: Judged<Delivery<Prepared>>) -> Done<Delivery<Prepared>, Signup> {
    let prepared = judged.item.clone();
    judged.flatten().map(|verdict: Verdict| {
        let Prepared { comment, post, .. } = &*prepared;
        let comment = comment.clone();
        Signup {
            id: comment.id,
            post: post.clone(),
            person: comment.person,
            name: comment.name,
            text: comment.text,
            via: comment.via,
            said: comment.said,
            interested: verdict.class() == INTERESTED,
            class: verdict.class().to_string(),
            score: verdict.score(),
            version: verdict.version().to_string(),
        }
    })
}
