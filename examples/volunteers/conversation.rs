//! What is being talked about with a person, and what to answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// For how long a conversation is known; who says something later begins a new one.
pub const REMEMBERED: Duration = Duration::from_hours(24);
/// For how long it is known what was answered to a comment: it may be fetched again long after it was told.
pub const ANSWERED: Duration = Duration::from_hours(30 * 24);
/// The days that one may choose from.
pub const DAYS: [&str; 2] = ["Saturday", "Sunday"];

/// What is being talked about with a person; knowledge that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// About which post.
    pub post: String,
    pub state: State,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// They were asked which day suits them, so many times.
    Asked(u8),
    /// All is said.
    Settled,
}

/// What is said to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    /// What they may choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// The most times that one is asked.
const PATIENCE: u8 = 2;

/// What to answer to someone who wants to help, or says something more, and how far that leads.
pub fn answer(before: Option<&Conversation>, name: &str, text: &str) -> (Answer, State) {
    let plain = |text: String| Answer { text, choices: Vec::new() };
    let asking = |text: String| Answer { text, choices: DAYS.map(str::to_owned).to_vec() };
    let state = before.map_or(State::Asked(0), |before| before.state);
    let text = text.to_lowercase();
    let day = DAYS.into_iter().find(|day| text.contains(&day.to_lowercase()));
    match (state, day) {
        (State::Settled, _) => {
            (plain(format!("Thank you, {name}. We have you on the list; see you there.")), State::Settled)
        }
        (State::Asked(_), Some(day)) => {
            (plain(format!("{day} it is, {name}. Thank you, see you there.")), State::Settled)
        }
        (State::Asked(0), None) => {
            (asking(format!("Thank you, {name}! Which day suits you?")), State::Asked(1))
        }
        (State::Asked(times), None) if times < PATIENCE => {
            (asking(format!("Which day may we put you down for, {name}?")), State::Asked(times + 1))
        }
        (State::Asked(_), None) => {
            (plain(format!("Thank you, {name}. Somebody will write to you.")), State::Settled)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(state: State) -> Conversation {
        Conversation { post: "ada-1".into(), state }
    }

    #[test]
    fn who_wants_to_help_is_asked_for_a_day_and_then_it_is_settled() {
        let (asked, state) = answer(None, "Joe", "I'd love to help");
        assert_eq!(
            (asked.choices, state),
            (vec!["Saturday".to_owned(), "Sunday".to_owned()], State::Asked(1))
        );
        let (settled, state) = answer(Some(&at(state)), "Joe", "sunday, please");
        assert_eq!(
            (settled.text.as_str(), state),
            ("Sunday it is, Joe. Thank you, see you there.", State::Settled)
        );
        assert!(answer(Some(&at(state)), "Joe", "ok").0.choices.is_empty());
    }

    #[test]
    fn nobody_is_asked_for_ever() {
        let mut state = answer(None, "Joe", "me!").1;
        for expected in [State::Asked(2), State::Settled, State::Settled] {
            state = answer(Some(&at(state)), "Joe", "hm").1;
            assert_eq!(state, expected);
        }
    }
}
