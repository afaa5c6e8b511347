//! The people of the network: what they comment, and what they say when they are asked.

use anyhow::ensure;
use serde::Deserialize;

use crate::comment::INTERESTED;
use crate::network::records::Said;

/// What people said once, with what they meant; `examples/data/volunteers/README.md` says where.
const TEXTS: &str = include_str!("../../data/volunteers/comments.tsv");

/// How long somebody takes to answer, in paces.
const THOUGHT: i64 = 4;
/// A prime: steps of it come to each text once.
const STRIDE: usize = 83;
/// Of so many who comment, one wants to help.
const ONE_OF: usize = 3;

pub struct People {
    texts: Vec<String>,
    /// How many comments a post gets.
    comments: usize,
    /// Milliseconds between two of them.
    pace: i64,
}

#[derive(Deserialize)]
struct Row {
    split: String,
    class: String,
    text: String,
}

impl People {
    pub fn new(comments: usize, pace: u32) -> anyhow::Result<Self> {
        let rows = csv::ReaderBuilder::new()
            .delimiter(b'\t')
            .from_reader(TEXTS.as_bytes())
            .into_deserialize::<Row>();
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        // Only what the model was not trained with.
        let rows = rows.into_iter().filter(|row| row.split == "test");
        let (eager, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.class == INTERESTED);
        ensure!(!eager.is_empty() && !others.is_empty(), "there are no texts");
        // All classes side by side, as people come.
        let mut others = (0..others.len()).map(|n| n * STRIDE % others.len()).filter_map(|n| others.get(n));
        let mut eager = eager.iter().cycle();
        let mut texts = Vec::new();
        while let Some(other) = if texts.len() % ONE_OF == 1 { eager.next() } else { others.next() } {
            texts.push(other.text.clone());
        }
        Ok(Self { texts, comments, pace: pace.into() })
    }

    /// What comes under the post of this number.
    pub fn comments(&self, post: i64, now: i64) -> Vec<Said> {
        let first = (usize::try_from(post).unwrap_or(1) - 1) * self.comments % self.texts.len();
        let texts = self.texts.iter().cycle().skip(first);
        let said = |(n, text): (i64, &String)| Said {
            n,
            id: format!("comment_{post}_{n}"),
            post: format!("post_{post}"),
            person: format!("person_{post}_{n}"),
            name: format!("Person {}", first + usize::try_from(n).unwrap_or(0) + 1),
            text: text.clone(),
            is_message: false,
            at: now + (n + 1) * self.pace,
        };
        (0..).zip(texts.take(self.comments)).map(said).collect()
    }

    /// What somebody says who is asked to choose: most press one of the buttons, some write something, some nothing.
    pub fn answer(&self, asked: &Said, choices: &[String], now: i64) -> Option<Said> {
        let n = asked.n;
        let nth = usize::try_from(n).ok()?;
        let chosen = choices.get(nth % choices.len().max(1))?;
        let text = match n % 6 {
            1 => return None,
            4 if !asked.is_message => self.texts.get(nth % self.texts.len())?,
            _ => chosen,
        };
        Some(Said {
            id: format!("message_{}", asked.id),
            post: String::new(),
            text: text.clone(),
            is_message: true,
            at: now + THOUGHT * self.pace,
            ..asked.clone()
        })
    }
}
