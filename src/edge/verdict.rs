//! What an answer to a post means.

use super::answer::Answer;
use std::time::Duration;

/// How items go to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One, in a form that all understand, until an answer says what the other side can do.
    Unknown,
    /// Many in one body, numbered.
    Together,
    /// One by one.
    Single,
}

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) way: Way,
    /// How many are in the body.
    pub(super) count: usize,
    /// It was posted to a port of an element.
    pub(super) is_element: bool,
}

/// What has become of a body, from its beginning: these are taken, then these are refused, and the rest goes on so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) taken: usize,
    pub(super) refused: usize,
    pub(super) next: Next,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// With what is left, at once.
    GoOn,
    /// The same again after a while; the other side may say how long.
    Wait(Option<Duration>),
    /// The same in smaller bodies.
    Smaller,
    /// The same one by one.
    Singly,
    /// The same, numbered from here.
    From(u64),
}

/// Judges an answer.
///
/// What only the time can change is waited for: 408, 409 of an element (it is stopped), 425, 429 and all of 5xx but 501
/// and 505. What the other side says of the content is true of one item, so others are sent without it. Anything else
/// (a wrong token, a wrong path, another place) is true of all that is in the body.
pub(super) fn judge(asked: Question, answer: &Answer) -> Verdict {
    let Question { way, count, is_element } = asked;
    let taken = answer.accepted.unwrap_or_default().min(count);
    let retry = Verdict { taken, refused: 0, next: Next::Wait(answer.retry_after) };
    match answer.status {
        200..300 => {
            // An end is accepted and is no item, so of what goes alone the status says it all.
            let taken = if way != Way::Single && answer.accepted.is_some() { taken } else { count };
            // Who takes nothing of what is there has a reason.
            let next = if taken == 0 { Next::Wait(None) } else { Next::GoOn };
            Verdict { taken, refused: 0, next }
        }
        409 if let Some(next) = answer.next => Verdict { taken: 0, refused: 0, next: Next::From(next) },
        409 if is_element => retry,
        408 | 425 | 429 | 500 | 502..=504 | 506.. => retry,
        // It says which is the bad one.
        422 if answer.accepted.is_some() => {
            Verdict { taken, refused: usize::from(taken < count), next: Next::GoOn }
        }
        400 | 406 | 413 | 415 | 422 => match way {
            _ if count > 1 => Verdict { taken, refused: 0, next: Next::Smaller },
            Way::Unknown if answer.accepted.is_none() => Verdict { taken: 0, refused: 0, next: Next::Singly },
            _ => Verdict { taken, refused: 1 - taken, next: Next::GoOn },
        },
        _ => Verdict { taken: 0, refused: count, next: Next::GoOn },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(way: Way, count: usize, status: u16, accepted: Option<usize>) -> (usize, usize, Next) {
        let answer = Answer { status, accepted, ..Answer::default() };
        let verdict = judge(Question { way, count, is_element: false }, &answer);
        (verdict.taken, verdict.refused, verdict.next)
    }

    #[test]
    fn what_was_taken_is_not_sent_again() {
        assert_eq!(of(Way::Together, 9, 200, Some(9)), (9, 0, Next::GoOn));
        assert_eq!(of(Way::Together, 9, 200, Some(4)), (4, 0, Next::GoOn));
        assert_eq!(of(Way::Together, 9, 200, Some(0)), (0, 0, Next::Wait(None)));
        assert_eq!(of(Way::Unknown, 1, 204, None), (1, 0, Next::GoOn));
        assert_eq!(of(Way::Single, 1, 200, Some(0)), (1, 0, Next::GoOn));
        assert_eq!(of(Way::Together, 9, 503, Some(4)), (4, 0, Next::Wait(None)));
        assert_eq!(of(Way::Together, 9, 503, Some(99)), (9, 0, Next::Wait(None)));
    }

    #[test]
    fn one_bad_item_costs_no_other() {
        assert_eq!(of(Way::Together, 9, 422, Some(4)), (4, 1, Next::GoOn));
        assert_eq!(of(Way::Together, 9, 413, None), (0, 0, Next::Smaller));
        assert_eq!(of(Way::Together, 9, 413, Some(3)), (3, 0, Next::Smaller));
        assert_eq!(of(Way::Together, 1, 413, Some(0)), (0, 1, Next::GoOn));
        assert_eq!(of(Way::Together, 1, 413, None), (0, 1, Next::GoOn));
        assert_eq!(of(Way::Unknown, 1, 415, None), (0, 0, Next::Singly));
        assert_eq!(of(Way::Single, 1, 422, None), (0, 1, Next::GoOn));
    }

    #[test]
    fn what_time_can_change_is_waited_for_and_nothing_else() {
        for status in [408, 425, 429, 500, 502, 503, 504, 507] {
            assert_eq!(of(Way::Single, 1, status, None), (0, 0, Next::Wait(None)), "{status}");
        }
        for status in [301, 307, 401, 403, 404, 405, 409, 410, 501, 505] {
            assert_eq!(of(Way::Single, 1, status, None), (0, 1, Next::GoOn), "{status}");
        }
        let gap = Answer { status: 409, next: Some(7), ..Answer::default() };
        let asked = Question { way: Way::Together, count: 9, is_element: true };
        assert_eq!(judge(asked, &gap).next, Next::From(7));
        let stopped = Question { way: Way::Unknown, count: 1, is_element: true };
        let answer = Answer { status: 409, ..Answer::default() };
        assert_eq!(judge(stopped, &answer).next, Next::Wait(None));
    }
}
