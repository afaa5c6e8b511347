//! What keys mean.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Quit,
    /// So many lines down; less than nothing is up.
    Move(isize),
    First,
    Last,
    NextTab,
    PreviousTab,
    Tab(usize),
    /// Look at what is selected more closely.
    Open,
    /// Back to where one came from.
    Back,
    Filter,
    Sort,
    Pause,
    Help,
    /// A letter of what is typed.
    Type(char),
    Erase,
    /// What is typed holds.
    Enter,
}

/// How many lines a page is.
const PAGE: isize = 10;

/// What a key means while something is typed, or else.
pub(super) fn action(key: KeyEvent, is_typing: bool) -> Option<Action> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    if is_control {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('d' | 'f') if !is_typing => Some(Action::Move(PAGE)),
            KeyCode::Char('u' | 'b') if !is_typing => Some(Action::Move(-PAGE)),
            _ => None,
        };
    }
    if is_typing {
        return match key.code {
            KeyCode::Char(letter) => Some(Action::Type(letter)),
            KeyCode::Backspace => Some(Action::Erase),
            KeyCode::Enter => Some(Action::Enter),
            KeyCode::Esc => Some(Action::Back),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Move(PAGE),
        KeyCode::PageUp => Action::Move(-PAGE),
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => Action::NextTab,
        KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => Action::PreviousTab,
        KeyCode::Char('1') => Action::Tab(0),
        KeyCode::Char('2') => Action::Tab(1),
        KeyCode::Char('3') => Action::Tab(2),
        KeyCode::Char('4') => Action::Tab(3),
        KeyCode::Enter => Action::Open,
        KeyCode::Esc | KeyCode::Backspace => Action::Back,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Char('p') => Action::Pause,
        KeyCode::Char('?') => Action::Help,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_commands_unless_something_is_typed() {
        let key = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        assert_eq!(action(key('q'), false), Some(Action::Quit));
        assert_eq!(action(key('q'), true), Some(Action::Type('q')));
        assert_eq!(action(key('x'), false), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(action(interrupt, true), Some(Action::Quit));
        assert_eq!(action(interrupt, false), Some(Action::Quit));
    }
}
